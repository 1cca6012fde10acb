// The end of the BFD process's news in the VRRP process, over a real socket pair.

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <array>

#include "engine/daemon/trackers/bfd_tracker.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

using bfd::State;
using bfd::StateMessage;

class BfdNews : public ::testing::Test {
protected:
    BfdNews() {
        std::array<int, 2> ends{-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
        process_ = io::FileDescriptor(ends[0]);
        ours_ = io::FileDescriptor(ends[1]);
        tracker_.emplace(io_, things_, ours_.get());
    }
    /// As the BFD process (or the parent) writes it, and read.
    void tell(const StateMessage& message) {
        std::array<std::uint8_t, StateMessage::longest> buffer{};
        const auto octets = bfd::write_message(message, buffer);
        ASSERT_EQ(::send(process_.get(), octets.data(), octets.size(), MSG_DONTWAIT), static_cast<ssize_t>(octets.size()));
        io_.restart();
        io_.poll();
    }
    void tell(const char* name, State state) { tell({StateMessage::Kind::state, bfd::SessionName(name), state, bfd::Diagnostic::none}); }
    std::optional<StateMessage> heard() {
        std::array<std::uint8_t, StateMessage::longest> buffer{};
        const ssize_t size = ::recv(process_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0) return std::nullopt;
        return bfd::read_message({buffer.data(), static_cast<std::size_t>(size)});
    }
    const Thing& thing(const char* name) { return things_[things_.find(ThingKind::bfd, name)]; }

    boost::asio::io_context io_;
    TrackedThings things_;
    io::FileDescriptor process_;
    io::FileDescriptor ours_;
    std::optional<BfdTracker> tracker_;
};

TEST_F(BfdNews, AnythingIsDownBeforeItIsToldOf) {
    tracker_->configure({"peer"});
    EXPECT_TRUE(thing("peer").is_known);
    EXPECT_FALSE(thing("peer").is_up);
    EXPECT_FALSE(thing("peer").is_ignored);
}

TEST_F(BfdNews, OnlyUpIsUp) {
    tracker_->configure({"peer"});
    for (const State state : {State::down, State::init, State::admin_down}) {
        tell("peer", State::up);
        EXPECT_TRUE(thing("peer").is_up);
        tell("peer", state);
        EXPECT_FALSE(thing("peer").is_up);
    }
}

TEST_F(BfdNews, NewNamesAreAskedFor) {
    EXPECT_FALSE(heard());
    tracker_->configure({"peer"});
    ASSERT_TRUE(heard().has_value());
    tracker_->configure({"peer"});
    EXPECT_FALSE(heard());            // nothing new
    tracker_->configure({"peer", "other"});
    EXPECT_EQ(heard()->kind, StateMessage::Kind::ask);
}

TEST_F(BfdNews, WhatStaysKeepsItsStateAndWhatGoesIsGone) {
    tracker_->configure({"peer", "other"});
    tell("peer", State::up);
    const ThingIndex before = things_.find(ThingKind::bfd, "peer");
    tracker_->configure({"peer"});
    EXPECT_EQ(things_.find(ThingKind::bfd, "peer"), before);
    EXPECT_TRUE(thing("peer").is_up);
    EXPECT_EQ(things_.find(ThingKind::bfd, "other"), ThingIndex::none);
    tell("other", State::up);         // comes late
    EXPECT_EQ(things_.find(ThingKind::bfd, "other"), ThingIndex::none);
}

TEST_F(BfdNews, TheEndOfTheProcessIsTheEndOfAllSessions) {
    tracker_->configure({"peer", "other"});
    tell("peer", State::up);
    tell("other", State::up);
    tell({StateMessage::Kind::reset, {}, State::down, bfd::Diagnostic::none});
    EXPECT_FALSE(thing("peer").is_up);
    EXPECT_FALSE(thing("other").is_up);
}

TEST_F(BfdNews, ManyAtOnceAreAllRead) {
    tracker_->configure({"peer"});
    std::array<std::uint8_t, StateMessage::longest> buffer{};
    int sent = 0;
    for (; sent < 5000; ++sent) {
        const auto octets = bfd::write_message({StateMessage::Kind::state, bfd::SessionName("peer"), State::down, bfd::Diagnostic::none}, buffer);
        if (::send(process_.get(), octets.data(), octets.size(), MSG_DONTWAIT) < 0) break;
    }
    EXPECT_GT(sent, 100);             // the pair is full
    io_.poll();
    tell("peer", State::up);
    EXPECT_TRUE(thing("peer").is_up);
}

TEST_F(BfdNews, NoiseIsPassedOver) {
    tracker_->configure({"peer"});
    ASSERT_EQ(::send(process_.get(), "noise", 5, MSG_DONTWAIT), 5);
    tell("peer", State::up);
    EXPECT_TRUE(thing("peer").is_up);
}

TEST(BfdWithoutProcess, ASessionIsAsIfNobodyTrackedIt) {
    boost::asio::io_context io;
    TrackedThings things;
    BfdTracker tracker(io, things, -1);
    tracker.configure({"peer"});
    EXPECT_TRUE(things[things.find(ThingKind::bfd, "peer")].is_ignored);
}

}  // namespace
}  // namespace vigil::daemon
