// RFC 5880 §4.1 and §6.8.6: the control packet, and each reason to discard one.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "frame_builder.h"
#include "packet/bfd_control.h"

namespace vigil::packet::test {
namespace {

using vigil::test::from_hex;
using vigil::test::Octets;

/// Version 1, no diagnostic, state Down, Detect Mult 5, My Discriminator 1, 1 s, 10 ms, no Echo. Worked out from the picture in §4.1.
const char* const plain = "20 40 05 18  00000001 00000000  000f4240 00002710 00000000";

Octets packet_with(std::size_t at, std::uint8_t value) {
    Octets octets = from_hex(plain);
    octets[at] = value;
    return octets;
}

BfdReceiveError error_of(const Octets& octets) {
    const auto control = read_bfd_control(octets);
    return control ? BfdReceiveError::count_ : control.error();
}

TEST(BfdControl, EveryFieldIsReadFromItsPlace) {
    const auto control = read_bfd_control(from_hex("2a ea 07 18  11223344 55667788  00000102 00000304 00000506"));
    ASSERT_TRUE(control);
    EXPECT_EQ(control->diagnostic, static_cast<BfdDiagnostic>(10));
    EXPECT_EQ(control->state, BfdState::up);
    EXPECT_TRUE(control->poll);
    EXPECT_FALSE(control->final);
    EXPECT_TRUE(control->control_plane_independent);
    EXPECT_TRUE(control->demand);
    EXPECT_EQ(control->detect_multiplier, 7);
    EXPECT_EQ(control->my_discriminator, 0x11223344u);
    EXPECT_EQ(control->your_discriminator, 0x55667788u);
    EXPECT_EQ(control->desired_min_tx, 0x102u);
    EXPECT_EQ(control->required_min_rx, 0x304u);
    EXPECT_EQ(control->required_min_echo_rx, 0x506u);
}

TEST(BfdControl, TheFlagsAreTheBitsOfThePicture) {
    const auto flags = [](std::uint8_t second) { return read_bfd_control(packet_with(1, second)).value(); };
    EXPECT_TRUE(flags(0x60).poll);
    EXPECT_TRUE(flags(0x50).final);
    EXPECT_TRUE(flags(0x48).control_plane_independent);
    EXPECT_TRUE(flags(0x42).demand);
    EXPECT_EQ(flags(0x40).state, BfdState::down);
    EXPECT_EQ(flags(0x00).state, BfdState::admin_down);
}

TEST(BfdControl, WhatIsWrittenIsThePictureAndIsReadBack) {
    BfdControl control{.diagnostic = BfdDiagnostic::path_down, .state = BfdState::init, .poll = true, .control_plane_independent = true, .demand = true,
                       .detect_multiplier = 3, .my_discriminator = 0x01020304, .your_discriminator = 0x05060708, .desired_min_tx = 10'000,
                       .required_min_rx = 20'000, .required_min_echo_rx = 0};
    const auto bytes = write_bfd_control(control);
    EXPECT_EQ(Octets(bytes.begin(), bytes.end()), from_hex("25 aa 03 18  01020304 05060708  00002710 00004e20 00000000"));
    EXPECT_EQ(read_bfd_control(bytes), control);
    control.poll = false;
    control.final = true;
    EXPECT_EQ(read_bfd_control(write_bfd_control(control)), control);
}

TEST(BfdControl, EveryLengthBelowTheMandatorySectionIsTruncated) {
    const Octets whole = from_hex(plain);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(error_of(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), BfdReceiveError::truncated) << size;
    }
    EXPECT_TRUE(read_bfd_control(whole));
}

TEST(Rfc5880_6_8_6, AnotherVersionIsDiscarded) {
    EXPECT_EQ(error_of(packet_with(0, 0x00)), BfdReceiveError::bad_version);
    EXPECT_EQ(error_of(packet_with(0, 0x40)), BfdReceiveError::bad_version);
}

TEST(Rfc5880_6_8_6, ALengthBelowTheLeastIsDiscarded) {
    EXPECT_EQ(error_of(packet_with(3, 23)), BfdReceiveError::bad_length);
    Octets authenticated = from_hex(plain);
    authenticated[1] |= 0x04;
    authenticated.resize(40);
    authenticated[3] = 25;   // 26 with the A bit
    EXPECT_EQ(error_of(authenticated), BfdReceiveError::bad_length);
}

TEST(Rfc5880_6_8_6, ALengthBeyondTheDatagramIsDiscardedAndOneWithinIsNot) {
    EXPECT_EQ(error_of(packet_with(3, 25)), BfdReceiveError::bad_length);
    Octets longer = packet_with(3, 25);
    longer.push_back(0);
    EXPECT_TRUE(read_bfd_control(longer));
}

TEST(Rfc5880_6_8_6, ADetectMultOfZeroIsDiscarded) { EXPECT_EQ(error_of(packet_with(2, 0)), BfdReceiveError::zero_multiplier); }

TEST(Rfc5880_6_8_6, TheMultipointBitIsDiscarded) { EXPECT_EQ(error_of(packet_with(1, 0x41)), BfdReceiveError::multipoint); }

TEST(Rfc5880_6_8_6, AMyDiscriminatorOfZeroIsDiscarded) { EXPECT_EQ(error_of(packet_with(7, 0)), BfdReceiveError::zero_my_discriminator); }

TEST(Rfc5880_6_8_6, AYourDiscriminatorOfZeroIsDiscardedUnlessDownOrAdminDown) {
    EXPECT_EQ(error_of(packet_with(1, 0x80)), BfdReceiveError::zero_your_discriminator);   // Init
    EXPECT_EQ(error_of(packet_with(1, 0xc0)), BfdReceiveError::zero_your_discriminator);   // Up
    EXPECT_TRUE(read_bfd_control(packet_with(1, 0x40)));
    EXPECT_TRUE(read_bfd_control(packet_with(1, 0x00)));
    Octets known = packet_with(1, 0xc0);
    known[11] = 1;
    EXPECT_TRUE(read_bfd_control(known));
}

TEST(Rfc5880_6_8_6, AuthenticationThatNobodyAskedForIsDiscarded) {
    Octets authenticated = packet_with(1, 0x44);
    authenticated.resize(26);
    authenticated[3] = 26;
    EXPECT_EQ(error_of(authenticated), BfdReceiveError::authenticated);
}

TEST(BfdControl, EveryNameIsItsOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < bfd_receive_error_count; ++i) names.insert(to_string(static_cast<BfdReceiveError>(i)));
    EXPECT_EQ(names.size(), bfd_receive_error_count);
    std::set<std::string_view> diagnostics;
    for (int i = 0; i <= 9; ++i) diagnostics.insert(to_string(static_cast<BfdDiagnostic>(i)));
    EXPECT_EQ(diagnostics.size(), 10u);   // 9 and above: "reserved"
    EXPECT_EQ(to_string(static_cast<BfdDiagnostic>(31)), "reserved");
}

}  // namespace
}  // namespace vigil::packet::test
