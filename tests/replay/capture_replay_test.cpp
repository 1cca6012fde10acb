// What the replay makes of frames: which router hears them, what is said about them. Times are worked out by hand: an observer has
// priority 1, so its Skew_Time is 255/256 of the interval, and timers fire up to a tick of the wheel late (1 ms).

#include "engine/cli/capture_replay.h"

#include <gtest/gtest.h>

#include "engine/cli/observers.h"
#include "tests/packet/frame_builder.h"

namespace vigil::test {
namespace {

using namespace std::chrono_literals;
using cli::CapturedFrame;

CapturedFrame at(Nanoseconds time, Octets bytes) { return {Instant{1'000'000'000'000} + time, std::move(bytes), false}; }
FrameBuilder v3(std::uint8_t vrid, std::uint8_t priority, std::string_view source = "10.0.0.1") {
    return frame().ipv4(source, "224.0.0.18").vrrp_v3(vrid, priority).address("10.0.0.100");
}

std::string replay(const std::vector<CapturedFrame>& capture, const engine::EngineSpec& spec, const cli::ReplayOptions& options = {}) {
    const auto text = replay_capture(capture, spec, options);
    return text ? *text : "error: " + text.error();
}
std::string watch(const std::vector<CapturedFrame>& capture, const cli::ReplayOptions& options = {}) {
    return replay(capture, cli::observers_of(capture), options);
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
#define EXPECT_SILENT_ABOUT(text, part) EXPECT_EQ((text).find(part), std::string::npos) << (text)

TEST(Observers, OneForEachVridFamilyAndVlan) {
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 200).build()), at(1s, v3(7, 100, "10.0.0.2").build()), at(2s, v3(8, 200).build()),
                                             at(3s, v3(7, 200).vlan(5).build()),
                                             at(4s, frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::9").build())};
    const engine::EngineSpec spec = cli::observers_of(capture);
    std::vector<std::string> names;
    for (const auto& router : spec.routers) names.push_back(router.name);
    EXPECT_EQ(names, (std::vector<std::string>{"lan/7", "lan/8", "lan.5/7", "lan/7/IPv6"}));
}

TEST(Observers, NoneForStopAdvertsJunkCutFramesAndAh) {
    CapturedFrame cut = at(3s, v3(7, 200).build());
    cut.is_truncated = true;
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 0).build()), at(1s, v3(7, 200).bad_checksum().build()), at(2s, Octets{1, 2, 3}), cut,
                                             at(4s, frame().vrrp_v2(7, 200).address("10.0.0.9").ah("secret", 1).build())};
    EXPECT_TRUE(cli::observers_of(capture).routers.empty());
}

TEST(Observers, TheLongestAdvertCanBeWatched) {
    FrameBuilder builder = frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200);
    for (int i = 0; i < 255; ++i) builder.address("fe80::9");
    EXPECT_SAYS(watch({at(0s, builder.build())}, {.own_address = {}, .afterwards = 5s, .interface = {}}), "lan/7/IPv6 ends as Active (1 adverts accepted, 2 sent)");
}

TEST(CaptureReplay, AnObserverBecomesActiveWhenNobodyIs) {
    const std::string text = watch({at(0s, v3(7, 200).build()), at(1s, v3(7, 200).build())}, {.own_address = {}, .afterwards = 5s, .interface = {}});
    // 1 s + 3 * 1 s + 255/256 s = 4.99609375 s
    EXPECT_SAYS(text, "lan/7 Backup -> Active: Active_Down_Timer fired (RFC 9568 §6.4.2): 3 * 100 cs + Skew_Time 0.99609375 s after the advert of "
                      "10.0.0.1 at 1.000000");
    EXPECT_SAYS(text, "    4.99");
}

TEST(CaptureReplay, WhatIsDroppedIsSaidWithItsReason) {
    const std::string text = watch({at(0s, v3(7, 200).build()), at(1s, v3(7, 200).ttl(254).build()), at(2s, v3(7, 200).interval(0).build())});
    EXPECT_SAYS(text, "dropped, bad_ttl: TTL or Hop Limit is not 255 (RFC 9568 §7.1)");
    EXPECT_SAYS(text, "dropped, zero_interval");
    EXPECT_SAYS(text, "  dropped: 1 bad_ttl, 1 zero_interval");
}

TEST(CaptureReplay, WhatAuthHmacMakesOfAnAdvertIsSaid) {
    constexpr std::string_view key = "a key that is a text of 37 characters";
    const auto number = [](Nanoseconds time) { return static_cast<std::uint64_t>(packet::sequence_at(Nanoseconds{1'000'000'000'000} + time)); };
    const auto good = [&](Nanoseconds time) { return v3(7, 200).hmac(key, 1, number(time)); };
    const std::vector<CapturedFrame> capture{at(0s, good(0s).build()), at(1s, good(1s).build()), at(1s + 1ms, good(1s).build()),
                                             at(2s, v3(7, 201).build()), at(3s, good(3s).bad_hmac().build()), at(4s, v3(7, 202).hmac(key, 9, number(4s)).build()),
                                             at(9s, good(3s).build()), at(9s + 1ms, v3(7, 203).trailer(Octets(28, 0)).build())};
    engine::EngineSpec spec = cli::observers_of(capture);
    EXPECT_SAYS(replay(capture, spec), "sends v3 advert vrid 7 priority 200 interval 100 cs signed with key 1");
    spec.hmacs = {{.keys = {{1, {key.begin(), key.end()}}}}};
    spec.hmac_users = {{engine::RouterIndex{0}, 0}};
    const std::string text = replay(capture, spec);
    EXPECT_SAYS(text, "signed with key 1: dropped, hmac_replayed: its sequence number was heard already, or a later one");
    EXPECT_SAYS(text, "priority 201 interval 100 cs: dropped, hmac_missing: no trailer of auth_hmac");
    EXPECT_SAYS(text, "signed with key 1: dropped, hmac_invalid: the signature is wrong");
    EXPECT_SAYS(text, "signed with key 9: dropped, hmac_unknown_key");
    EXPECT_SAYS(text, "signed with key 1: dropped, hmac_stale: signed at a time outside of time_window");
    EXPECT_SAYS(text, "priority 203 interval 100 cs: dropped, hmac_malformed");
    EXPECT_SAYS(text, "  dropped: 1 hmac_missing, 1 hmac_malformed, 1 hmac_unknown_key, 1 hmac_invalid, 1 hmac_stale, 1 hmac_replayed");
    EXPECT_SAYS(text, "(2 adverts accepted");
}

TEST(CaptureReplay, ALowerAdvertToABackupSaysWhatItDoesToTheTimer) {
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 50).build()), at(1s, v3(7, 50).build())};
    engine::EngineSpec spec = cli::observers_of(capture);
    spec.routers[0].priority = Priority{100};
    EXPECT_SAYS(replay(capture, spec), "lower than our 100, Active_Down_Timer runs on (RFC 9568 §6.4.2) (1 more");
    spec.routers[0].flags = 0;
    EXPECT_SAYS(replay(capture, spec), "lower than our 100, accepted because Preempt_Mode is False (RFC 9568 §6.4.2) (1 more");
    spec.routers[0].flags = static_cast<std::uint16_t>(engine::Flag::preempt);
    spec.routers[0].preempt_delay_ms = 60'000;
    EXPECT_SAYS(replay(capture, spec), "lower than our 100, accepted because preempt_delay runs (1 more");
}

TEST(CaptureReplay, OurOwnFramesAreShownButNotHeard) {
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 50).build()), at(1s, v3(7, 200, "10.0.0.2").build())};
    const std::string text = watch(capture, {.own_address = address_of("10.0.0.2"), .afterwards = {}, .interface = {}});
    EXPECT_SAYS(text, "10.0.0.2 (the captured router) sends v3 advert vrid 7 priority 200");
    EXPECT_SAYS(text, "(1 adverts accepted");
}

TEST(CaptureReplay, AFrameGoesToTheLinkOfItsVlan) {
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 200).vlan(5).build()), at(1s, v3(7, 200).vlan(6).build())};
    engine::EngineSpec spec = cli::observers_of({capture.data(), 1});
    EXPECT_SAYS(replay(capture, spec), "a frame on VLAN 6, where no router is");
    EXPECT_SAYS(replay(capture, spec), "lan.5/7 ends as Backup (1 adverts accepted");
}

TEST(CaptureReplay, OfSeveralInterfacesTheOneNamedHears) {
    const std::vector<CapturedFrame> capture{at(0s, v3(7, 200).build())};
    engine::EngineSpec spec = cli::observers_of(capture);
    spec.links.push_back({.name = "eth1", .mac = {}, .is_up = true});
    spec.routers.push_back(spec.routers[0]);
    spec.routers[1].name = "second";
    spec.routers[1].link = engine::LinkIndex{1};
    EXPECT_SAYS(replay(capture, spec), "lan/7 ends as Backup (1 adverts accepted");
    EXPECT_SAYS(replay(capture, spec, {.own_address = {}, .afterwards = {}, .interface = "eth1"}), "second ends as Backup (1 adverts accepted");
}

TEST(CaptureReplay, ArpAboutTheVirtualAddressesIsToldAndOtherArpCounted) {
    const auto gratuitous = [](std::string_view sender) {
        Octets octets = from_hex("ffffffffffff 020000000009 0806 0001 0800 06 04 0001 020000000009");
        for (const int times : {0, 1}) {
            const IpAddress address = address_of(sender);
            octets.insert(octets.end(), address.bytes().begin(), address.bytes().end());
            if (times == 0) octets.insert(octets.end(), 6, 0xff);
        }
        return octets;
    };
    const std::string text = watch({at(0s, v3(7, 200).build()), at(1s, gratuitous("10.0.0.100")), at(2s, gratuitous("10.0.0.55"))});
    EXPECT_SAYS(text, "02:00:00:00:00:09 announces 10.0.0.100 by gratuitous ARP");
    EXPECT_SILENT_ABOUT(text, "10.0.0.55");
    EXPECT_SAYS(text, "1 announcements of virtual addresses, 1 of other protocols");
}

TEST(CaptureReplay, ASilenceLongerThanADayIsRefused) {
    EXPECT_SAYS(watch({at(0s, v3(7, 200).build()), at(25h, v3(7, 200).build())}), "error: frame 2 of 2, in order of time, comes 25 hours after");
    EXPECT_SILENT_ABOUT(watch({at(0s, v3(7, 200).build()), at(24h, v3(7, 200).build())}), "error");
}

TEST(CaptureReplay, NoFramesAreAnError) { EXPECT_EQ(replay({}, {}), "error: the capture has no frames"); }

}  // namespace
}  // namespace vigil::test
