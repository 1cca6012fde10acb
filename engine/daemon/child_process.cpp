#include "engine/daemon/child_process.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"

namespace vigil::daemon {

namespace {

constexpr std::chrono::milliseconds pid_file_patience{3000};

}  // namespace

tl::expected<PidFile, std::string> acquire_patiently(const std::string& path) {
    const auto give_up = std::chrono::steady_clock::now() + pid_file_patience;
    for (;;) {
        auto file = PidFile::acquire(path);
        if (file || is_end_pending() || std::chrono::steady_clock::now() > give_up) return file;
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

void tell_parent(int fd, char sign) {
    if (fd < 0) return;
    [[maybe_unused]] const ssize_t written = ::write(fd, &sign, 1);
}

void Heartbeat::beat() {
    if (fd_ < 0) return;
    tell_parent(fd_, sign_of_life);
    timer_.expires_after(std::chrono::seconds{1});
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) beat();
    });
}

}  // namespace vigil::daemon
