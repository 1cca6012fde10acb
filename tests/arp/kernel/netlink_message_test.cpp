
#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"

namespace vigil::arp::kernel {
namespace {

std::vector<std::byte> link_message(std::uint16_t type = RTM_NEWLINK, unsigned char family = AF_UNSPEC) {
    RequestRoom room{};
    MessageWriter message(room.bytes, type, 0, 1);
    auto* const header = message.put_header<ifinfomsg>();
    header->ifi_index = 7;
    header->ifi_family = family;
    message.put_text(IFLA_IFNAME, "eth0");
    message.put_mac(IFLA_ADDRESS, virtual_mac(Family::ipv4, Vrid{51}));
    message.put_u32(IFLA_MTU, 1500);
    message.put_u32(IFLA_LINK, 3);
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, "macvlan");
    message.end_nested();
    message.put_text(IFLA_IFALIAS, "vigil vrrp 51");
    return {message.bytes().begin(), message.bytes().end()};
}

std::vector<std::byte> address_message(std::uint8_t prefix_length = 24) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWADDR, 0, 1);
    auto* const header = message.put_header<ifaddrmsg>();
    header->ifa_family = AF_INET;
    header->ifa_index = 7;
    header->ifa_prefixlen = prefix_length;
    message.put_address(IFA_LOCAL, ipv4(192, 0, 2, 1));
    message.put_address(IFA_ADDRESS, ipv4(192, 0, 2, 1));
    message.put_u8(IFA_PROTO, our_address_protocol);
    message.put_u32(IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    return {message.bytes().begin(), message.bytes().end()};
}

const nlmsghdr& as_header(const std::vector<std::byte>& bytes) { return *reinterpret_cast<const nlmsghdr*>(bytes.data()); }

TEST(MessageWriter, RefusesWhatDoesNotFitAndWritesNothingBeyondItsRoom) {
    for (std::size_t size = 0; size <= 64; size += 4) {
        std::vector<std::byte> room(size + 64, std::byte{0xee});
        MessageWriter message(std::span<std::byte>(room).first(size), RTM_NEWADDR, 0, 1);
        message.put_header<ifaddrmsg>();
        message.put_address(IFA_LOCAL, ipv4(192, 0, 2, 1));
        message.begin_nested(IFA_LABEL);
        message.put_text(IFA_LABEL, "a label");
        message.end_nested();
        EXPECT_EQ(message.fits(), size >= 48) << size;  // 16 + 8 + 8 + 4 + 12
        EXPECT_EQ(message.bytes().empty(), size < 48) << size;
        EXPECT_TRUE(std::ranges::all_of(std::span(room).subspan(size), [](std::byte b) { return b == std::byte{0xee}; }));
    }
}

TEST(MessageWriter, RefusesNestingDeeperThanItRemembers) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, 0, 1);
    for (int depth = 0; depth < 4; ++depth) message.begin_nested(IFLA_LINKINFO);
    EXPECT_TRUE(message.fits());
    message.begin_nested(IFLA_LINKINFO);
    EXPECT_FALSE(message.fits());
}

TEST(ReadLink, TakesEveryField) {
    const auto bytes = link_message();
    const auto link = read_link(as_header(bytes));
    ASSERT_TRUE(link);
    EXPECT_EQ(link->index, 7U);
    EXPECT_EQ(link->name, "eth0");
    EXPECT_EQ(to_string(link->mac), "00:00:5e:00:01:33");
    EXPECT_EQ(link->mtu, 1500U);
    EXPECT_EQ(link->lower, 3U);
    EXPECT_EQ(link->kind, "macvlan");
    EXPECT_EQ(link->alias, "vigil vrrp 51");
}

TEST(ReadLink, IgnoresTheBridgePortFlavour) {
    const auto bytes = link_message(RTM_DELLINK, AF_BRIDGE);
    EXPECT_FALSE(read_link(as_header(bytes)));
}

TEST(ReadLink, IgnoresALowerLinkInAnotherNamespace) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, 0, 1);
    message.put_header<ifinfomsg>()->ifi_index = 7;
    message.put_text(IFLA_IFNAME, "eth0");
    message.put_u32(IFLA_LINK, 3);
    message.put_u32(IFLA_LINK_NETNSID, 0);
    EXPECT_EQ(read_link(*reinterpret_cast<const nlmsghdr*>(room.bytes.data()))->lower, 0U);
}

TEST(ReadAddress, TakesEveryFieldAndRefusesAnImpossiblePrefix) {
    const auto bytes = address_message();
    const auto address = read_address_state(as_header(bytes));
    ASSERT_TRUE(address);
    EXPECT_EQ(address->key, (AddressKey{7, ipv4(192, 0, 2, 1), 24, {}}));
    EXPECT_EQ(address->protocol, our_address_protocol);
    EXPECT_EQ(address->flags, unsigned{IFA_F_NOPREFIXROUTE});
    EXPECT_FALSE(read_address_state(as_header(address_message(33))));
}

TEST(AttributeTable, ValuesOfTheWrongSizeAreAbsent) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, 0, 1);
    message.put_header<ifinfomsg>();
    const std::array<std::uint8_t, 3> three{'a', 'b', 'c'};
    for (std::uint16_t type = 1; type <= 4; ++type) message.put(type, three);
    const AttributeTable attributes(*reinterpret_cast<const nlmsghdr*>(room.bytes.data()), sizeof(ifinfomsg));
    EXPECT_TRUE(attributes.has(1));
    EXPECT_FALSE(attributes.u32(1));
    EXPECT_FALSE(attributes.text(2)) << "not terminated";
    EXPECT_FALSE(attributes.mac(3));
    EXPECT_FALSE(attributes.address(4, Family::ipv4));
    EXPECT_FALSE(attributes.has(AttributeTable::capacity));
}

// Every message is copied to the end of an allocation of its own, so that AddressSanitizer sees any read beyond it.
TEST(Readers, SurviveDamagedMessages) {
    std::mt19937 random(20260901);
    const std::array originals{link_message(), address_message()};
    for (int round = 0; round < 200'000; ++round) {
        const auto& original = originals[static_cast<std::size_t>(round) % originals.size()];
        const std::size_t size = std::uniform_int_distribution<std::size_t>(sizeof(nlmsghdr), original.size())(random);
        const auto copy = std::make_unique<std::byte[]>(size);
        std::memcpy(copy.get(), original.data(), size);
        for (int flips = 0; flips < 3; ++flips) {
            const std::size_t at = std::uniform_int_distribution<std::size_t>(4, size - 1)(random);
            copy[at] = static_cast<std::byte>(random());
        }
        auto* const header = reinterpret_cast<nlmsghdr*>(copy.get());
        header->nlmsg_len = static_cast<std::uint32_t>(size);
        for_each_message({copy.get(), size}, [](const nlmsghdr& message) {
            (void)read_link(message);
            (void)read_address_state(message);
            (void)read_route(message);
            (void)read_verdict(message);
        });
    }
}

TEST(ForEachMessage, StopsAtALengthThatLies) {
    auto bytes = link_message();
    const std::size_t one = bytes.size();
    bytes.insert(bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(one));
    int count = 0;
    for_each_message(bytes, [&](const nlmsghdr&) { ++count; });
    EXPECT_EQ(count, 2);
    reinterpret_cast<nlmsghdr*>(bytes.data() + one)->nlmsg_len = static_cast<std::uint32_t>(one + 4);
    count = 0;
    for_each_message(bytes, [&](const nlmsghdr&) { ++count; });
    EXPECT_EQ(count, 1);
    reinterpret_cast<nlmsghdr*>(bytes.data() + one)->nlmsg_len = 0xfffffff0;  // negative as an int, and so small to libmnl
    count = 0;
    for_each_message(bytes, [&](const nlmsghdr&) { ++count; });
    EXPECT_EQ(count, 1);
}

TEST(MessageWriter, LeavesNothingOfTheRoomInThePadding) {
    RequestRoom room{};
    room.bytes.fill(std::byte{0xee});
    MessageWriter message(room.bytes, RTM_NEWADDR, 0, 1);
    message.put_u8(IFA_PROTO, 0xaa);
    message.put_u16(IFA_FLAGS, 0xbbbb);
    message.put_text(IFA_LABEL, "lo");
    EXPECT_EQ(std::ranges::count(message.bytes(), std::byte{0xee}), 0);
}

TEST(ReadVerdict, ReadsTheKernelsSentenceWithAndWithoutTheEchoedRequest) {
    for (const bool is_capped : {true, false}) {
        RequestRoom room{};
        MessageWriter message(room.bytes, NLMSG_ERROR, NLM_F_ACK_TLVS | (is_capped ? NLM_F_CAPPED : 0), 1);
        auto* const error = message.put_header<nlmsgerr>();
        error->error = -ENODEV;
        error->msg.nlmsg_len = NLMSG_HDRLEN + sizeof(ifaddrmsg);
        if (!is_capped) message.put_header<ifaddrmsg>();
        message.put_text(NLMSGERR_ATTR_MSG, "no such thing");
        const auto bytes = message.bytes();
        EXPECT_EQ(read_verdict(*reinterpret_cast<const nlmsghdr*>(bytes.data())), (KernelError{ENODEV, "no such thing"}));
    }
}

TEST(ReadVerdict, RefusesAMessageWithoutACode) {
    alignas(nlmsghdr) std::array<std::byte, 16> room{};
    const MessageWriter message(room, NLMSG_ERROR, 0, 1);
    EXPECT_EQ(read_verdict(*reinterpret_cast<const nlmsghdr*>(room.data())).error_number, EBADMSG);
}

TEST(ReadVerdict, RefusesACodeThatIsNoErrno) {
    // INT_MIN cannot be negated: found by UndefinedBehaviorSanitizer on damaged messages.
    for (const int code : {std::numeric_limits<int>::min(), -4096}) {
        RequestRoom room{};
        MessageWriter message(room.bytes, NLMSG_ERROR, 0, 1);
        message.put_header<nlmsgerr>()->error = code;
        EXPECT_EQ(read_verdict(*reinterpret_cast<const nlmsghdr*>(room.bytes.data())).error_number, EBADMSG) << code;
    }
}

TEST(KernelError, ReadsWellInALog) {
    EXPECT_EQ(to_string(KernelError{EPERM, "add 192.0.2.1"}), "Operation not permitted (1): add 192.0.2.1");
    EXPECT_EQ(to_string(KernelError{ENODEV, ""}), "No such device (19)");
}

}  // namespace
}  // namespace vigil::arp::kernel
