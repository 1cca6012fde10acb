#include "ipvs/codec.h"

#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/ipvs/entries.h"
#include "tests/ipvs/recorded.h"

namespace vigil::ipvs {
namespace {

using namespace test;
using netlink::MessageWriter;

std::vector<std::byte> unhex(std::string_view text) {
    const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte one : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[std::to_integer<unsigned>(one) >> 4];
        text += digits[std::to_integer<unsigned>(one) & 15];
    }
    return text;
}

/// A message in memory of exactly its length, so that sanitizers see what is read beyond.
class Message {
public:
    explicit Message(std::string_view text) : bytes_(unhex(text)) {}
    explicit Message(const MessageWriter& written) : bytes_(written.bytes().begin(), written.bytes().end()) {}
    const nlmsghdr& operator*() const { return *reinterpret_cast<const nlmsghdr*>(bytes_.data()); }
    std::vector<std::byte>& bytes() { return bytes_; }

private:
    std::vector<std::byte> bytes_;
};

struct Room {
    netlink::RequestRoom room{};
    RequestHead head() { return {room.bytes, 0x1c, 7}; }
};

TEST(ReadAnswer, TheNumberOfTheFamily) {
    EXPECT_EQ(read_family_id(*Message(recorded::family)), 0x1c);
    EXPECT_EQ(read_family_id(*Message(recorded::info)), std::nullopt);
}

TEST(ReadAnswer, AServiceWithPersistenceAndSchedulerFlags) {
    const auto found = read_service(*Message(recorded::service_persistent));
    ASSERT_TRUE(found);
    Service expected = persistent(service("192.0.2.1", 443, "sh"), 300);
    expected.granularity = 0xffffff00;
    expected.scheduler_flags = SchedulerFlag::sh_port;
    EXPECT_EQ(found->service, expected);
    EXPECT_EQ(found->statistics, Statistics{});
}

TEST(ReadAnswer, AServiceOfIpv6) {
    const auto found = read_service(*Message(recorded::service_ipv6_mh));
    ASSERT_TRUE(found);
    Service expected = service("2001:db8::1", 80, "mh");
    expected.scheduler_flags = SchedulerFlag::mh_fallback;
    EXPECT_EQ(found->service, expected);
}

TEST(ReadAnswer, AServiceWithAPersistenceEngine) {
    const auto found = read_service(*Message(recorded::service_sip));
    ASSERT_TRUE(found);
    Service expected = persistent(service("192.0.2.1", 5060, "rr", Protocol::udp), 60);
    expected.persistence_engine = "sip";
    EXPECT_EQ(found->service, expected);
}

TEST(ReadAnswer, AServiceByFirewallMark) {
    const auto found = read_service(*Message(recorded::service_mark));
    ASSERT_TRUE(found);
    Service expected = mark(Family::ipv6, 7, "rr");
    expected.is_one_packet = true;
    EXPECT_EQ(found->service, expected);
}

TEST(ReadAnswer, ADestinationWithThresholds) {
    const auto found = read_destination(*Message(recorded::destination_masqueraded), Family::ipv4);
    ASSERT_TRUE(found);
    Destination expected = server("10.0.0.1", 8443, 3);
    expected.upper_threshold = 1000;
    expected.lower_threshold = 800;
    EXPECT_EQ(found->destination, expected);
    EXPECT_EQ(found->active_connections + found->inactive_connections + found->persistent_connections, 0u);
}

TEST(ReadAnswer, ADestinationBehindATunnel) {
    const auto found = read_destination(*Message(recorded::destination_gue), Family::ipv6);
    ASSERT_TRUE(found);
    Destination expected = tunnelled("2001:db8::2", 80, {TunnelType::gue, false, true, 6080});
    expected.weight = 0;
    EXPECT_EQ(found->destination, expected);
}

TEST(ReadAnswer, FlagsThatTheirMaskDoesNotMeanDoNotCount) {
    std::string text(recorded::service_mark);
    const std::string_view all = "0c00070006000000ffffffff", persistence = "0c0007000700000001000000";
    text.replace(text.find(all), all.size(), persistence);
    const auto found = read_service(*Message(text));
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->service.is_persistent);
    EXPECT_FALSE(found->service.is_one_packet);
}

TEST(ReadAnswer, SyncDaemonsOfBothRolesAndFamilies) {
    const SyncDaemon active{SyncRole::active, "d0", 9, 1400, address("224.0.0.99"), 8849, 2};
    const SyncDaemon backup{SyncRole::backup, "d0", 9, 1452, address("ff02::99"), 8848, 1};
    EXPECT_EQ(read_daemon(*Message(recorded::daemon_active)), active);
    EXPECT_EQ(read_daemon(*Message(recorded::daemon_backup)), backup);
}

TEST(ReadAnswer, TimeoutsAndInfo) {
    EXPECT_EQ(read_timeouts(*Message(recorded::timeouts)), (Timeouts{900, 120, 300}));
    const auto info = read_info(*Message(recorded::info));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->version, 0x010201u);
    EXPECT_EQ(info->connection_table_size, 4096u);
}

/// A service or destination of NEW_SERVICE with statistics in one of the two forms.
Message with_statistics(Room& room, std::uint16_t attribute, bool is_wide) {
    MessageWriter message(room.room.bytes, 0x1c, 0, 1);
    message.put_header<genlmsghdr>()->cmd = IPVS_CMD_NEW_SERVICE;
    message.begin_nested(IPVS_CMD_ATTR_SERVICE);
    message.put_u16(IPVS_SVC_ATTR_AF, 2);
    message.put_u32(IPVS_SVC_ATTR_FWMARK, 5);
    message.put_text(IPVS_SVC_ATTR_SCHED_NAME, "rr");
    message.put_u64(IPVS_SVC_ATTR_FLAGS, 0xffffffff00000002);
    message.put_u32(IPVS_SVC_ATTR_NETMASK, 0xffffffff);
    message.begin_nested(attribute);
    for (std::uint16_t type = IPVS_STATS_ATTR_CONNS; type <= IPVS_STATS_ATTR_OUTBPS; ++type) {
        const bool is_octets = type == IPVS_STATS_ATTR_INBYTES || type == IPVS_STATS_ATTR_OUTBYTES;
        if (is_wide || is_octets) message.put_u64(type, std::uint64_t{0x100000000} + type);
        else message.put_u32(type, type);
    }
    message.end_nested();
    message.end_nested();
    EXPECT_TRUE(message.fits());
    return Message(message);
}

TEST(ReadAnswer, StatisticsOf64And32Bits) {
    Room room;
    const std::uint64_t high = 0x100000000;
    const auto wide = read_service(*with_statistics(room, IPVS_SVC_ATTR_STATS64, true));
    ASSERT_TRUE(wide);
    EXPECT_EQ(wide->statistics, (Statistics{high + 1, high + 2, high + 3, high + 4, high + 5, high + 6, high + 7, high + 8, high + 9, high + 10}));
    const auto narrow = read_service(*with_statistics(room, IPVS_SVC_ATTR_STATS, false));
    ASSERT_TRUE(narrow);
    EXPECT_EQ(narrow->statistics, (Statistics{1, 2, 3, high + 4, high + 5, 6, 7, 8, 9, 10}));
}

/// Every recorded answer, cut at every place and with every octet changed: each reader says something or nothing, and reads nothing beyond.
TEST(ReadAnswer, DamagedAnswersAreReadWithoutHarm) {
    const auto read_all = [](const nlmsghdr& message) {
        return (read_family_id(message) ? 1 : 0) + (read_service(message) ? 1 : 0) + (read_destination(message, Family::ipv4) ? 1 : 0) +
               (read_daemon(message) ? 1 : 0) + (read_timeouts(message) ? 1 : 0) + (read_info(message) ? 1 : 0);
    };
    int understood = 0;
    for (const auto text : {recorded::service_persistent, recorded::destination_gue, recorded::daemon_backup, recorded::timeouts, recorded::info}) {
        for (std::size_t cut = NLMSG_HDRLEN; cut < text.size() / 2; cut += 4) {
            Message message(text.substr(0, cut * 2));
            const auto length = static_cast<std::uint32_t>(cut);
            std::memcpy(message.bytes().data(), &length, sizeof length);
            understood += read_all(*message);
        }
        for (std::size_t at = sizeof(std::uint32_t); at < text.size() / 2; ++at) {
            for (const std::byte octet : {std::byte{0}, std::byte{1}, std::byte{0x7f}, std::byte{0xff}}) {
                Message message(text);
                message.bytes()[at] = octet;
                understood += read_all(*message);
            }
        }
    }
    EXPECT_GT(understood, 0);
}

TEST(ReadAnswer, WhatHasNoKeyOrNoMeaningIsNoService) {
    const auto with = [](std::string_view text, std::string_view from, std::string_view to) {
        std::string changed(text);
        const auto at = changed.find(from);
        EXPECT_NE(at, std::string::npos);
        return changed.replace(at, to.size(), to);
    };
    EXPECT_FALSE(read_service(*Message(with(recorded::service_persistent, "0600010002000000", "0600010003000000"))));  // address family 3
    EXPECT_FALSE(read_service(*Message(with(recorded::service_persistent, "0600020006000000", "0600020001000000"))));  // ICMP
    EXPECT_FALSE(read_service(*Message(with(recorded::service_persistent, "0700060073680000", "0700060073686800"))));  // no NUL at the end
    EXPECT_FALSE(read_destination(*Message(with(recorded::destination_masqueraded, "0800030000000000", "0800030005000000")), Family::ipv4));
    EXPECT_FALSE(read_destination(*Message(with(recorded::destination_masqueraded, "0800040003000000", "08000400030000ff")), Family::ipv4));  // < 0
    EXPECT_FALSE(read_daemon(*Message(with(recorded::daemon_active, "0800010001000000", "0800010003000000"))));
    EXPECT_FALSE(read_daemon(*Message(with(recorded::daemon_active, "0800030009000000", "0800030009010000"))));
}

TEST(WriteRequest, AServiceAsItsAnswerReads) {
    Room room;
    const auto expected = read_service(*Message(recorded::service_persistent))->service;
    EXPECT_EQ(read_service(*Message(write_new_service(room.head(), expected)))->service, expected);
    const auto ipv6 = read_service(*Message(recorded::service_ipv6_mh))->service;
    EXPECT_EQ(read_service(*Message(write_new_service(room.head(), ipv6)))->service, ipv6);
    const auto sip = read_service(*Message(recorded::service_sip))->service;
    EXPECT_EQ(read_service(*Message(write_new_service(room.head(), sip)))->service, sip);
    const auto by_mark = read_service(*Message(recorded::service_mark))->service;
    EXPECT_EQ(read_service(*Message(write_new_service(room.head(), by_mark)))->service, by_mark);
}

TEST(WriteRequest, OctetByOctet) {
    Room room;
    const ServiceKey key = service("192.0.2.1", 80).key;
    EXPECT_EQ(hex(write_set_service(room.head(), persistent(service("192.0.2.1", 80, "rr"), 300)).bytes()),
              "680000001c000100070000000000000002010000"             // length, family, flags; SET_SERVICE, version 1
              "54000180"                                             // service, nested
              "0600010002000000" "0600020006000000"                  // AF_INET, TCP
              "14000300c0000201000000000000000000000000" "0600040000500000"
              "0700060072720000" "0c00070001000000ffffffff"          // rr, persistent
              "080008002c010000" "08000900ffffffff");                // 300 s, /32
    EXPECT_EQ(hex(write_delete_destination(room.head(), key, {address("10.0.0.1"), 8080}).bytes()),
              "6c0000001c00010007000000000000000701000030000180"
              "06000100020000000600020006000000"
              "14000300c0000201000000000000000000000000" "0600040000500000"
              "28000280"
              "140001000a000001000000000000000000000000" "060002001f900000" "06000b0002000000");
    EXPECT_EQ(hex(write_get_services(room.head()).bytes()), "140000001c0001030700000000000000" "04010000");
    EXPECT_EQ(hex(write_stop_daemon(room.head(), SyncRole::backup).bytes()), "200000001c00010007000000000000000a010000" "0c000380" "0800010002000000");
}

TEST(WriteRequest, ADestinationAsItsAnswerReads) {
    Room room;
    const ServiceKey key = service("192.0.2.1", 443).key;
    for (const Forwarding forwarding : {Forwarding::masquerade, Forwarding::local, Forwarding::tunnel, Forwarding::direct_route}) {
        Destination one = server("2001:db8::7", 8443, 2147483647, forwarding);
        one.upper_threshold = 5;
        one.lower_threshold = 4;
        if (forwarding == Forwarding::tunnel) one.tunnel = {TunnelType::gue, true, true, 6080};
        EXPECT_EQ(read_destination(*Message(write_new_destination(room.head(), key, one)), Family::ipv4)->destination, one);
    }
}

TEST(WriteRequest, ADaemonAsItsAnswerReads) {
    Room room;
    for (const auto text : {recorded::daemon_active, recorded::daemon_backup}) {
        const auto expected = read_daemon(*Message(text));
        EXPECT_EQ(read_daemon(*Message(write_start_daemon(room.head(), *expected))), expected);
    }
}

TEST(WriteRequest, NoneIsLongerThanItIsSaidToBe) {
    Room room;
    Service longest = persistent(service("2001:db8::1", 443, "lblcr12345678901"), 300);
    longest.persistence_engine = "123456789012345";
    const Destination gue = tunnelled("2001:db8::2", 80, {TunnelType::gue, false, true, 6080});
    EXPECT_LE(write_new_service(room.head(), longest).bytes().size(), largest_request_bytes);
    EXPECT_LE(write_new_destination(room.head(), longest.key, gue).bytes().size(), largest_request_bytes);
}

TEST(WriteRequest, WhatDoesNotFitSaysSo) {
    alignas(nlmsghdr) std::array<std::byte, 64> small{};
    EXPECT_FALSE(write_new_service({small, 0x1c, 1}, service("192.0.2.1", 80)).fits());
    EXPECT_FALSE(write_family_request({std::span(small).first(8), 0, 1}).fits());
}

}  // namespace
}  // namespace vigil::ipvs
