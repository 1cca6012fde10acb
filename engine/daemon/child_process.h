#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>

#include <tl/expected.hpp>

#include "engine/daemon/pid_file.h"

namespace vigil::daemon {

/// What the processes under the supervisor have in common.

/// By what others know a child process.
struct ChildNames {
    std::string pid_file;
    std::string log_suffix;   ///< behind its identity in the log
};

/// Takes the lock of a pid file; waits some seconds for one whose holder is about to end: a child of a killed parent may still be saying goodbye.
tl::expected<PidFile, std::string> acquire_patiently(const std::string& path);

/// Writes one of the signs of supervisor.h; `fd` -1: there is no parent that listens.
void tell_parent(int fd, char sign);

/// Tells the parent once a second that this process's io_context runs.
class Heartbeat {
public:
    Heartbeat(boost::asio::io_context& io, int fd) : timer_(io), fd_(fd) { beat(); }

private:
    void beat();

    boost::asio::steady_timer timer_;
    int fd_;
};

}  // namespace vigil::daemon
