#pragma once

#include <chrono>
#include <string>

#include <tl/expected.hpp>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// A pid file held by a lock that ends with its holders (an open file description lock, which a child inherits), so that a
/// file left by a killed run means nothing. Removed by the destructor of the process that wrote the pid.
class PidFile {
public:
    /// Takes the lock without waiting; the error is a sentence for the log ("already running..."). The directory is made when its parent
    /// exists.
    static tl::expected<PidFile, std::string> acquire(const std::string& path);

    /// The same, but a lock whose process has ended is waited for: its children, killed with it, hold the lock until they have ended, too.
    static tl::expected<PidFile, std::string> acquire_from_dying(const std::string& path, std::chrono::milliseconds patience);

    PidFile(PidFile&&) = default;
    PidFile& operator=(PidFile&&) = delete;
    ~PidFile();

    /// Writes this process's number. After daemonising, because the number changes by it.
    void write_pid();

private:
    PidFile(io::FileDescriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

    io::FileDescriptor file_;
    std::string path_;
    int writer_ = 0;
};

/// Which files: keepalived's names, so that its tools and a keepalived running beside find them.
struct PidFileNames {
    std::string parent;
    std::string vrrp;
    std::string checkers;
    std::string bfd;
};
/// `instance` and `net_namespace` are names from the configuration, empty when not used.
PidFileNames pid_file_names(const std::string& instance, const std::string& net_namespace, bool use_pid_dir);

}  // namespace vigil::daemon
