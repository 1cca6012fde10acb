#include "engine/daemon/thread_list.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

const char* state_name(char letter) {
    switch (letter) {
    case 'R': return "running";
    case 'S': return "sleeping";
    case 'D': return "waiting for a device";
    case 'T':
    case 't': return "stopped";
    default: return "ending";
    }
}

/// "sleeping, 0.12 s of CPU" from /proc/PID/task/TID/stat: behind the name in parentheses come the state and, as the 12th and 13th word from there,
/// the ticks in user and kernel mode (proc(5)).
std::string describe_stat(const std::string& stat) {
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos) return "gone";
    std::istringstream words(stat.substr(end + 1));
    char state = '?';
    words >> state;
    unsigned long long user = 0;
    unsigned long long system = 0;
    std::string skipped;
    for (int i = 0; i < 10; ++i) words >> skipped;
    words >> user >> system;
    return fmt::format("{}, {:.2f} s of CPU", state_name(state), static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

std::string describe_schedule(int thread) {
    sched_param parameters{};
    const int policy = ::sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK;
    if ((policy != SCHED_RR && policy != SCHED_FIFO) || ::sched_getparam(thread, &parameters) != 0) return {};
    return fmt::format(", real-time priority {}", parameters.sched_priority);
}

}  // namespace

void log_threads() {
    std::vector<std::string> lines;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
        const std::string number = entry.path().filename();
        lines.push_back(fmt::format("thread {} {}: {}{}", number, first_line(entry.path() / "comm"), describe_stat(first_line(entry.path() / "stat")),
                                    describe_schedule(std::stoi(number))));
    }
    std::sort(lines.begin(), lines.end());
    for (const std::string& line : lines) spdlog::info(line);
}

}  // namespace vigil::daemon
