#include "engine/daemon/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

bool write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text << '\n';
    return static_cast<bool>(file.flush());
}

}  // namespace

std::string allow_core_dumps() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_CORE, &limit) != 0) return fmt::format("cannot ask for the limit of core files: {}", std::strerror(errno));
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_CORE, &unlimited) != 0 && ::setrlimit(RLIMIT_CORE, &limit) != 0) {
        return fmt::format("cannot raise the limit of core files: {}", std::strerror(errno));
    }
    ::prctl(PR_SET_DUMPABLE, 1);   // which file capabilities take away
    return {};
}

std::string CorePattern::set(const std::string& pattern) {
    std::ifstream file(file_);
    std::string before;
    std::getline(file, before);
    if (before == pattern) return {};
    if (!write_file(file_, pattern)) return fmt::format("cannot write '{}' to {}: {}", pattern, file_, std::strerror(errno));
    before_ = before;
    owner_ = ::getpid();
    return {};
}

CorePattern::~CorePattern() {
    if (!before_.empty() && owner_ == ::getpid()) write_file(file_, before_);
}

}  // namespace vigil::daemon
