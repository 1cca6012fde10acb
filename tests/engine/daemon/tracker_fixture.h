#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/trackers/tracked_things.h"
#include "tests/engine/daemon/directory_fixture.h"

namespace vigil::daemon {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto patience = 60s;   // nothing here takes that long

/// Trackers at work: real scripts, files and processes, on an event loop that the test turns.
class Running : public DirectoryTest {
protected:
    ~Running() override {
        for (const pid_t pid : children_) {
            ::kill(-pid, SIGKILL);   // they lead groups
            ::waitpid(pid, nullptr, 0);
        }
    }

    static bool is_alive(const std::string& pid) { return !pid.empty() && ::kill(std::stoi(pid), 0) == 0; }

    /// A copy of sleep(1) under a name that nobody else has, running.
    pid_t start_process(const std::string& name, const std::string& argument = "1000") {
        if (!exists(name)) fs::copy_file(fs::canonical("/bin/sleep"), path(name));
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::setpgid(0, 0);
            ::execl(path(name).c_str(), path(name).c_str(), argument.c_str(), nullptr);
            ::_exit(127);
        }
        children_.push_back(pid);
        return pid;
    }
    void end_process(pid_t pid) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        std::erase(children_, pid);
    }

    template <class Condition>
    bool run_until(Condition condition) {
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > give_up) return false;
            io_.restart();
            io_.run_one_for(5ms);
            on_turn();
        }
        return true;
    }
    virtual void on_turn() {}

    const Thing& thing(ThingKind kind, const std::string& name) const { return things_[things_.find(kind, name)]; }

    std::vector<pid_t> children_;
    boost::asio::io_context io_{1};
    TrackedThings things_;
    RateLimiter limiter_;
};

}  // namespace vigil::daemon
