#include "engine/daemon/interface_health.h"

#include <gtest/gtest.h>

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two interfaces: eth0 with delays of 1 s and 3 s, eth1 that is polled. Time begins at 100 s.
class InterfaceHealthTest : public testing::Test {
protected:
    void SetUp() override {
        definitions_.delays = {{"eth0", seconds{1}, seconds{3}, {}}};
        definitions_.polled = {{"eth1", config::LinkProbe::ethtool, {}}};
        health_.configure(definitions_);
        health_.listen([this](const std::string& name) { changed_ += name + " "; });
    }

    static arp::kernel::LinkState state(const std::string& name, bool is_running, bool is_up = true) {
        arp::kernel::LinkState link;
        link.index = name == "eth0" ? 2 : 3;
        link.name = name;
        link.is_up = is_up;
        link.is_running = is_running;
        return link;
    }
    static Instant at(milliseconds since_begin) { return Instant{100'000'000'000} + since_begin; }
    /// The kernel says so; what does it count for?
    bool note(const std::string& name, bool is_running, milliseconds when, bool is_set_up = true) {
        health_.note(state(name, is_running, is_set_up), at(when));
        return health_.is_up(state(name, is_running, is_set_up));
    }

    boost::asio::io_context io_;
    std::optional<bool> answer_ = true;
    std::optional<config::LinkProbe> asked_first_;
    int questions_ = 0;
    InterfaceHealth health_{io_, [this](const std::string&, std::optional<config::LinkProbe> first) {
        ++questions_;
        asked_first_ = first;
        return answer_;
    }};
    config::InterfaceDefinitions definitions_;
    std::string changed_;
};

TEST_F(InterfaceHealthTest, WithoutAWordAboutItAnInterfaceIsWhatTheKernelSays) {
    EXPECT_TRUE(note("eth7", true, seconds{0}));
    EXPECT_FALSE(note("eth7", false, seconds{0}));
    EXPECT_FALSE(note("eth7", true, seconds{0}, false));
    EXPECT_EQ(questions_, 0);
}

TEST_F(InterfaceHealthTest, TheFirstWordCountsAtOnce) { EXPECT_FALSE(note("eth0", false, seconds{0})); }

TEST_F(InterfaceHealthTest, AChangeCountsWhenItHasLasted) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{10}));
    EXPECT_TRUE(note("eth0", false, milliseconds{10'999}));
    EXPECT_FALSE(note("eth0", false, seconds{11}));
    EXPECT_FALSE(note("eth0", true, seconds{20}));
    EXPECT_FALSE(note("eth0", true, milliseconds{22'999}));
    EXPECT_TRUE(note("eth0", true, seconds{23}));
}

TEST_F(InterfaceHealthTest, AFlapWithinTheDelayChangesNothingAndBeginsItAnew) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{10}));
    EXPECT_TRUE(note("eth0", true, milliseconds{10'900}));
    EXPECT_TRUE(note("eth0", false, seconds{11}));
    EXPECT_TRUE(note("eth0", false, milliseconds{11'999}));
    EXPECT_FALSE(note("eth0", false, seconds{12}));
}

TEST_F(InterfaceHealthTest, TheTimerTellsWhenADelayIsOver) {
    definitions_.delays = {{"eth0", milliseconds{1}, milliseconds{1}, {}}};
    health_.configure(definitions_);
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{0}));
    EXPECT_EQ(io_.run_one(), 1u);
    EXPECT_EQ(changed_, "eth0 ");
    EXPECT_FALSE(health_.is_up(state("eth0", false)));
    EXPECT_EQ(io_.poll(), 0u);   // nothing else is waited for
}

TEST_F(InterfaceHealthTest, AFlapThatIsOverStopsTheTimer) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{1}));
    EXPECT_TRUE(note("eth0", true, seconds{1}));
    while (io_.run_one() != 0) {
    }
    EXPECT_EQ(changed_, "");
}

TEST_F(InterfaceHealthTest, WhatIsGoneIsDownAtOnceAndWaitsWhenItIsBack) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    health_.note_gone("eth0");
    EXPECT_FALSE(health_.is_up(state("eth0", true)));
    EXPECT_FALSE(note("eth0", true, seconds{10}));
    EXPECT_TRUE(note("eth0", true, seconds{13}));
}

TEST_F(InterfaceHealthTest, ThePollWinsOverTheKernelsRunning) {
    EXPECT_TRUE(note("eth1", false, seconds{0}));
    EXPECT_EQ(asked_first_, config::LinkProbe::ethtool);
    EXPECT_FALSE(note("eth1", true, seconds{0}, false));   // but not over the administrator
    EXPECT_TRUE(note("eth1", true, seconds{0}));
    answer_ = false;
    EXPECT_TRUE(note("eth1", true, seconds{0}));           // which asks nobody
    health_.poll(at(seconds{1}));
    EXPECT_EQ(changed_, "eth1 ");
    EXPECT_FALSE(health_.is_up(state("eth1", true)));
    health_.poll(at(seconds{2}));
    EXPECT_EQ(changed_, "eth1 ");
    answer_ = true;
    health_.poll(at(seconds{3}));
    EXPECT_EQ(changed_, "eth1 eth1 ");
}

TEST_F(InterfaceHealthTest, OneThatCannotBeAskedIsWhatTheKernelSays) {
    answer_ = std::nullopt;
    EXPECT_FALSE(note("eth1", false, seconds{0}));
    EXPECT_TRUE(note("eth1", true, seconds{0}));
    EXPECT_EQ(questions_, 1);
    health_.poll(at(seconds{1}));
    EXPECT_EQ(questions_, 2);
    EXPECT_EQ(changed_, "");
}

TEST_F(InterfaceHealthTest, APollWaitsForTheDelayToo) {
    definitions_.delays.push_back({"eth1", seconds{2}, seconds{0}, {}});
    health_.configure(definitions_);
    EXPECT_TRUE(note("eth1", true, seconds{0}));
    answer_ = false;
    health_.poll(at(seconds{1}));
    EXPECT_TRUE(health_.is_up(state("eth1", true)));
    health_.poll(at(seconds{2}));
    EXPECT_EQ(changed_, "");
    health_.poll(at(seconds{3}));
    EXPECT_EQ(changed_, "eth1 ");
    answer_ = true;
    health_.poll(at(seconds{4}));   // no delay upwards
    EXPECT_EQ(changed_, "eth1 eth1 ");
}

TEST_F(InterfaceHealthTest, AReloadLeavesARunningDelayAlone) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{10}));
    health_.configure(definitions_);
    EXPECT_TRUE(note("eth0", false, milliseconds{10'500}));
    EXPECT_FALSE(note("eth0", false, seconds{11}));
}

TEST_F(InterfaceHealthTest, AReloadWithAnotherDelayBeginsItAnewAndWithoutOneEndsIt) {
    EXPECT_TRUE(note("eth0", true, seconds{0}));
    EXPECT_TRUE(note("eth0", false, seconds{10}));
    definitions_.delays = {{"eth0", seconds{5}, seconds{3}, {}}};
    health_.configure(definitions_);
    EXPECT_TRUE(note("eth0", false, seconds{11}));
    EXPECT_TRUE(note("eth0", false, milliseconds{15'999}));
    definitions_.delays.clear();
    health_.configure(definitions_);
    EXPECT_FALSE(note("eth0", false, seconds{16}));
}

TEST_F(InterfaceHealthTest, PollingAllAsksAboutEveryInterfaceThatIsUsed) {
    definitions_ = {};
    definitions_.polls_all = true;
    health_.configure(definitions_);
    EXPECT_TRUE(note("eth5", false, seconds{0}));
    answer_ = false;
    health_.poll(at(seconds{1}));
    EXPECT_EQ(changed_, "eth5 ");
}

}  // namespace
}  // namespace vigil::daemon
