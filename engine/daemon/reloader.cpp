// The parent's part of a reload.
//
// Reading a configuration is the one thing that the parent does not do itself once it runs: a process of its own, the examiner, reads it, tests it when
// reload_check_config asks for that, and sends back the few settings that concern the parent. So the parent neither waits for a parser nor grows by what
// one needs, and a parser that dies takes nobody along.
//
// With reload_check_config the children hear of the reload only when the test had nothing to say, warnings included, which is what keepalived does. Without
// it they hear at once, and the examiner reads beside them.

#include "engine/daemon/reloader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/signals.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds test_patience{60};       // 65,280 instances take less than one
constexpr std::chrono::seconds children_patience{60};   // then another reload may be asked for
constexpr std::chrono::seconds look_period{1};          // at the time file

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
    switch (WEXITSTATUS(status)) {
    case 4: return "says that it cannot run (4)";
    case 6: return "found a script that must not be run (6)";
    default: return fmt::format("has complaints ({})", WEXITSTATUS(status));
    }
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = ::read(fd, buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), static_cast<std::size_t>(size));
    return text;
}

}  // namespace

Reloader::~Reloader() {
    if (!made_file_.empty()) ::unlink(made_file_.c_str());
    if (examiner_ > 0) ::kill(examiner_, SIGKILL);
}

void Reloader::configure(const ReloadSettings& settings) {
    settings_ = settings;
    schedule_.configure(settings.time_file, settings.repeats);
}

void Reloader::request(Clock::time_point now) {
    if (is_under_way()) {
        is_asked_again_ = true;
        return;
    }
    world_.begun();
    if (!settings_.file.empty()) {
        const io::FileDescriptor file(::open(settings_.file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
        if (file.is_open()) made_file_ = settings_.file;
        else spdlog::warn("Cannot make {}: {}", settings_.file, std::strerror(errno));
    }
    if (!settings_.checks_first) {
        start_examiner(false);
        return go_to_children(now);
    }
    phase_ = Phase::testing;
    if (start_examiner(true)) return;
    spdlog::error("The new configuration cannot be tested: keeping the one that runs");
    finish(now);
}

bool Reloader::start_examiner(bool tests) {
    if (!world_.examine) return false;
    std::array<int, 2> pipe{-1, -1};
    if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
    result_ = io::FileDescriptor(pipe[0]);
    io::FileDescriptor write_end(pipe[1]);
    const int pid = ::fork();
    if (pid == 0) become_examiner(std::move(write_end), tests);
    if (pid < 0) return false;
    examiner_ = pid;
    kill_at_ = Clock::now() + test_patience;
    return true;
}

/// The signals stay blocked: whoever wants it to end sends SIGKILL, and the parent's death is SIGKILL too.
void Reloader::become_examiner(io::FileDescriptor result, bool tests) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "vigild_reload");
    result_.reset();
    std::_Exit(world_.examine(tests, settings_.check_log, result.get()));
}

bool Reloader::on_process_end(int pid, int status, Clock::time_point now) {
    if (pid != examiner_ || pid == 0) return false;
    examiner_ = 0;
    const auto settings = read_settings(read_all(result_.get()));
    result_.reset();
    const bool has_passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const bool was_tested = phase_ == Phase::testing;
    if (settings && (has_passed || !was_tested)) {
        configure(settings->reload);
        world_.adopt(*settings);
    }
    if (!was_tested) return true;
    if (has_passed) {
        go_to_children(now);
        return true;
    }
    spdlog::error("The test of the new configuration {}: keeping the one that runs{}", describe_end(status),
                  settings_.check_log.empty() ? "; vigild -t says why" : ", see " + settings_.check_log);
    finish(now);
    return true;
}

void Reloader::go_to_children(Clock::time_point now) {
    phase_ = Phase::children;
    give_up_ = now + children_patience;
    world_.tell_children();
}

void Reloader::children_done(Clock::time_point now) {
    if (phase_ == Phase::children) finish(now);
}

void Reloader::finish(Clock::time_point now) {
    phase_ = Phase::idle;
    if (!made_file_.empty() && ::unlink(made_file_.c_str()) != 0 && errno != ENOENT) spdlog::warn("Cannot remove {}: {}", made_file_, std::strerror(errno));
    made_file_.clear();
    world_.finished();
    if (std::exchange(is_asked_again_, false)) request(now);
}

void Reloader::tick(Clock::time_point now, std::time_t wall_clock) {
    if (examiner_ != 0 && now >= kill_at_) {
        ::kill(examiner_, SIGKILL);   // on_process_end() follows
        kill_at_ = now + test_patience;
    }
    if (phase_ == Phase::children && now >= give_up_) finish(now);
    if (!schedule_.is_waiting() || now < look_at_) return;
    look_at_ = now + look_period;
    if (!schedule_.is_due(wall_clock)) return;
    spdlog::info("It is the time that {} says: reloading", settings_.time_file);
    request(now);
}

std::optional<Reloader::Clock::time_point> Reloader::next() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point at) { next = next ? std::min(*next, at) : at; };
    if (examiner_ != 0) consider(kill_at_);
    if (phase_ == Phase::children) consider(give_up_);
    if (schedule_.is_waiting()) consider(look_at_);
    return next;
}

}  // namespace vigil::daemon
