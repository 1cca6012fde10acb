#pragma once

#include <string>

namespace vigil::daemon {

/// Lets this process and its children leave core files, as long as the hard limit allows. The error is a sentence, empty for success.
std::string allow_core_dumps();

/// The name of core files, which is the host's: another one while the object lives. Only the process that made it puts the old one back.
class CorePattern {
public:
    /// `file`: /proc/sys/kernel/core_pattern, but for tests.
    explicit CorePattern(std::string file = "/proc/sys/kernel/core_pattern") : file_(std::move(file)) {}
    CorePattern(const CorePattern&) = delete;
    CorePattern& operator=(const CorePattern&) = delete;
    ~CorePattern();

    /// The error is a sentence, empty for success.
    std::string set(const std::string& pattern);

private:
    std::string file_;
    std::string before_;   // empty: nothing to put back
    int owner_ = 0;
};

}  // namespace vigil::daemon
