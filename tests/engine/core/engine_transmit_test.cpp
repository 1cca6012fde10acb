// What leaves an engine: the right bytes, in the right lane, undisturbed by what happens later in the same pass.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

std::size_t announcements(const std::vector<Sent>& sent) {
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [](const Sent& one) { return !one.is_urgent; }));
}

Harness started(const std::vector<RouterSpec>& routers) {
    Harness harness(with(routers));
    harness.start(at(6s));
    return harness;
}

TEST(EngineTransmit, EveryKindOfFrameParsesWithOurOwnReader) {
    std::vector<RouterSpec> routers;
    routers.push_back(v2_router(1, Priority{100}));
    routers.push_back(v2_router(2, Priority{100}));
    routers.back().auth_type = packet::AuthType::simple_password;
    routers.push_back(v2_router(3, Priority{100}));
    routers.back().auth_type = packet::AuthType::ah;
    routers.push_back(v3_router(4, Priority{100}));
    routers.push_back(v3_router(5, Priority{100}));
    routers.back().checksum = packet::ChecksumForm::message_only;
    routers.push_back(ipv6_router(6, Priority{100}));
    routers.push_back(unicast_router(7, Priority{100}));
    Harness harness = started(routers);
    harness.time(at(10s));
    harness.command({.kind = Command::Kind::shutdown}, at(10s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 2 * (routers.size() + 1)) << "the unicast router has two peers";
    for (const Sent& one : sent) {
        const Octets frame = one.as_frame();
        const auto read = packet::read_frame(frame);
        ASSERT_TRUE(read.has_value()) << packet::to_string(read.error());
        const RouterSpec& spec = routers[to_number(one.router)];
        EXPECT_EQ(read->advertisement.vrid(), spec.vrid);
        EXPECT_EQ(read->advertisement.version(), spec.version);
        EXPECT_EQ(read->source.octets, spec.primary_address.octets);
        EXPECT_EQ(read->ttl, 255);
        EXPECT_EQ(read->advertisement.max_advertise_interval(), Centiseconds{100});
        EXPECT_EQ(read->ah.has_value(), spec.auth_type == packet::AuthType::ah);
        if (one.path == TxPath::link) {
            EXPECT_EQ(read->source_mac, virtual_mac(spec.family, spec.vrid));
        }
    }
}

TEST(EngineTransmit, AStopDoesNotDisturbTheTemplatePushedBefore) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));                      // takes over: points into the template
    harness.fault(Fault::tracker, at(10s));     // stops in the same batch
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].priority(), Priority{100});
    EXPECT_EQ(sent[1].priority(), Priority::stop);
}

TEST(EngineTransmit, AfterAStopTheTemplateHasItsPriorityAgain) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));
    harness.fault(Fault::tracker, at(10s));
    harness.clear_fault(Fault::tracker, at(11s));
    harness.adverts();
    harness.time(at(15s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority{100});
}

TEST(EngineTransmit, PriorityChangesShowInTheNextAdvert) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));
    harness.adverts();
    harness.command({.kind = Command::Kind::set_priority, .value = 150, .router = RouterIndex{0}}, at(10s));
    EXPECT_TRUE(harness.adverts().empty());
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority{150});
    harness.command({.kind = Command::Kind::set_priority, .value = 0, .router = RouterIndex{0}}, at(11s));
    EXPECT_EQ(harness.router().priority, Priority{150}) << "0 is no priority that a router can have";
}

TEST(EngineTransmit, UnicastSendsOneIpPacketPerPeer) {
    Harness harness = started({unicast_router(7, Priority{100})});
    harness.time(at(10s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 2u);
    std::vector<std::string> destinations;
    for (const Sent& one : sent) {
        EXPECT_EQ(one.path, TxPath::route);
        EXPECT_EQ(one.bytes.at(0), 0x45) << "begins at the IP header";
        const Octets frame = one.as_frame();
        destinations.push_back(to_string(packet::read_frame(frame)->destination));
    }
    EXPECT_EQ(destinations, (std::vector<std::string>{"10.0.0.2", "10.0.0.3"}));
    EXPECT_EQ(harness.counters().adverts_sent, 1u);
}

TEST(EngineTransmit, BackupIsSilent) {
    Harness harness = started({v3_router(7, Priority{100})});
    for (int second = 1; second < 60; ++second) {
        harness.receive(v3_frame(7, 200), at(second * 1s));
        harness.time(at(second * 1s));
    }
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(EngineTransmit, AdvertsKeepTheirPeriodWithoutDrift) {
    Harness harness = started({v3_router(7, Priority{100})});
    for (Instant now = at(6s); now <= at(106s); now = now + 700us) harness.time(now), harness.tx.clear();
    // First advert 3.609375 s after the start, found by the pass at 3.6099 s or later; then 96 more whole seconds: at most 1 tick + 1 pass late.
    EXPECT_EQ(harness.counters().adverts_sent, 97u);
}

// Changes of the interface.

TEST(EngineTransmit, ANewPrimaryAddressGivesFramesThatReadBackWell) {
    RouterSpec ah = v2_router(9, Priority{100});
    ah.auth_type = packet::AuthType::ah;
    for (const RouterSpec& spec : {v3_router(7, Priority{100}), v2_router(8, Priority{100}), ah, ipv6_router(7, Priority{100}), unicast_router(7, Priority{100})}) {
        Harness harness = started({spec});
        const IpAddress address = address_of(spec.family == Family::ipv4 ? "192.168.255.254" : "fe80::ffff:1234");
        harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address.octets}, at(1s));
        EXPECT_EQ(harness.router().primary_address, address.octets);
        harness.time(at(10s));
        for (const Sent& one : harness.adverts()) {
            const Octets frame = one.as_frame();
            const auto read = packet::read_frame(frame);
            ASSERT_TRUE(read.has_value()) << packet::to_string(read.error());
            EXPECT_EQ(read->source, address);
            EXPECT_TRUE(!read->ah || packet::is_ah_digest_valid(*read, {}));
        }
    }
}

TEST(EngineTransmit, LosingThePrimaryAddressStopsAndAnotherStarts) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));
    harness.adverts();
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}}, at(11s));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority::stop);
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("10.0.0.9").octets}, at(12s));
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().deadline, at(15s) + 609'375us);
}

TEST(EngineTransmit, ARouterWithoutPrimaryAddressWaitsForOne) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.primary_address = {};
    Harness harness = started({spec});
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("10.0.0.9").octets}, at(1s));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineTransmit, AnIpv6RouterDoesNotSendFromAnAddressThatIsNotLinkLocal) {  // RFC 9568 §5.1.2.1
    RouterSpec spec = ipv6_router(7, Priority{100});
    spec.primary_address = address_of("2001:db8::1");
    Harness harness = started({spec});
    EXPECT_TRUE(has(harness.router(), Fault::no_source_address));
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("fe80::9").octets}, at(1s));
    EXPECT_EQ(harness.router().state, State::backup);
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("2001:db8::9").octets}, at(1s));
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.time(at(20s));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(EngineTransmit, AnIpv6UnicastRouterMaySendFromAGlobalAddress) {
    RouterSpec spec = ipv6_router(7, Priority{100});
    spec.primary_address = address_of("2001:db8::1");
    spec.peers = {{.address = address_of("2001:db8::2")}};
    Harness harness = started({spec});
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineTransmit, ANewLinkMacIsWrittenWhereTheOldOneWas) {
    RouterSpec with_virtual_mac = v3_router(7, Priority{100});
    RouterSpec plain = v3_router(8, Priority{100});
    plain.source_mac = lan_mac;
    plain.announced[0].mac = lan_mac;
    Harness harness = started({with_virtual_mac, plain});
    constexpr MacAddress fresh{{0x02, 0, 0, 0, 0, 0x0b}};
    AddressOctets octets{};
    std::copy(fresh.octets.begin(), fresh.octets.end(), octets.begin());
    harness.command({.kind = Command::Kind::set_link_mac, .link = LinkIndex{0}, .address = octets}, at(1s));
    harness.command({.kind = Command::Kind::set_link_mac, .link = LinkIndex{5}, .address = octets}, at(1s));  // no such link: nothing
    harness.time(at(10s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    for (const Sent& one : harness.sent()) {
        const MacAddress expected = one.router == RouterIndex{0} ? virtual_mac(Family::ipv4, Vrid{7}) : fresh;
        EXPECT_TRUE(std::equal(expected.octets.begin(), expected.octets.end(), one.bytes.begin() + 6)) << one.is_urgent;
    }
}

// Announcements.

TEST(EngineAnnouncements, BeginOnlyWhenTheKernelHasTheAddresses) {  // RFC 9568 §8.1.2, §8.2.2
    Harness harness = started({v3_router(7, Priority{100})});
    harness.command({.kind = Command::Kind::addresses_ready}, at(1s));  // a Backup has nothing to announce
    harness.time(at(2s));
    EXPECT_TRUE(harness.tx.is_empty());
    harness.time(at(10s));
    harness.time(at(12s));
    EXPECT_EQ(announcements(harness.sent()), 0u) << "adverts do not wait for the addresses, announcements do";
    harness.command({.kind = Command::Kind::addresses_ready}, at(12s));
    harness.time(at(12s));
    EXPECT_EQ(announcements(harness.sent()), 5u);
    EXPECT_EQ(harness.engine.counters().announcements, 5u);
    harness.run_until(at(17s));
    EXPECT_EQ(std::count_if(harness.log.begin(), harness.log.end(), [](const auto& one) { return !one.sent.is_urgent; }), 5);
}

TEST(EngineAnnouncements, EndWhenTheRouterIsDeposedOrStopped) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.receive(v3_frame(7, 200), at(10s));
    harness.time(at(11s));
    EXPECT_EQ(announcements(harness.sent()), 0u);
}

TEST(EngineAnnouncements, ALosingAdvertBringsAnotherBurst) {
    Harness harness = started({v3_router(7, Priority{100})});
    harness.time(at(10s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.run_until(at(20s));
    harness.log.clear();
    harness.receive(v3_frame(7, 50), at(20s));
    harness.time(at(20s));
    EXPECT_EQ(announcements(harness.sent()), 5u);
}

TEST(EngineAnnouncements, CarryTheVirtualMacAndTheAddress) {
    Harness harness = started({v3_router(7, Priority{100}), ipv6_router(7, Priority{100})});
    harness.time(at(10s));
    harness.sent();
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    const auto sent = harness.sent();
    ASSERT_EQ(sent.size(), 15u);
    const auto contains_bytes = [](const Octets& bytes, std::span<const std::uint8_t> part) {
        return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
    };
    for (const Sent& one : sent) {
        const Family family = one.router == RouterIndex{0} ? Family::ipv4 : Family::ipv6;
        EXPECT_EQ(one.path, TxPath::link);
        EXPECT_TRUE(contains_bytes(one.bytes, virtual_mac(family, Vrid{7}).octets));
        EXPECT_FALSE(contains_bytes(one.bytes, lan_mac.octets)) << "never the physical MAC";
        const IpAddress first = address_of(family == Family::ipv4 ? "10.0.0.100" : "fe80::100");
        const IpAddress second = address_of("2001:db8::100");
        EXPECT_TRUE(contains_bytes(one.bytes, first.bytes()) || contains_bytes(one.bytes, second.bytes()));
    }
}

TEST(EngineAnnouncements, ATinyPacedLaneSendsThemAllInPieces) {
    Harness harness(with({v3_router(7, Priority{100})}), 4, 2, 1024);
    harness.start(at(6s));
    harness.time(at(10s));
    harness.sent();
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    std::vector<std::size_t> pieces;
    while (harness.engine.next_deadline() <= at(10s)) {
        harness.time(at(10s));
        pieces.push_back(announcements(harness.sent()));
        ASSERT_LT(pieces.size(), 10u);
    }
    EXPECT_EQ(pieces, (std::vector<std::size_t>{2, 2, 1}));
}

TEST(EngineAnnouncements, AdvertsDoNotWaitForAFullPacedLane) {
    Harness harness(with({v3_router(7, Priority{100})}), 4, 1, 1024);
    harness.start(at(6s));
    harness.time(at(10s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    harness.time(at(11s));
    EXPECT_EQ(harness.tx.urgent().size(), 2u);
    EXPECT_EQ(harness.tx.paced().size(), 1u);
}

TEST(EngineTransmit, ThousandsOfRoutersSpreadOverTheInterval) {
    std::vector<RouterSpec> routers;
    EngineSpec spec = one_link();
    for (int link = 1; link < 16; ++link) spec.links.push_back({"lan" + std::to_string(link), lan_mac, true, false});
    for (int link = 0; link < 16; ++link) {
        for (int vrid = 1; vrid <= 255; ++vrid) {
            RouterSpec router = v3_router(static_cast<std::uint8_t>(vrid), Priority::owner);
            router.link = router.announced[0].link = LinkIndex{static_cast<std::uint16_t>(link)};
            spec.routers.push_back(router);
        }
    }
    Harness harness(spec, 8192, 64, 1 << 21);
    harness.start(at(300ms));
    EXPECT_EQ(harness.adverts().size(), 4080u);   // the first at once
    harness.run_until(at(4300ms));
    std::map<std::int64_t, int> burst;            // adverts by millisecond
    std::map<std::uint32_t, std::vector<Instant>> sent;
    for (const Harness::Timed& one : harness.log) {
        ++burst[one.at.ns / 1'000'000];
        sent[static_cast<std::uint32_t>(one.sent.router)].push_back(one.at);
    }
    for (const auto& [millisecond, adverts] : burst) EXPECT_LE(adverts, 2100) << millisecond;   // two parts
    ASSERT_EQ(sent.size(), 4080u);
    for (const auto& [router, times] : sent) {
        EXPECT_GT(times.front(), at(300ms));
        EXPECT_LE(times.front(), at(1301ms)) << router;   // never later than Advertisement_Interval
        for (std::size_t i = 1; i < times.size(); ++i) EXPECT_NEAR(static_cast<double>((times[i] - times[i - 1]).count()), 1e9, 1e6) << router;
    }
}

TEST(EngineTransmit, FewRoutersWithManyAddressesSpreadToo) {
    EngineSpec spec = one_link();
    for (std::uint8_t vrid = 1; vrid <= 60; ++vrid) {
        RouterSpec router = v3_router(vrid, Priority::owner);
        router.announced.resize(20, router.announced[0]);
        spec.routers.push_back(router);
    }
    Harness harness(spec, 256, 4096, 1 << 20);
    harness.start(at(300ms));
    std::map<std::int64_t, int> routers;   // by the deadline of their Adver_Timer
    for (std::uint32_t i = 0; i < 60; ++i) ++routers[harness.router(i).deadline.ns];
    EXPECT_EQ(routers.size(), 2u);
}

TEST(EngineTransmit, AFewRoutersSendAfterAWholeInterval) {
    Harness harness(with({v3_router(1, Priority::owner), v3_router(2, Priority::owner)}));
    harness.start(at(300ms));
    EXPECT_EQ(harness.router(0).deadline, at(1300ms));
    EXPECT_EQ(harness.router(1).deadline, at(1300ms));
}

}  // namespace
}  // namespace vigil::test
