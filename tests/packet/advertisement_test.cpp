#include "packet/advertisement.h"

#include <gtest/gtest.h>

#include "tests/packet/frame_builder.h"

namespace vigil::packet {
namespace {

using test::address_of;
using test::frame;
using test::FrameBuilder;
using test::Octets;

const IpAddress router = ipv4(10, 0, 0, 1);
const IpAddress peer = ipv4(10, 0, 0, 2);
const IpAddress router_ipv6 = address_of("fe80::1");

FrameBuilder v3() { return frame().vrrp_v3(7, 200).address("10.0.0.100"); }
FrameBuilder v2() { return frame().vrrp_v2(7, 200).address("10.0.0.100"); }
FrameBuilder v3_ipv6() { return frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100"); }

ReceiveError error_of(const Octets& message, const IpAddress& source = router, const IpAddress& destination = vrrp_group_ipv4) {
    const auto advertisement = read_advertisement(message, source, destination);
    return advertisement ? ReceiveError::count_ : advertisement.error();
}

TEST(Rfc9568_5_2, ReadsEveryFieldOfVersion3) {
    const Octets message = v3().address("10.0.0.101").interval(4095).message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->version(), VrrpVersion::v3);
    EXPECT_EQ(view->vrid(), Vrid{7});
    EXPECT_EQ(view->priority(), Priority{200});
    EXPECT_EQ(view->address_count(), 2);
    EXPECT_EQ(view->max_advertise_interval(), Centiseconds{4095});
    EXPECT_EQ(view->address(0), ipv4(10, 0, 0, 100));
    EXPECT_EQ(view->address(1), ipv4(10, 0, 0, 101));
    EXPECT_EQ(view->family(), Family::ipv4);
}

TEST(Rfc9568_5_2, ReadsVersion3OverIpv6) {
    const Octets message = v3_ipv6().address("2001:db8::100").message();
    const auto view = read_advertisement(message, router_ipv6, vrrp_group_ipv6);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->family(), Family::ipv6);
    EXPECT_EQ(view->address(0), address_of("fe80::100"));
    EXPECT_EQ(view->address(1), address_of("2001:db8::100"));
    EXPECT_EQ(view->checksum_form(), ChecksumForm::pseudo_header);
}

TEST(Rfc3768_5_3, ReadsEveryFieldOfVersion2) {
    const Octets message = v2().interval(255).password("secret").message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->version(), VrrpVersion::v2);
    EXPECT_EQ(view->max_advertise_interval(), Centiseconds{25500});
    EXPECT_EQ(view->auth_type_octet(), 1);
    const Bytes auth_data = view->auth_data();
    EXPECT_EQ(std::string(auth_data.begin(), auth_data.end()), std::string("secret\0\0", 8));
    EXPECT_EQ(view->checksum_form(), ChecksumForm::message_only);
}

TEST(Rfc9568_5_2_6, IgnoresTheReservedBitsOnReceive) {
    const Octets message = v3().interval(0xf064).message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->max_advertise_interval(), Centiseconds{100});
}

TEST(ReadAdvertisement, TakesPriorityZeroAndOwner) {
    for (const int priority : {0, 1, 254, 255}) {
        const Octets message = frame().vrrp_v3(7, static_cast<std::uint8_t>(priority)).address("10.0.0.100").message();
        EXPECT_EQ(error_of(message), ReceiveError::count_) << priority;
    }
}

TEST(ReadAdvertisement, Takes255Addresses) {
    FrameBuilder builder = frame().vrrp_v3(7, 200);
    for (int i = 0; i < 255; ++i) builder.address(ipv4(10, 0, 1, static_cast<std::uint8_t>(i)));
    const Octets message = builder.message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->address(254), ipv4(10, 0, 1, 254));
}

TEST(ReadAdvertisement, Version2WithoutAddressesIsTaken) {
    const Octets message = frame().vrrp_v2(7, 200).message();
    EXPECT_EQ(message.size(), 16u);
    EXPECT_EQ(error_of(message), ReceiveError::count_);
}

TEST(ReadAdvertisement, OctetsBehindTheMessageAreNotPartOfIt) {
    Octets message = v3().message();
    const std::size_t size = message.size();
    message.insert(message.end(), 28, 0xee);
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->message().size(), size);
}

// Checksum forms.

TEST(Rfc9568_5_2_8, TakesTheSumOfTheMessageAloneOverIpv4) {
    const Octets message = v3().checksum(ChecksumForm::message_only).message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->checksum_form(), ChecksumForm::message_only);
}

TEST(Rfc5798_5_2_8, TakesTheSumWithPseudoHeaderOverIpv4) {
    const Octets message = v3().message();
    const auto view = read_advertisement(message, router, vrrp_group_ipv4);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->checksum_form(), ChecksumForm::pseudo_header);
}

TEST(ReadAdvertisement, TheRealPeerIsInThePseudoHeaderOfUnicast) {
    const Octets message = v3().ip(router, peer).message();
    EXPECT_EQ(read_advertisement(message, router, peer)->checksum_form(), ChecksumForm::pseudo_header);
    EXPECT_EQ(error_of(message, router, ipv4(10, 0, 0, 3)), ReceiveError::bad_checksum);
}

TEST(ReadAdvertisement, TakesTheGroupInThePseudoHeaderOfUnicastFromOldKeepalived) {
    const Octets message = v3().ip(router, peer).checksum(ChecksumForm::group_pseudo_header).message();
    const auto view = read_advertisement(message, router, peer);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->checksum_form(), ChecksumForm::group_pseudo_header);
}

TEST(ReadAdvertisement, RefusesTheGroupInThePseudoHeaderOfAnotherGroup) {
    const Octets message = v3().checksum(ChecksumForm::group_pseudo_header).message();
    EXPECT_EQ(error_of(message, router, ipv4(224, 0, 0, 99)), ReceiveError::bad_checksum);
}

TEST(Rfc9568_5_2_8, RefusesTheSumOfTheMessageAloneOverIpv6) {
    Octets message = v3_ipv6().message();
    message[6] = message[7] = 0;
    const std::uint16_t checksum = test::reference_checksum(message);
    message[6] = static_cast<std::uint8_t>(checksum >> 8);
    message[7] = static_cast<std::uint8_t>(checksum);
    EXPECT_EQ(error_of(message, router_ipv6, vrrp_group_ipv6), ReceiveError::bad_checksum);
}

TEST(Rfc3768_5_3_8, TheSumCoversTheAuthenticationData) {
    Octets message = v2().message();
    message.back() ^= 1;
    EXPECT_EQ(error_of(message), ReceiveError::bad_checksum);
}

TEST(Rfc3768_5_3_8, RefusesAPseudoHeaderInVersion2) {
    // 0a00 + 0001 + e000 + 0012 + 0070 + 0014: what a pseudo-header would add to the sum of 20 octets.
    Octets message = v2().message();
    unsigned sum = static_cast<unsigned>(message[6]) << 8 | message[7];
    sum += 0xffff - (0x0a00 + 0x0001 + 0xe000 + 0x0012 + 0x0070 + 0x0014);
    if (sum > 0xffff) sum -= 0xffff;
    message[6] = static_cast<std::uint8_t>(sum >> 8);
    message[7] = static_cast<std::uint8_t>(sum);
    EXPECT_EQ(error_of(message), ReceiveError::bad_checksum);
}

TEST(Rfc9568_7_1, EverySingleBitErrorIsRefused) {
    for (const Octets& good : {v3().message(), v2().message(), v3().checksum(ChecksumForm::message_only).message()}) {
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            Octets message = good;
            message[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
            EXPECT_NE(error_of(message), ReceiveError::count_) << bit;
        }
    }
}

// One wrong thing each.

TEST(Rfc9568_7_1, RefusesABadChecksum) {
    EXPECT_EQ(error_of(v3().bad_checksum().message()), ReceiveError::bad_checksum);
    EXPECT_EQ(error_of(v2().bad_checksum().message()), ReceiveError::bad_checksum);
}

TEST(Rfc9568_7_1, RefusesAnotherVersion) {
    for (const int version : {0, 1, 4, 15}) {
        EXPECT_EQ(error_of(v3().version(static_cast<std::uint8_t>(version)).message()), ReceiveError::bad_version) << version;
    }
}

TEST(ReadAdvertisement, RefusesVersion2OverIpv6) {
    const Octets message = frame().ipv6("fe80::1", "ff02::12").vrrp_v2(7, 200).address("fe80::100").message();
    EXPECT_EQ(error_of(message, router_ipv6, vrrp_group_ipv6), ReceiveError::bad_version);
}

TEST(Rfc9568_5_2_2, RefusesAnotherType) {
    for (const int type : {0, 2, 15}) {
        EXPECT_EQ(error_of(v3().type(static_cast<std::uint8_t>(type)).message()), ReceiveError::bad_type) << type;
    }
}

TEST(Rfc9568_5_2_3, RefusesVridZero) {
    EXPECT_EQ(error_of(frame().vrrp_v3(0, 200).address("10.0.0.100").message()), ReceiveError::zero_vrid);
}

TEST(Rfc9568_5_2_5, RefusesVersion3WithoutAddresses) {
    EXPECT_EQ(error_of(frame().vrrp_v3(7, 200).message()), ReceiveError::no_addresses);
}

TEST(Erratum8301, RefusesIntervalZero) {
    EXPECT_EQ(error_of(v3().interval(0).message()), ReceiveError::zero_interval);
    EXPECT_EQ(error_of(v3().interval(0xf000).message()), ReceiveError::zero_interval);  // only reserved bits
    EXPECT_EQ(error_of(v2().interval(0).message()), ReceiveError::zero_interval);
}

TEST(ReadAdvertisement, RefusesAVersion2IntervalOfZeroWhateverTheAuthType) {
    EXPECT_EQ(error_of(v2().password("x").interval(0).message()), ReceiveError::zero_interval);
}

TEST(ReadAdvertisement, RefusesWhatIsShorterThanTheFixedPart) {
    EXPECT_EQ(error_of({}), ReceiveError::truncated);
    EXPECT_EQ(error_of({0x31, 7, 200, 1, 0, 100, 0}), ReceiveError::truncated);
}

TEST(Rfc9568_7_1, RefusesACountThatTheLengthDoesNotHold) {
    EXPECT_EQ(error_of(v3().address_count(2).message()), ReceiveError::truncated);
    EXPECT_EQ(error_of(v3().address_count(255).message()), ReceiveError::truncated);
}

TEST(Rfc3768_7_1, RefusesVersion2WithoutRoomForAuthenticationData) {
    EXPECT_EQ(error_of(v2().address_count(2).message()), ReceiveError::truncated);
}

TEST(Erratum8300, SaysWhetherTheFirstIpv6AddressIsLinkLocal) {
    const Octets local_first = v3_ipv6().address("2001:db8::100").message();
    EXPECT_TRUE(read_advertisement(local_first, router_ipv6, vrrp_group_ipv6)->is_first_address_link_local());
    const Octets global_first = frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("2001:db8::100").address("fe80::100").message();
    const auto view = read_advertisement(global_first, router_ipv6, vrrp_group_ipv6);
    ASSERT_TRUE(view);  // refused only where strict, by the engine
    EXPECT_FALSE(view->is_first_address_link_local());
}

}  // namespace
}  // namespace vigil::packet
