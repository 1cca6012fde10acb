#include "engine/daemon/pid_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

std::string read_text(int fd) {
    std::array<char, 32> buffer{};
    const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
    std::string text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return text.substr(0, text.find_first_not_of("0123456789"));
}

bool is_at(int fd, const std::string& path) {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd, &ours) == 0 && ::lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/// Whether the process that wrote the file still runs. Not so when there is no number.
bool has_living_writer(const std::string& path) {
    const io::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    const int writer = file.is_open() ? std::atoi(read_text(file.get()).c_str()) : 0;
    return writer > 0 && (::kill(writer, 0) == 0 || errno == EPERM);
}

}  // namespace

tl::expected<PidFile, std::string> PidFile::acquire_from_dying(const std::string& path, std::chrono::milliseconds patience) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto file = acquire(path);
        if (file || has_living_writer(path) || std::chrono::steady_clock::now() > give_up) return file;
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

tl::expected<PidFile, std::string> PidFile::acquire(const std::string& path) {
    const std::filesystem::path directory = std::filesystem::path(path).parent_path();
    if (!directory.empty()) ::mkdir(directory.c_str(), 0755);  // what is wrong with it shows when the file is opened
    for (;;) {
        io::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!file.is_open()) return tl::unexpected(fmt::format("cannot open pid file {}: {}", path, std::strerror(errno)));
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
            if (errno != EAGAIN && errno != EACCES) return tl::unexpected(fmt::format("cannot lock pid file {}: {}", path, std::strerror(errno)));
            return tl::unexpected(fmt::format("already running: process {} holds {}", read_text(file.get()), path));
        }
        if (is_at(file.get(), path)) return PidFile(std::move(file), path);
        // Its last holder removed it between our opening it and its giving up the lock: the lock on what is gone is worth nothing.
    }
}

PidFile::~PidFile() {
    // A forked child has a copy of this object, but only the writer removes the file.
    if (file_.is_open() && writer_ == ::getpid()) ::unlink(path_.c_str());
}

void PidFile::write_pid() {
    writer_ = ::getpid();
    const std::string text = fmt::format("{}\n", writer_);
    if (::ftruncate(file_.get(), 0) != 0) return;
    [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), 0);
}

PidFileNames pid_file_names(const std::string& instance, const std::string& net_namespace, bool use_pid_dir) {
    if (instance.empty() && net_namespace.empty() && !use_pid_dir) {
        return {"/run/keepalived.pid", "/run/vrrp.pid", "/run/checkers.pid", "/run/bfd.pid"};
    }
    std::string suffix;
    if (!net_namespace.empty()) suffix += "_" + net_namespace;
    if (!instance.empty()) suffix += "_" + instance;
    const auto name = [&](const char* process) { return fmt::format("/run/keepalived/{}{}.pid", process, suffix); };
    return {name("keepalived"), name("vrrp"), name("checkers"), name("bfd")};
}

}  // namespace vigil::daemon
