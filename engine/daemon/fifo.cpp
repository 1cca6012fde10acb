// A named pipe that others read.
//
// It is opened for reading and writing, so that opening waits for nobody, and a reader that goes away and comes back finds what was written
// meanwhile, as far as the pipe holds it: 64 KiB, 2,000 lines. When thousands of routers change state together a shell script at the other end
// is slower than that; so what does not fit is kept here and follows as the reader makes room. Nobody reading at all looks the same, and
// ends at the backlog's limit: then the newest lines are lost, counted, and the count is logged by whoever owns this.
//
// Every write() is of whole lines and at most PIPE_BUF octets, which the kernel takes whole or not at all: a reader sees no half line.
//
// What is at the path is looked at without opening it (O_PATH): opening a device may rewind a tape or start a watchdog. The FIFO that was looked at
// is the one that is opened, through its /proc name, whatever somebody puts at the path in between.

#include "engine/daemon/fifo.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "engine/daemon/presentable.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_name = 1024;   // a line is far below PIPE_BUF

std::string short_name(std::string_view name) { return presentable(name.substr(0, longest_name)); }

std::string_view kind_of(mode_t mode) {
    if (S_ISREG(mode)) return "is a file";
    if (S_ISDIR(mode)) return "is a directory";
    if (S_ISSOCK(mode)) return "is a socket";
    if (S_ISCHR(mode) || S_ISBLK(mode)) return "is a device";
    return "is something else";
}

std::string not_a_fifo(const std::string& path, const std::string& what) { return fmt::format("'{}' {}, not a FIFO", path, what); }

}  // namespace

std::string instance_line(std::string_view name, std::string_view state, int priority) {
    return fmt::format("INSTANCE \"{}\" {} {}\n", short_name(name), state, priority);
}

std::string group_line(std::string_view name, std::string_view state) {
    return fmt::format("GROUP \"{}\" {} 0\n", short_name(name), state);
}

std::string service_line(std::string_view service, std::string_view state) { return fmt::format("VS {} {}\n", short_name(service), state); }

std::string server_line(std::string_view server, std::string_view service, std::string_view state) {
    return fmt::format("RS {} {} {}\n", short_name(server), short_name(service), state);
}

std::string what_else_is_at(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || S_ISFIFO(found.st_mode)) return {};
    return std::string(kind_of(found.st_mode));
}

tl::expected<std::unique_ptr<Fifo>, std::string> Fifo::open(boost::asio::io_context& io, const std::string& path, std::optional<FifoOwner> owner) {
    const auto fail = [&](const char* what) { return tl::unexpected(fmt::format("cannot {} '{}': {}", what, path, std::strerror(errno))); };
    const bool is_made = ::mkfifo(path.c_str(), 0644) == 0;
    if (!is_made && errno != EEXIST) return fail("make the FIFO");
    // What we made is no link; one that an operator made may well be reached through a link.
    const io::FileDescriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC | (is_made ? O_NOFOLLOW : 0)));
    if (!place.is_open()) return fail("look at");
    struct stat found {};
    if (::fstat(place.get(), &found) != 0) return fail("look at");
    if (!S_ISFIFO(found.st_mode)) return tl::unexpected(not_a_fifo(path, std::string(kind_of(found.st_mode))));
    io::FileDescriptor fd(::open(fmt::format("/proc/self/fd/{}", place.get()).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd.is_open()) return fail("open the FIFO");
    if (is_made && owner && ::fchown(fd.get(), owner->uid, owner->gid) != 0) {   // once it is open, which needs its mode
        const int error = errno;
        ::unlink(path.c_str());
        errno = error;
        return fail("give its owner the FIFO");
    }
    return std::unique_ptr<Fifo>(new Fifo(io, path, std::move(fd), is_made));
}

Fifo::Fifo(boost::asio::io_context& io, std::string path, io::FileDescriptor fd, bool is_made)
    : path_(std::move(path)), fd_(std::move(fd)), descriptor_(io, fd_.get()), is_made_(is_made) {}

Fifo::~Fifo() {
    *alive_ = false;
    descriptor_.release();
    if (is_made_ && is_in_place()) ::unlink(path_.c_str());
}

bool Fifo::is_in_place() const {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd_.get(), &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void Fifo::write(std::string_view line) {
    if (backlog_.empty() && write_now(line)) return;
    if (kept_bytes() + line.size() > backlog_limit) {
        ++lost_;
        return;
    }
    backlog_ += line;
    wait_for_room();
}

bool Fifo::write_now(std::string_view text) {
    return ::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void Fifo::wait_for_room() {
    if (std::exchange(is_waiting_, true)) return;
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_write, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        is_waiting_ = false;
        flush();
    });
}

void Fifo::flush() {
    while (written_ < backlog_.size()) {
        const std::string_view rest = std::string_view(backlog_).substr(written_);
        const std::string_view chunk = rest.size() <= PIPE_BUF ? rest : rest.substr(0, rest.rfind('\n', PIPE_BUF - 1) + 1);
        if (!write_now(chunk)) {
            if (written_ > backlog_limit / 2) {
                backlog_.erase(0, written_);
                written_ = 0;
            }
            return wait_for_room();
        }
        written_ += chunk.size();
    }
    backlog_ = std::string();
    written_ = 0;
}

std::size_t Fifo::unread_bytes() const {
    int in_pipe = 0;
    ::ioctl(fd_.get(), FIONREAD, &in_pipe);
    return static_cast<std::size_t>(in_pipe) + kept_bytes();
}

std::uint64_t Fifo::take_lost_count() { return std::exchange(lost_, 0); }

}  // namespace vigil::daemon
