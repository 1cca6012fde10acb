#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// `INSTANCE "VI_1" MASTER 150` and a newline: what programs at the other end read. Control characters in a name become '?', so that a name cannot
/// make lines of its own. Pure.
std::string instance_line(std::string_view name, std::string_view state, int priority);
/// `GROUP "VG_1" MASTER 0`. Pure.
std::string group_line(std::string_view name, std::string_view state);
/// `VS [10.0.0.1]:tcp:80 UP`, without the NUL that keepalived writes behind it. Pure.
std::string service_line(std::string_view service, std::string_view state);
/// `RS [10.1.0.1]:tcp:80 [10.0.0.1]:tcp:80 UP`. Pure.
std::string server_line(std::string_view server, std::string_view service, std::string_view state);

struct FifoOwner {
    uid_t uid = 0;
    gid_t gid = 0;

    friend bool operator==(const FifoOwner&, const FifoOwner&) = default;
};

/// What stands at `path` that is no FIFO, for an operator ("is a file"); empty for a FIFO and for nothing.
std::string what_else_is_at(const std::string& path);

/// The writing end of a named pipe. Never waits: what the pipe has no room for is kept up to `backlog_limit` octets, follows as
/// somebody reads, and beyond that whole lines are lost and counted. Control thread.
class Fifo {
public:
    static constexpr std::size_t backlog_limit = 4 * 1024 * 1024;   ///< a line for each of 65,280 routers, twice

    /// Makes the FIFO when there is none (mode 0644 less the umask, owned by `owner` when given) and opens it. Something else at the path is
    /// never opened. The error is a sentence.
    static tl::expected<std::unique_ptr<Fifo>, std::string> open(boost::asio::io_context& io, const std::string& path,
                                                                 std::optional<FifoOwner> owner);
    /// Removes it when we made it and it still is the one that we made.
    ~Fifo();
    Fifo(const Fifo&) = delete;
    Fifo& operator=(const Fifo&) = delete;

    void write(std::string_view line);
    /// As much of what is kept as the pipe takes now; happens by itself while the io_context runs.
    void flush();
    /// False: somebody has removed or replaced what stands at path(), and nobody will read what is written.
    bool is_in_place() const;
    const std::string& path() const { return path_; }
    /// Octets that nobody has read yet, in the pipe and here.
    std::size_t unread_bytes() const;
    /// Of these, those that the pipe has not taken.
    std::size_t kept_bytes() const { return backlog_.size() - written_; }
    /// How many lines were lost since the last call.
    std::uint64_t take_lost_count();

private:
    Fifo(boost::asio::io_context& io, std::string path, io::FileDescriptor fd, bool is_made);
    bool write_now(std::string_view text);
    void wait_for_room();

    std::string path_;
    io::FileDescriptor fd_;
    boost::asio::posix::stream_descriptor descriptor_;   // of fd_, to wait
    bool is_made_;
    std::string backlog_;
    std::size_t written_ = 0;      // of backlog_
    bool is_waiting_ = false;
    std::uint64_t lost_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
