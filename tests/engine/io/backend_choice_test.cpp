#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "engine/io/backend.h"
#include "engine/io/doorbell.h"

// io_uring as containers have it: a seccomp filter, installed in a child of the test, refuses one of its system calls.

namespace vigil::io {
namespace {

bool refuse_system_call(long number, int error_number) {
    std::array<sock_filter, 4> program{{
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number)},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    }};
    const sock_fprog header{static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &header) == 0;
}

/// Runs `check` in a child where `number` is refused; true when it returned true there.
template <class Check>
bool holds_without(long number, int error_number, Check check) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(refuse_system_call(number, error_number) && check() ? 0 : 1);
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool epoll_is_chosen_because(const char* reason) {
    auto bell = Doorbell::make();
    const auto chosen = make_backend(BackendChoice::automatic, 1, bell->fd());
    if (!chosen) return false;
    std::fprintf(stderr, "chosen %s: %s\n", chosen->backend->name(), chosen->fallback_reason.c_str());
    return std::string(chosen->backend->name()) == "epoll" && chosen->fallback_reason.find(reason) != std::string::npos;
}

TEST(BackendChoice, TakesEpollWhenAContainerRefusesToMakeARing) {
    EXPECT_TRUE(holds_without(SYS_io_uring_setup, EPERM, [] { return epoll_is_chosen_because("Operation not permitted"); }));
}

TEST(BackendChoice, TakesEpollWhenTheKernelHasNoRings) {
    EXPECT_TRUE(holds_without(SYS_io_uring_setup, ENOSYS, [] { return epoll_is_chosen_because("Function not implemented"); }));
}

TEST(BackendChoice, TakesEpollWhenLockedMemoryIsShort) {
    EXPECT_TRUE(holds_without(SYS_io_uring_setup, ENOMEM, [] { return epoll_is_chosen_because("Cannot allocate memory"); }));
}

TEST(BackendChoice, TakesEpollWhenARingCanBeMadeButNotEntered) {
    EXPECT_TRUE(holds_without(SYS_io_uring_enter, EPERM, [] { return epoll_is_chosen_because("io_uring"); }));
}

TEST(BackendChoice, AnExplicitWishForIoUringIsAnErrorWhenRefused) {
    EXPECT_TRUE(holds_without(SYS_io_uring_setup, EPERM, [] {
        auto bell = Doorbell::make();
        const auto chosen = make_backend(BackendChoice::uring, 1, bell->fd());
        return !chosen && chosen.error().number == EPERM;
    }));
}

TEST(BackendChoice, EpollIsTakenOnRequestWithoutAReason) {
    auto bell = Doorbell::make();
    const auto chosen = make_backend(BackendChoice::epoll, 1, bell->fd());
    ASSERT_TRUE(chosen);
    EXPECT_STREQ(chosen->backend->name(), "epoll");
    EXPECT_TRUE(chosen->fallback_reason.empty());
}

}  // namespace
}  // namespace vigil::io
