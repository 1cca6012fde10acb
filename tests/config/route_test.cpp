#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

/// `line` in the virtual_routes of an instance on eth0.
LoadResult load_route(std::string_view line) { return load_string(instance_with("virtual_routes {\n " + std::string(line) + "\n}")); }

ConfiguredRoute route_of(std::string_view line) {
    const LoadResult& result = keep(load_route(line));
    EXPECT_EQ(summary(result), "") << line;
    EXPECT_EQ(result.configuration.instances.at(0).virtual_routes.size(), 1u) << line;
    return result.configuration.instances.at(0).virtual_routes.empty() ? ConfiguredRoute{} : result.configuration.instances.at(0).virtual_routes[0];
}

/// What is said about a line that is dropped.
std::string refusal_of(std::string_view line) {
    const LoadResult result = load_route(line);
    EXPECT_TRUE(result.configuration.instances.at(0).virtual_routes.empty()) << line;
    return summary(result);
}

/// The line as it is written again: short, and read back by the test of the dump.
std::string canonical(std::string_view line) { return to_string(route_of(line)); }

TEST(RouteLine, TakesTheWordsOfTheTutorialsInAnyOrder) {
    const ConfiguredRoute route = route_of("src 192.168.100.1 to 192.168.109.0/24 via 192.168.200.254 dev eth1");
    EXPECT_EQ(route.destination, (Prefix{ipv4(192, 168, 109, 0), 24}));
    EXPECT_EQ(route.preferred_source, ipv4(192, 168, 100, 1));
    EXPECT_EQ(route.next.gateway, ipv4(192, 168, 200, 254));
    EXPECT_EQ(route.next.device, "eth1");
    EXPECT_EQ(route.table, 0u);
    EXPECT_FALSE(route.metric || route.scope || route.protocol);
    EXPECT_EQ(route, route_of("dev eth1 via 192.168.200.254 to 192.168.109.0/24 src 192.168.100.1"));
}

TEST(RouteLine, WithoutAPrefixLengthIsAHostRoute) {
    EXPECT_EQ(route_of("10.1.2.3 dev eth1").destination.length, 32);
    EXPECT_EQ(route_of("2001:db8::7 dev eth1").destination.length, 128);
}

TEST(RouteLine, DefaultHasTheFamilyOfItsOtherWords) {
    EXPECT_EQ(route_of("default via 10.0.0.9").destination, (Prefix{IpAddress{}, 0}));
    for (const char* line : {"default via fe80::1 dev eth1", "inet6 default dev eth1", "any src 2001:db8::1 dev eth1", "all from 2001:db8::/32 dev eth1"}) {
        EXPECT_EQ(route_of(line).family(), Family::ipv6) << line;
    }
}

TEST(RouteLine, Default6IsDeprecatedAndMeansIpv6) {
    const LoadResult result = load_route("default6 dev eth1");
    EXPECT_EQ(summary(result), "warning 8:2 'default6' is deprecated\n");
    EXPECT_EQ(result.configuration.instances.at(0).virtual_routes.at(0).family(), Family::ipv6);
}

TEST(RouteLine, KnowsTheTypesOfTheKernel) {
    EXPECT_EQ(route_of("blackhole 10.9.0.0/16").type, RouteType::blackhole);
    EXPECT_EQ(route_of("unreachable default").type, RouteType::unreachable);
    EXPECT_EQ(route_of("prohibit 10.9.0.0/16 table 5").type, RouteType::prohibit);
    EXPECT_EQ(route_of("throw 10.9.0.0/16 table 5").type, RouteType::throw_away);
    EXPECT_EQ(route_of("to local 10.9.0.1 dev lo table local").type, RouteType::local);
    EXPECT_EQ(route_of("broadcast 10.9.0.255 dev eth1").type, RouteType::broadcast);
    EXPECT_EQ(route_of("anycast 2001:db8::1 dev eth1").type, RouteType::anycast);
    EXPECT_EQ(route_of("multicast 239.0.0.0/8 dev eth1").type, RouteType::multicast);
    EXPECT_EQ(route_of("unicast 10.9.0.0/16 dev eth1").type, RouteType::unicast);
}

TEST(RouteLine, TablesScopesAndProtocolsHaveNamesAndNumbers) {
    const ConfiguredRoute route = route_of("10.9.0.0/16 dev eth1 table local scope host protocol static tos 0x10 metric 7 no_track");
    EXPECT_EQ(route.table, 255u);
    EXPECT_EQ(route.scope, 254);
    EXPECT_EQ(route.protocol, 4);
    EXPECT_EQ(route.tos, 0x10);
    EXPECT_EQ(route.metric, 7u);
    EXPECT_EQ(route_of("10.9.0.0/16 oif eth1 table 70000 scope 200 dsfield 4 priority 9").table, 70000u);
    EXPECT_EQ(route_of("10.9.0.0/16 dev eth1 preference 9").metric, 9u);
}

TEST(RouteLine, ATrackedRouteIsOfProtocolKeepalived) {
    const LoadResult result = load_route("10.9.0.0/16 dev eth1 protocol static");
    EXPECT_NE(summary(result).find("warning 8:32 'protocol' is 'keepalived' for all that is tracked"), std::string::npos);
    EXPECT_FALSE(result.configuration.instances.at(0).virtual_routes.at(0).protocol);
    EXPECT_EQ(summary(load_route("10.9.0.0/16 dev eth1 protocol keepalived")), "");
}

TEST(RouteLine, MetricsAreInTheKernelsUnits) {
    const ConfiguredRoute route = route_of(
        "10.9.0.0/16 dev eth1 mtu lock 1400 advmss 1300 rtt 300ms rttvar 0.5s rto_min lock 40 reordering 4 cwnd 10 ssthresh 20 window 30 initcwnd 11 initrwnd 12 "
        "hoplimit 64 quickack 1 fastopen_no_cookie 1 features ecn");
    const std::vector<MetricValue> expected = {
        {RouteMetric::mtu, 1400, true},       {RouteMetric::advmss, 1300, false},   {RouteMetric::rtt, 2400, false},  {RouteMetric::rttvar, 2000, false},
        {RouteMetric::rto_min, 40, true},     {RouteMetric::reordering, 4, false},  {RouteMetric::cwnd, 10, false},   {RouteMetric::ssthresh, 20, false},
        {RouteMetric::window, 30, false},     {RouteMetric::initcwnd, 11, false},   {RouteMetric::initrwnd, 12, false}, {RouteMetric::hoplimit, 64, false},
        {RouteMetric::quickack, 1, false},    {RouteMetric::fastopen_no_cookie, 1, false}, {RouteMetric::features, 1, false}};
    EXPECT_EQ(route.metrics, expected);
    EXPECT_EQ(route_of("10.9.0.0/16 dev eth1 rtt 2400").metrics.at(0).value, 2400u) << "without a unit it is the kernel's";
    const ConfiguredRoute controlled = route_of("10.9.0.0/16 dev eth1 congctl lock reno");
    EXPECT_EQ(controlled.congestion_control, "reno");
    EXPECT_TRUE(controlled.is_congestion_control_locked);
}

TEST(RouteLine, WordsOfIpv6) {
    const ConfiguredRoute route = route_of("2001:db8:9::/48 from 2001:db8:1::/48 via fe80::1 dev eth1 pref high expires 300");
    EXPECT_EQ(route.source, (Prefix{*read_address("2001:db8:1::"), 48}));
    EXPECT_EQ(route.preference, 1);
    EXPECT_EQ(route.expires, 300u);
    EXPECT_EQ(route_of("2001:db8:9::/48 dev eth1 pref low").preference, 3);
    EXPECT_EQ(refusal_of("10.9.0.0/16 dev eth1 expires 300"), "error 8:23 'expires' is of IPv6 routes only: the route is dropped\n");
    EXPECT_EQ(refusal_of("2001:db8:9::/48 dev eth1 tos 4"), "error 8:31 IPv6 routes have no tos: the route is dropped\n");
    EXPECT_EQ(refusal_of("2001:db8:9::/48 dev eth1 realms 4"), "error 8:27 IPv6 routes have no realms: the route is dropped\n");
}

TEST(RouteLine, AGatewayMayBeOfTheOtherFamilyWhenItSaysSo) {
    EXPECT_EQ(route_of("10.9.0.0/16 via inet6 fe80::1 dev eth1").next.gateway->family, Family::ipv6);
    EXPECT_EQ(refusal_of("10.9.0.0/16 via fe80::1 dev eth1"), "error 8:18 'fe80::1' is IPv6, but '10.9.0.0/16' is IPv4: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 via inet6 10.0.0.1"), "error 8:24 '10.0.0.1' is of another family than it says before it: the route is dropped\n");
}

TEST(RouteLine, NexthopsEndTheLine) {
    const ConfiguredRoute route = route_of("10.9.0.0/16 realms 3 nexthop via 10.0.0.8 dev eth1 weight 3 onlink nexthop via inet6 fe80::2 dev eth2 realms 5/7 nexthop dev eth3");
    ASSERT_EQ(route.nexthops.size(), 3u);
    EXPECT_EQ(route.nexthops[0].weight, 3);
    EXPECT_TRUE(route.nexthops[0].is_onlink);
    EXPECT_EQ(route.nexthops[1].realms, 5u << 16 | 7u);
    EXPECT_EQ(route.nexthops[2].device, "eth3");
    EXPECT_EQ(refusal_of("10.9.0.0/16 nexthop via 10.0.0.8 metric 4"), "error 8:35 unknown word 'metric' in a nexthop: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 nexthop weight 4"), "error 8:14 a nexthop needs 'via' or 'dev': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 nexthop via 10.0.0.8 weight 257"), "error 8:42 'weight' expects a number from 1 to 256, not '257': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 via 10.0.0.1 nexthop via 10.0.0.8"),
              "error 8:27 with 'nexthop', gateway, device and encapsulation belong behind it: the route is dropped\n");
}

TEST(RouteLine, OrIsASecondNexthop) {
    const LoadResult result = load_route("10.9.0.0/16 gw 10.0.0.8 or 10.0.0.9 dev eth1");
    EXPECT_EQ(summary(result), "warning 8:14 'gw' is deprecated\nwarning 8:26 'or' is deprecated\n");
    EXPECT_EQ(to_string(result.configuration.instances.at(0).virtual_routes.at(0)), "10.9.0.0/16 nexthop via 10.0.0.8 dev eth1 nexthop via 10.0.0.9 dev eth1");
}

TEST(RouteLine, Encapsulations) {
    const Encapsulation mpls = route_of("10.9.0.0/16 encap mpls 100/200 ttl 9 via 10.0.0.9").next.encapsulation;
    EXPECT_EQ(mpls.kind, EncapsulationKind::mpls);
    EXPECT_EQ(mpls.labels, (std::vector<std::uint32_t>{100, 200}));
    EXPECT_EQ(mpls.ttl, 9);
    const ConfiguredRoute ip = route_of("10.9.0.0/16 encap ip id 7 dst 10.0.0.9 src 10.0.0.1 tos 4 ttl 8 flags 3 dev tun0");
    EXPECT_EQ(ip.next.encapsulation.id, 7u);
    EXPECT_EQ(ip.next.encapsulation.destination, ipv4(10, 0, 0, 9));
    EXPECT_EQ(ip.next.encapsulation.flags, 3);
    EXPECT_EQ(ip.next.device, "tun0");
    EXPECT_EQ(route_of("10.9.0.0/16 encap ip6 id 7 dst 2001:db8::9 tc 4 hoplimit 8 dev tun0").next.encapsulation.ttl, 8);
    EXPECT_EQ(route_of("2001:db8:9::/48 encap ila 2001:db8:0:1 via fe80::1 dev eth1").next.encapsulation.id, 0x20010db800000001u);
    EXPECT_EQ(refusal_of("10.9.0.0/16 encap gre dev eth1"), "error 8:20 'encap' knows ip, ip6, mpls and ila, not 'gre': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 encap mpls 1/x via 10.0.0.9"), "error 8:25 '1/x' is no stack of MPLS labels: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 encap ip id 3 dev tun0"), "error 8:20 an encapsulation needs 'dst', the other end of the tunnel: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 encap ila 2001:db8 dev tun0"), "error 8:24 '2001:db8' is no locator: the route is dropped\n");
}

TEST(RouteLine, SaysWhatTheKernelWouldRefuse) {
    EXPECT_EQ(refusal_of("10.9.0.1/16 dev eth1"), "error 8:2 '10.9.0.1/16' has bits behind its prefix, which the kernel refuses: the route is dropped\n");
    EXPECT_NE(helps(load_route("10.9.0.1/16 dev eth1")).find("write 10.9.0.0/16"), std::string::npos);
    EXPECT_EQ(refusal_of("blackhole 10.9.0.0/16 via 10.0.0.9"),
              "error 8:2 a route of type 'blackhole' leads nowhere: it has no gateway and no device: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16"), "error 8:2 it leads nowhere: the route is dropped\n");
    EXPECT_EQ(refusal_of("via 10.0.0.9 dev eth1"), "error 8:2 it has no destination: the route is dropped\n");
    EXPECT_EQ(refusal_of("nat 10.9.0.0/16 via 10.0.0.9"), "error 8:2 Linux has no routes that translate addresses since 2.6: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 as 10.0.0.9 dev eth1"),
              "error 8:14 'as' translates addresses, which Linux has not done in routes since 2.6: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 dev eth1 tos 3"), "error 8:27 the two lowest bits of tos are ECN's, which the kernel refuses: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.9.0.0/16 dev eth1 vrf red table 5"), "error 8:23 'vrf' and 'table' say the same thing twice: the route is dropped\n");
}

TEST(RouteLine, TyposAreDroppedWithTheRemedy) {
    EXPECT_EQ(refusal_of("10.1.0.0/16 via 10.0.0.9 dev eth1 metrik 5"), "error 8:36 unknown word 'metrik' in a route: the route is dropped\n");
    EXPECT_NE(helps(load_route("10.1.0.0/16 via 10.0.0.9 metrik 5")).find("did you mean 'metric'?"), std::string::npos);
    EXPECT_EQ(refusal_of("10.1.0.0/33 dev eth1"), "error 8:2 expected ADDRESS, ADDRESS/PREFIX or default, not '10.1.0.0/33': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 via 10.0.0.999"), "error 8:18 'via' expects an address, not '10.0.0.999': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 dev"), "error 8:14 'dev' needs a value behind it: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 dev eth1 dev eth2"), "error 8:27 'dev' is given twice: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 10.2.0.0/16 dev eth1"),
              "error 8:14 a route has one destination, and '10.1.0.0/16' stands there already: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 dev eth1 table blue"),
              "error 8:29 'blue' is neither a number that fits nor a name of rt_tables: the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 dev eth1 rtt 3parsec"),
              "error 8:27 'rtt' expects a number, or a time like 300ms or 0.3s, not '3parsec': the route is dropped\n");
    EXPECT_EQ(refusal_of("10.1.0.0/16 dev eth1 mtu 5 mtu 6"), "error 8:29 'mtu' is given twice: the route is dropped\n");
}

TEST(RouteLine, WordsWithoutEffectAreSaid) {
    EXPECT_NE(summary(load_route("10.1.0.0/16 dev eth1 ttl-propagate enabled")).find("concerns MPLS routes only"), std::string::npos);
    EXPECT_NE(summary(load_route("2001:db8::/32 dev eth1 scope link")).find("IPv6 routes have no scope"), std::string::npos);
    EXPECT_NE(summary(load_route("2001:db8::1/32 dev eth1")).find("it is taken as 2001:db8::/32"), std::string::npos);
    EXPECT_EQ(summary(load_route("10.1.0.0/16 dev eth1 track_group G")), "error 8:35 'track_group' belongs into static_ lines: passed over\n");
}

TEST(RouteLine, CreationModes) {
    EXPECT_EQ(route_of("10.1.0.0/16 dev eth1").creation, RouteCreation::prepend);
    EXPECT_EQ(route_of("append 10.1.0.0/16 dev eth1").creation, RouteCreation::append);
    EXPECT_EQ(route_of("10.1.0.0/16 dev eth1 add").creation, RouteCreation::add);
}

TEST(RouteLine, ItsInterfaceIsTrackedUnlessItSaysNoTrack) {
    const auto tracked = [](std::string_view line) {
        std::string names;
        const LoadResult result = load_route(line);
        for (const TrackedItem& item : result.configuration.instances.at(0).track_interfaces) (names += ' ') += item.name;
        return names;
    };
    EXPECT_EQ(tracked("10.1.0.0/16 dev eth1"), " eth1");
    EXPECT_EQ(tracked("10.1.0.0/16 dev eth1\n 10.2.0.0/16 dev eth1\n 10.3.0.0/16 dev eth2"), " eth1 eth2");
    EXPECT_EQ(tracked("10.1.0.0/16 dev eth1 no_track"), "");
    EXPECT_EQ(tracked("10.1.0.0/16 dev eth0"), "") << "the instance's own interface";
}

TEST(RouteLine, IsWrittenSoThatItCanBeReadAgain) {
    for (const char* line :
         {"10.1.0.0/16 via 10.0.0.9", "default dev eth1 onlink realms 3/4", "inet6 default from 2001:db8::/32 via fe80::1 dev eth1",
          "blackhole 10.1.0.0/16 table 7 metric 5 scope 200 tos 16", "10.1.0.0/16 via inet6 fe80::1 dev eth1", "throw default table 5",
          "10.1.0.0/16 dev eth1 mtu lock 1400 features ecn congctl lock reno append no_track", "2001:db8::/32 dev eth1 pref 3 expires 60",
          "10.1.0.0/16 src 10.0.0.1 dev eth1 vrf red protocol 4 no_track", "10.1.0.0/16 via 10.0.0.9 encap mpls 100/200 ttl 9",
          "10.1.0.0/16 dev t0 encap ip id 5 dst 10.0.0.9 src 10.0.0.1 tos 4 ttl 9 flags 1", "2001:db8::/32 dev t0 encap ila 2001:0db8:0000:0001",
          "10.1.0.0/16 nexthop via 10.0.0.9 dev eth1 onlink weight 4 nexthop dev eth2 encap ip6 id 5 dst 2001:db8::1 tc 4 hoplimit 9"}) {
        EXPECT_EQ(canonical(canonical(line)), canonical(line)) << line;
        EXPECT_EQ(canonical(line), line);
    }
}

}  // namespace vigil::config::test
