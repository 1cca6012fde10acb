#include "engine/daemon/checkers_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "engine/daemon/exit_code.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t own_words = 6;   // the rest are vigild's

std::string program_path() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string("/usr/sbin/vigil-checkers") : (self.parent_path() / "vigil-checkers").string();
}

bool read_descriptor(const std::string& word, int& fd) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), fd);
    return error == std::errc{} && end == word.data() + word.size() && fd >= -1;
}

void keep_over_exec(int fd) {
    if (fd >= 0) ::fcntl(fd, F_SETFD, 0);
}

}  // namespace

int become_checkers_program(const CheckersStart& start) {
    std::vector<std::string> words{program_path(),         std::to_string(start.ready_fd), std::to_string(start.bfd_fd), start.names.pid_file,
                                   start.names.log_suffix, start.process_name,             start.directory};
    words.insert(words.end(), start.arguments.begin(), start.arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    keep_over_exec(start.ready_fd);
    keep_over_exec(start.bfd_fd);
    ::execv(pointers.front(), pointers.data());
    spdlog::error("Cannot run {}: {}. No real server is checked; it belongs beside vigild", words.front(), std::strerror(errno));
    return exit_fatal;
}

bool read_checkers_start(const std::vector<std::string>& words, CheckersStart& start) {
    if (words.size() < own_words || !read_descriptor(words[0], start.ready_fd) || !read_descriptor(words[1], start.bfd_fd)) return false;
    start.names = {words[2], words[3]};
    start.process_name = words[4];
    start.directory = words[5];
    start.arguments.assign(words.begin() + own_words, words.end());
    return true;
}

}  // namespace vigil::daemon
