#include "arp/kernel/netlink.h"
#include "arp/kernel/route_codec.h"

#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>


namespace vigil::arp::kernel {
namespace {

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte one : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[std::to_integer<unsigned>(one) >> 4];
        text += digits[std::to_integer<unsigned>(one) & 15];
    }
    return text;
}

std::vector<std::byte> unhex(std::string_view text) {
    const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

/// A message apart from the order of its attributes, their padding, and its sequence number: type and flags, fixed header, then type -> value, those of nested
/// attributes as "8.2".
struct Parts {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::string header;
    std::map<std::string, std::string> attributes;

    friend bool operator==(const Parts&, const Parts&) = default;
};

void PrintTo(const Parts& parts, std::ostream* out) {
    *out << "type " << parts.type << " flags " << parts.flags << " header " << parts.header;
    for (const auto& [type, value] : parts.attributes) *out << "\n  " << type << ": " << value;
}

void add_attributes(std::span<const std::byte> bytes, const std::string& prefix, bool is_route, Parts& parts) {
    while (bytes.size() >= sizeof(nlattr)) {
        nlattr attribute{};
        std::memcpy(&attribute, bytes.data(), sizeof attribute);
        ASSERT_GE(attribute.nla_len, sizeof attribute);
        ASSERT_LE(attribute.nla_len, bytes.size());
        const unsigned type = attribute.nla_type & static_cast<unsigned>(NLA_TYPE_MASK);
        const auto value = bytes.subspan(sizeof attribute, attribute.nla_len - sizeof attribute);
        const std::string name = prefix + std::to_string(type);
        const bool is_nested = is_route && prefix.empty() && (type == RTA_METRICS || type == RTA_ENCAP);
        if (is_nested) add_attributes(value, name + '.', is_route, parts);
        else parts.attributes[name] = hex(value);
        bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), bytes.size()));
    }
}

Parts parts_of(const std::vector<std::byte>& message) {
    static_assert(sizeof(fib_rule_hdr) == sizeof(rtmsg));
    Parts parts;
    nlmsghdr header{};
    std::memcpy(&header, message.data(), sizeof header);
    EXPECT_EQ(header.nlmsg_len, message.size());
    parts.type = header.nlmsg_type;
    parts.flags = static_cast<std::uint16_t>(header.nlmsg_flags & ~unsigned{NLM_F_ACK | NLM_F_REQUEST});
    parts.header = hex(std::span(message).subspan(sizeof header, sizeof(rtmsg)));
    const bool is_route = header.nlmsg_type == RTM_NEWROUTE || header.nlmsg_type == RTM_DELROUTE;
    add_attributes(std::span(message).subspan(sizeof header + sizeof(rtmsg)), "", is_route, parts);
    return parts;
}

RouteSpec route_to(const char* address, std::uint8_t length) {
    RouteSpec spec;
    spec.destination = {*read_address(address), length};
    return spec;
}

/// What iproute2 leaves out where the fixed header says it.
Parts without_table(Parts parts) {
    parts.attributes.erase(std::to_string(RTA_TABLE));
    return parts;
}

constexpr std::uint32_t eth0 = 3;

// What iproute2 6.1 sends, recorded with strace on a host whose eth0 has the number 3. The line stands above each.

TEST(RouteCodec, WritesWhatIpWritesForAnOrdinaryRoute) {
    // ip route prepend 10.1.0.0/16 via 192.0.2.2 dev eth0 table 70000 metric 7 mtu lock 1400 rtt 300ms congctl lock reno realms 5/6 onlink protocol keepalived
    const auto recorded = unhex(
        "700000001800050446ae006b00000000021000000012000104000000080001000a01000008000500c000020208000f00701101000800060007000000"
        "08000b0006000500080004000300000024000800080002007805000008000400600900000800100072656e6f0800010004000100");
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.next = {.gateway = ipv4(192, 0, 2, 2), .interface_index = eth0, .is_onlink = true, .realms = 5 << 16 | 6};
    spec.table = 70000;
    spec.metric = 7;
    spec.metrics = {{RTAX_MTU, 1400, true}, {RTAX_RTT, 2400, false}};
    spec.congestion_control = "reno";
    spec.is_congestion_control_locked = true;
    Parts expected = parts_of(recorded);
    expected.attributes["8.16"] += "00";   // ours has its NUL
    EXPECT_EQ(parts_of(write_new_route(spec, RouteMode::prepend)), expected);
}

TEST(RouteCodec, WritesWhatIpWritesForSeveralNexthops) {
    // ip route append 10.1.0.0/16 proto keepalived nexthop via 192.0.2.2 dev eth0 weight 3 onlink nexthop via inet6 fe80::1 dev eth0 realms 7
    const auto recorded = unhex(
        "600000001800050c46ae006b0000000002100000fe12000100000000080001000a0100003c000900100004020300000008000500c000020228000000"
        "03000000160012000a00fe800000000000000000000000000001000008000b0007000000");   // but for what ip left in two octets of padding
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.nexthops = {{.gateway = ipv4(192, 0, 2, 2), .interface_index = eth0, .weight = 3, .is_onlink = true},
                     {.gateway = read_address("fe80::1"), .interface_index = eth0, .realms = 7}};
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::append))), parts_of(recorded));
}

TEST(RouteCodec, WritesWhatIpWritesForMplsLabels) {
    // ip route add 10.1.0.0/16 encap mpls 100/200 ttl 9 via 192.0.2.2 dev eth0 proto keepalived
    const auto recorded = unhex(
        "540000001800050646ae006b0000000002100000fe12000100000000080001000a010000180016800c00010000064000000c81000500020009d00100"
        "060015000100010008000500c00002020800040003000000");
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.next = {.gateway = ipv4(192, 0, 2, 2), .interface_index = eth0, .tunnel = {.type = LWTUNNEL_ENCAP_MPLS, .labels = {100, 200}, .ttl = 9}};
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::add))), parts_of(recorded));
}

TEST(RouteCodec, WritesWhatIpWritesForAnIpTunnel) {
    // ip route add 10.1.0.0/16 encap ip id 7 dst 192.0.2.9 src 192.0.2.1 tos 4 ttl 9 dev eth0 proto keepalived
    const auto recorded = unhex(
        "640000001800050646ae006b0000000002100000fe12fd0100000000080001000a010000300016800c000100000000000000000708000200c0000209"
        "08000300c00002010500050004e101000500040009e1010006001500020000000800040003000000");
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.scope = RT_SCOPE_LINK;
    spec.next.interface_index = eth0;
    spec.next.tunnel = {.type = LWTUNNEL_ENCAP_IP, .id = 7, .destination = ipv4(192, 0, 2, 9), .source = ipv4(192, 0, 2, 1), .tos = 4, .ttl = 9};
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::add))), parts_of(recorded));
}

TEST(RouteCodec, WritesWhatIpWritesForIpv6) {
    // ip -6 route add 2001:db8:9::/48 from 2001:db8:7::/48 via fe80::1 dev eth0 pref high expires 60 proto keepalived
    const auto recorded = unhex(
        "700000001800050646ae006b000000000a303000fe120001000000001400010020010db80009000000000000000000001400020020010db800070000"
        "000000000000000014000500fe8000000000000000000000000000010500140001000000080017003c0000000800040003000000");
    RouteSpec spec = route_to("2001:db8:9::", 48);
    spec.source = PrefixSpec{*read_address("2001:db8:7::"), 48};
    spec.next = {.gateway = read_address("fe80::1"), .interface_index = eth0};
    spec.preference = 1;
    spec.expires = 60;
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::add))), parts_of(recorded));
}

TEST(RouteCodec, WritesWhatIpWritesForAnIlaLocator) {
    // ip -6 route add 2001:db8:9::/48 encap ila 2001:db8:0:1 via fe80::1 dev eth0 proto keepalived
    const auto recorded = unhex(
        "640000001800050646ae006b000000000a300000fe120001000000001400010020010db8000900000000000000000000100016800c00010020010db8"
        "00000001060015000300010014000500fe8000000000000000000000000000010800040003000000");
    RouteSpec spec = route_to("2001:db8:9::", 48);
    spec.next = {.gateway = read_address("fe80::1"), .interface_index = eth0, .tunnel = {.type = LWTUNNEL_ENCAP_ILA, .id = 0x2001'0db8'0000'0001}};
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::add))), parts_of(recorded));
}

TEST(RouteCodec, WritesWhatIpWritesForABlackhole) {
    // ip route add blackhole 10.1.0.0/16 proto keepalived
    const auto recorded = unhex("240000001800050646ae006b0000000002100000fe12000600000000080001000a010000");
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.type = RTN_BLACKHOLE;
    EXPECT_EQ(without_table(parts_of(write_new_route(spec, RouteMode::add))), parts_of(recorded));
}

TEST(RouteCodec, ARequestToDeleteNamesWhatTheKernelCompares) {
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.next = {.gateway = ipv4(192, 0, 2, 2), .interface_index = eth0};
    spec.preferred_source = ipv4(192, 0, 2, 1);
    spec.metrics = {{RTAX_MTU, 70'000, false}};   // the kernel keeps 65,520
    const Parts parts = parts_of(write_delete_route(spec));
    EXPECT_EQ(parts.type, RTM_DELROUTE);
    EXPECT_EQ(parts.attributes, (std::map<std::string, std::string>{{"1", "0a010000"}, {"15", "fe000000"}, {"4", "03000000"}, {"5", "c0000202"}, {"7", "c0000201"}}));
}

TEST(RouteCodec, ReadsBackWhatItWrites) {
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.table = 70000;
    spec.metric = 7;
    spec.tos = 16;
    const EncodedRequest request = write_delete_route(spec);
    const auto state = read_route_state(*reinterpret_cast<const nlmsghdr*>(request.data()));
    ASSERT_TRUE(state);
    EXPECT_EQ(state->destination, spec.destination);
    EXPECT_EQ(state->table, 70000u);
    EXPECT_EQ(state->metric, 7u);
    EXPECT_EQ(state->tos, 16);
    EXPECT_EQ(state->protocol, our_route_protocol);
}

TEST(RouteCodec, TakesNoHalfOfAMessage) {
    const EncodedRequest whole = write_delete_route(route_to("10.1.0.0", 16));
    for (std::uint32_t size = sizeof(nlmsghdr); size < whole.size(); size += 4) {
        EncodedRequest cut = whole;
        reinterpret_cast<nlmsghdr*>(cut.data())->nlmsg_len = size;
        const auto state = read_route_state(*reinterpret_cast<const nlmsghdr*>(cut.data()));
        EXPECT_EQ(state.has_value(), size >= sizeof(nlmsghdr) + sizeof(rtmsg) + 8) << size;   // with its destination, the table may be missing
    }
    EncodedRequest long_prefix = whole;
    reinterpret_cast<rtmsg*>(long_prefix.data() + sizeof(nlmsghdr))->rtm_dst_len = 33;
    EXPECT_FALSE(read_route_state(*reinterpret_cast<const nlmsghdr*>(long_prefix.data())));
}

TEST(RouteCodec, ARequestThatIsTooLongIsEmpty) {
    RouteSpec spec = route_to("10.1.0.0", 16);
    spec.nexthops.resize(3000, {.gateway = ipv4(192, 0, 2, 2)});
    EXPECT_TRUE(write_new_route(spec, RouteMode::prepend).empty());
}

TEST(RuleCodec, WritesWhatIpWritesWithEveryMatch) {
    // ip rule add not from 10.1.0.0/16 to 10.2.0.0/16 iif eth0 oif eth1 tos 0x10 fwmark 0x5/0xff uidrange 1-2 ipproto tcp sport 1-2 dport 3-4 tun_id 7 realms 5/6 lookup 70000
    //     suppress_prefixlength 8
    //     suppress_ifgroup 3 priority 1000 protocol keepalived
    const auto recorded = unhex(
        "b40000002000050646ae006b00000000021010100000000102000000080002000a010000080001000a02000009000300657468300000000009001100"
        "657468310000000008000a000500000008001000ff0000000c0014000100000002000000050016000600000008001700010002000800180003000400"
        "0c000c00000000000000000708000b000600050008000f007011010008000e000800000008000d000300000008000600e80300000500150012000000");
    RuleSpec spec;
    spec.is_inverted = true;
    spec.from = PrefixSpec{ipv4(10, 1, 0, 0), 16};
    spec.to = PrefixSpec{ipv4(10, 2, 0, 0), 16};
    spec.input_device = "eth0";
    spec.output_device = "eth1";
    spec.tos = 0x10;
    spec.mark = 5;
    spec.mark_mask = 0xff;
    spec.user_ids = {1, 2};
    spec.ip_protocol = 6;
    spec.source_ports = {1, 2};
    spec.destination_ports = {3, 4};
    spec.tunnel_id = 7;
    spec.realms = 5 << 16 | 6;
    spec.table = 70000;
    spec.suppressed_prefix_length = 8;
    spec.suppressed_group = 3;
    spec.priority = 1000;
    EXPECT_EQ(parts_of(write_new_rule(spec)), parts_of(recorded));
}

TEST(RuleCodec, WritesWhatIpWritesForGoto) {
    // ip -6 rule add from 2001:db8::/32 goto 2000 priority 1000 protocol keepalived
    const auto recorded = unhex(
        "480000002000050646ae006b000000000a00200000000002000000001400020020010db800000000000000000000000008000400d007000008000600"
        "e80300000500150012000000");
    RuleSpec spec;
    spec.family = Family::ipv6;
    spec.from = PrefixSpec{*read_address("2001:db8::"), 32};
    spec.action = FR_ACT_GOTO;
    spec.go_to = 2000;
    spec.priority = 1000;
    EXPECT_EQ(parts_of(write_new_rule(spec)), parts_of(recorded));
}

TEST(RuleCodec, WritesWhatIpWritesForL3mdev) {
    // ip rule add l3mdev priority 1000 protocol keepalived
    const auto recorded = unhex("340000002000050646ae006b00000000020000000000000100000000050013000100000008000600e80300000500150012000000");
    RuleSpec spec;
    spec.is_l3mdev = true;
    spec.priority = 1000;
    EXPECT_EQ(parts_of(write_new_rule(spec)), parts_of(recorded));
}

TEST(RuleCodec, ReadsBackWhatItWrites) {
    RuleSpec spec;
    spec.table = 70000;
    spec.priority = 1000;
    const EncodedRequest request = write_delete_rule(spec);
    const auto state = read_rule_state(*reinterpret_cast<const nlmsghdr*>(request.data()));
    ASSERT_TRUE(state);
    EXPECT_EQ(state->priority, 1000u);
    EXPECT_EQ(state->table, 70000u);
    EXPECT_EQ(state->action, FR_ACT_TO_TBL);
    EXPECT_EQ(state->protocol, our_route_protocol);
    EncodedRequest cut = request;
    reinterpret_cast<nlmsghdr*>(cut.data())->nlmsg_len = sizeof(nlmsghdr) + sizeof(fib_rule_hdr) - 1;
    EXPECT_FALSE(read_rule_state(*reinterpret_cast<const nlmsghdr*>(cut.data())));
}

}  // namespace
}  // namespace vigil::arp::kernel
