#include "engine/cli/vlan_path.h"

#include <gtest/gtest.h>

#include "tests/packet/frame_builder.h"

namespace vigil::test {
namespace {

using cli::VlanPath;
using cli::vlan_path_of_frame;
using cli::vlan_path_of_interface;

TEST(VlanPath, AnInterfaceNameSaysItsVlan) {
    EXPECT_EQ(vlan_path_of_interface("eth0"), (VlanPath{0, 0}));
    EXPECT_EQ(vlan_path_of_interface("eth0.5"), (VlanPath{5, 0}));
    EXPECT_EQ(vlan_path_of_interface("eth0.7.5"), (VlanPath{7, 5}));
    EXPECT_EQ(vlan_path_of_interface("vlan12"), (VlanPath{12, 0}));
    EXPECT_EQ(vlan_path_of_interface("vlan0012"), (VlanPath{12, 0}));
}

TEST(VlanPath, WhatIsNoVlanNumberIsPartOfTheName) {
    for (const char* name : {"eth0.", "eth0.x", "eth0.4095", "eth0.0", "eth0.70000", "vlan", "vlanx", "lan.5x"}) {
        EXPECT_EQ(vlan_path_of_interface(name), VlanPath{}) << name;
    }
}

TEST(VlanPath, OfAFrameTheOutermostTagIsFirst) {
    EXPECT_EQ(vlan_path_of_frame(frame().address("10.0.0.9").build()), (VlanPath{0, 0}));
    EXPECT_EQ(vlan_path_of_frame(frame().vlan(5).address("10.0.0.9").build()), (VlanPath{5, 0}));
    EXPECT_EQ(vlan_path_of_frame(frame().vlan(7, 0x88a8).vlan(5).address("10.0.0.9").build()), (VlanPath{7, 5}));
}

TEST(VlanPath, APriorityTagIsNone) {
    EXPECT_EQ(vlan_path_of_frame(frame().vlan(0xe000).address("10.0.0.9").build()), (VlanPath{0, 0}));
    EXPECT_EQ(vlan_path_of_frame(frame().vlan(0xe005).address("10.0.0.9").build()), (VlanPath{5, 0}));
}

TEST(VlanPath, AFrameCutWithinItsTagsHasNone) {
    const Octets tagged = frame().vlan(5).address("10.0.0.9").build();
    for (std::size_t size = 0; size < 16; ++size) EXPECT_EQ(vlan_path_of_frame(std::span(tagged).first(size)), VlanPath{}) << size;
}

TEST(VlanPath, TheSuffixIsReadBack) {
    for (const VlanPath path : {VlanPath{}, VlanPath{5, 0}, VlanPath{7, 5}}) EXPECT_EQ(vlan_path_of_interface("eth0" + to_suffix(path)), path);
}

}  // namespace
}  // namespace vigil::test
