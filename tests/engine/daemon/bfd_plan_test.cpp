// From bfd_instance blocks to sessions, and from one configuration to the next: pure.

#include <gtest/gtest.h>

#include "config/load.h"
#include "engine/bfd/io/session_loop.h"
#include "engine/daemon/bfd_plan.h"

namespace vigil::daemon {
namespace {

using bfd::Microseconds;

std::vector<bfd::SessionSpec> specs_of(const std::string& text) {
    std::vector<bfd::SessionSpec> specs;
    for (const config::BfdInstance& instance : config::load_text("test.conf", text).configuration.bfd_instances) specs.push_back(session_spec(instance));
    return specs;
}

std::string block(const std::string& name, const std::string& neighbor, const std::string& lines = {}) {
    return "bfd_instance " + name + " {\nneighbor_ip " + neighbor + "\n" + lines + "\n}\n";
}

std::string names(const std::vector<bfd::SessionSpec>& specs) {
    std::string text;
    for (const bfd::SessionSpec& spec : specs) text += (text.empty() ? "" : " ") + std::string(spec.name.view());
    return text;
}

TEST(BfdPlan, ASessionIsWhatItsBlockSays) {
    const auto spec = specs_of(block("far", "2001:db8::2", "source_ip 2001:db8::1\nmin_tx 20\nmin_rx 30.5\nidle_tx 1500\nmultiplier 7\npassive\nmultihop\nttl 99\n"
                                                           "max_hops -1\nchecker")).at(0);
    EXPECT_EQ(spec.name.view(), "far");
    EXPECT_EQ(to_string(spec.neighbor), "2001:db8::2");
    EXPECT_EQ(to_string(*spec.source), "2001:db8::1");
    EXPECT_EQ(spec.settings.min_tx, Microseconds{20'000});
    EXPECT_EQ(spec.settings.min_rx, Microseconds{30'500});
    EXPECT_EQ(spec.settings.idle_tx, Microseconds{1'500'000});
    EXPECT_EQ(spec.settings.multiplier, 7);
    EXPECT_TRUE(spec.settings.is_passive);
    EXPECT_TRUE(spec.is_multihop);
    EXPECT_EQ(spec.ttl, 99);
    EXPECT_EQ(spec.max_hops, bfd::SessionSpec::any_hops);
    EXPECT_FALSE(spec.tells_vrrp);
    EXPECT_TRUE(spec.tells_checkers);
}

TEST(BfdPlan, ADifferenceHasOnlyWhatDiffers) {
    const auto before = specs_of(block("same", "192.0.2.2") + block("gone", "192.0.2.3") + block("faster", "192.0.2.4"));
    const auto now = specs_of(block("new", "192.0.2.9") + block("faster", "192.0.2.4", "min_tx 5") + block("same", "192.0.2.2"));
    const SessionChanges changes = compare_sessions(before, now);
    EXPECT_EQ(names(changes.removed), "gone");
    EXPECT_EQ(names(changes.changed), "faster");
    EXPECT_EQ(changes.changed.at(0).settings.min_tx, Microseconds{5'000});
    EXPECT_EQ(names(changes.added), "new");
    EXPECT_TRUE(compare_sessions(now, now).is_empty());
}

TEST(BfdPlan, WhatItsSocketHangsOnMakesAnotherSession) {
    const auto before = specs_of(block("peer", "192.0.2.2"));
    for (const std::string& lines : {std::string("multihop"), std::string("ttl 64"), std::string("source_ip 192.0.2.1")}) {
        const SessionChanges changes = compare_sessions(before, specs_of(block("peer", "192.0.2.2", lines)));
        EXPECT_EQ(names(changes.removed), "peer") << lines;
        EXPECT_EQ(names(changes.added), "peer") << lines;
    }
    EXPECT_EQ(names(compare_sessions(before, specs_of(block("peer", "192.0.2.7"))).removed), "peer");
    EXPECT_EQ(names(compare_sessions(before, specs_of(block("peer", "192.0.2.2", "max_hops 4\npassive\nchecker"))).changed), "peer");
}

TEST(BfdPlan, ANeighborMayMoveToAnotherName) {
    const SessionChanges changes = compare_sessions(specs_of(block("one", "192.0.2.2")), specs_of(block("two", "192.0.2.2")));
    EXPECT_EQ(names(changes.removed), "one");
    EXPECT_EQ(names(changes.added), "two");
}

TEST(BfdPlan, ADumpSaysHowASessionStands) {
    bfd::SessionPicture picture;
    picture.spec = specs_of(block("peer", "192.0.2.2")).at(0);
    picture.session = bfd::make_session(picture.spec.settings, 0x12345678, 1, Instant{0});
    bfd::on_packet(picture.session, {.state = bfd::State::init, .detect_multiplier = 3, .my_discriminator = 9, .your_discriminator = 0x12345678,
                                     .desired_min_tx = 20'000, .required_min_rx = 5'000}, Instant{0}, Instant{0});
    picture.counters = {.sent = 4, .received = 3, .refused = 2, .went_up = 1, .went_down = 0};
    picture.source_port = 50'000;
    const std::string text = describe_session(picture, Instant{2'000'000});
    for (const char* line : {" BFD Instance = peer\n", "Neighbor IP                192.0.2.2\n", "Ports                      50000 -> 3784\n", "State                      Up\n",
                             "Neighbor's state           Init\n", "Transmit interval          10 ms\n", "Detection time             60 ms\n", "Last packet                2 ms ago\n",
                             "Packets                    4 sent, 3 received, 2 refused\n", "Transitions                1 to Up, 0 from Up\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
    }
}

}  // namespace
}  // namespace vigil::daemon
