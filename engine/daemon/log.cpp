// Where log lines go: stderr (-l), syslog (unless -G), a file (-g).
//
// All three are written without waiting. A gateway has failed over because its log disc was slow, so losing a log line, which is
// counted and told, is the better choice. stderr and files are asked with poll() first and get at most one page at a time, which a
// pipe that polls writable takes whole; syslog is a non-blocking datagram socket. A log file on a hung disc is the exception that nothing in
// user space can cure: it is opt-in, and only the control thread would wait for it, never the one that sends adverts.

#include "engine/daemon/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <ctime>

#include <spdlog/sinks/base_sink.h>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t line_limit = 4096;  // PIPE_BUF: a pipe that polls writable has this much room

/// Counts what could not be written, and says so in front of the next line that can.
class LossySink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
protected:
    void sink_it_(const spdlog::details::log_msg& message) final {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        if (line.size() > line_limit) {
            line.resize(line_limit);
            line[line_limit - 1] = '\n';
        }
        replace_control_characters(line);
        if (lost_ > 0) {
            const std::string text = fmt::format("{} log lines were lost because this log was not read quickly enough", lost_);
            spdlog::memory_buf_t notice;
            formatter_->format(spdlog::details::log_msg("", spdlog::level::warn, text), notice);
            if (!write({notice.data(), notice.size()}, spdlog::level::warn)) {
                ++lost_;
                return;
            }
            lost_ = 0;
        }
        if (!write({line.data(), line.size()}, message.level)) ++lost_;
    }
    void flush_() final {}
    virtual bool write(std::string_view line, spdlog::level::level_enum level) = 0;

private:
    /// A configuration file or an error text may hold anything; a terminal must not obey it.
    static void replace_control_characters(spdlog::memory_buf_t& line) {
        for (std::size_t i = 0; i + 1 < line.size(); ++i) {
            const auto octet = static_cast<unsigned char>(line[i]);
            if (octet < 0x20 || octet == 0x7f) line[i] = octet == '\t' ? ' ' : '?';
        }
    }

    std::uint64_t lost_ = 0;
};

class FileSink final : public LossySink {
public:
    explicit FileSink(int fd) : fd_(fd) {}

private:
    bool write(std::string_view line, spdlog::level::level_enum) override {
        pollfd ready{fd_, POLLOUT, 0};
        if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
        return ::write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    }
    int fd_;
};

int severity(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::critical: return 2;
    case spdlog::level::err: return 3;
    case spdlog::level::warn: return 4;
    case spdlog::level::info: return 6;
    default: return 7;
    }
}

/// RFC 3164 datagrams to /dev/log. The socket is made anew when syslog was restarted, at most once a second.
class SyslogSink final : public LossySink {
public:
    SyslogSink(std::string path, std::string identity, int facility) : path_(std::move(path)), identity_(std::move(identity)), facility_(facility) {}

private:
    bool write(std::string_view line, spdlog::level::level_enum level) override {
        const auto now = std::chrono::steady_clock::now();
        if (!socket_.is_open() && (now < next_attempt_ || !connect())) {
            next_attempt_ = std::max(next_attempt_, now + std::chrono::seconds{1});
            return false;
        }
        if (line.ends_with('\n')) line.remove_suffix(1);
        const std::time_t seconds = std::time(nullptr);
        std::tm local{};
        localtime_r(&seconds, &local);
        char stamp[32];
        std::strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &local);
        const std::string datagram = fmt::format("<{}>{} {}[{}]: {}", facility_ * 8 + severity(level), stamp, identity_, ::getpid(), line);
        if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
        if (errno != EAGAIN && errno != ENOBUFS) socket_.reset();  // syslog went away
        return false;
    }
    bool connect() {
        socket_ = io::FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
        socket_.reset();
        return false;
    }

    std::string path_;
    std::string identity_;
    int facility_;
    io::FileDescriptor socket_;
    std::chrono::steady_clock::time_point next_attempt_{};
};

}  // namespace

std::string log_file_of(const std::string& file, std::string_view suffix) {
    if (file.empty()) return {};
    const std::size_t slash = file.rfind('/');
    const std::size_t dot = file.rfind('.');
    const bool has_dot = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    const std::size_t place = has_dot ? dot : file.size();
    return fmt::format("{}{}{}", file.substr(0, place), suffix, file.substr(place));
}

void start_log(const LogSettings& settings) {
    std::vector<spdlog::sink_ptr> sinks;
    const auto add_stream = [&](int fd) {
        sinks.push_back(std::make_shared<FileSink>(fd));
        sinks.back()->set_pattern("%a %b %d %H:%M:%S %Y: %v");
    };
    if (settings.to_console) add_stream(STDERR_FILENO);
    int file_error = 0;
    if (!settings.file.empty()) {
        // Stays open as long as the process: the logger may be used until exit.
        const int fd = ::open(settings.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0644);
        if (fd >= 0) add_stream(fd);
        else file_error = errno;
    }
    if (settings.to_syslog) {
        sinks.push_back(std::make_shared<SyslogSink>(settings.syslog_socket, settings.identity, settings.facility));
        sinks.back()->set_pattern("%v");
    }
    auto logger = std::make_shared<spdlog::logger>("", sinks.begin(), sinks.end());
    logger->set_level(settings.detail == 0   ? spdlog::level::info
                      : settings.detail == 1 ? spdlog::level::debug
                                             : spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    if (file_error != 0) spdlog::warn("Cannot log to {}: {}", settings.file, std::strerror(file_error));
}

}  // namespace vigil::daemon
