#include "tests/engine/io/trapped_calls.h"

#include <seccomp.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdlib>

namespace vigil::test {
namespace {

std::array<std::atomic<int>, 512> counts{};   // by number; filled by a signal handler

void on_trapped_call(int, siginfo_t* info, void*) {
    if (info->si_syscall >= 0 && info->si_syscall < static_cast<int>(counts.size())) ++counts[static_cast<std::size_t>(info->si_syscall)];
}

}  // namespace

bool count_trapped_calls() {
    for (auto& count : counts) count = 0;
    struct sigaction action {};
    action.sa_sigaction = on_trapped_call;
    action.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGSYS, &action, nullptr) == 0;
}

std::set<std::string> trapped_calls() {
    std::set<std::string> names;
    for (std::size_t number = 0; number < counts.size(); ++number) {
        if (counts[number] == 0) continue;
        char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
        names.insert(name != nullptr ? name : std::to_string(number));
        std::free(name);
    }
    return names;
}

}  // namespace vigil::test
