#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

#include "engine/io/fast_loop.h"
#include "tests/engine/io/fake_engine.h"

namespace vigil::io {

using FakeLoop = BasicFastLoop<FakeEngine>;

/// Both backends, for INSTANTIATE_TEST_SUITE_P.
inline std::string backend_name(const testing::TestParamInfo<BackendChoice>& info) {
    return info.param == BackendChoice::uring ? "uring" : "epoll";
}

/// Waits by condition, not by time: the limit only ends a test that has failed.
inline constexpr int generous_ms = 20'000;

/// A loop with a fake engine and its channel; start() runs it in a thread of its own. The test is the control thread.
struct LoopRunner {
    FakeEngine engine;
    std::unique_ptr<ControlChannel> channel;
    std::unique_ptr<FakeLoop> loop;
    std::thread thread;
    std::string refusal;   ///< why the backend cannot be had here

    explicit LoopRunner(BackendChoice choice, LoopOptions options = {}, ChannelCapacity capacity = {.links = 4, .routers = 1}) {
        channel = ControlChannel::make(capacity).value();
        auto chosen = make_backend(choice, options.link_count, channel->to_fast().fd());
        if (!chosen) {
            refusal = chosen.error().text();
            return;
        }
        loop = std::make_unique<FakeLoop>(engine, *channel, std::move(chosen->backend), options, nullptr);
    }
    ~LoopRunner() { stop(); }

    void start() {
        thread = std::thread([this] { EXPECT_TRUE(loop->run()); });
    }
    /// Runs in this thread until stopped, for what was prepared before.
    void run_to_the_end() {
        channel->request_stop();
        EXPECT_TRUE(loop->run());
    }
    void stop() {
        if (!thread.joinable()) return;
        channel->request_stop();
        thread.join();
    }
    /// Fetches events until `is_enough` says so of one; false when the time limit ended it.
    template <class Predicate>
    bool wait_for_event(Predicate is_enough) {
        return wait([&] {
            while (const auto event = channel->next_event()) {
                if (is_enough(*event)) return true;
            }
            return false;
        });
    }
    /// Waits for something that rings the control thread.
    template <class Condition>
    bool wait(Condition holds) {
        for (;;) {
            channel->arm();
            if (holds()) return true;
            pollfd poller{channel->event_fd(), POLLIN, 0};
            if (::poll(&poller, 1, generous_ms) <= 0) return false;
            channel->clear_event_fd();
        }
    }
};

}  // namespace vigil::io
