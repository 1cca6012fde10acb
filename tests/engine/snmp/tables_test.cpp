#include "engine/snmp/tables.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/snmp/values.h"
#include "tests/engine/snmp/snmp_fixture.h"

namespace vigil::snmp {
namespace {

using Objects = std::map<Oid, Value>;

Objects walk(const ObjectTree& tree) {
    Objects all;
    for (auto found = tree.next(Oid{1}); found; found = tree.next(found->first)) all.emplace(found->first, found->second);
    return all;
}

const Service everything{true, true, true, true};

Oid vrrp(std::uint32_t table, const Oid& rest) { return vrrp_entry(table) + rest; }

TEST(SnmpTables, OnlyWhatIsAskedForIsServed) {
    const Picture picture = picture_of_everything();
    const auto count = [&](const Service& service) { return walk(make_tree(picture, service)).size(); };
    EXPECT_EQ(count({}), 0u);
    EXPECT_EQ(count({true, false, false, false}) + count({false, true, false, false}) + count({false, false, true, false}), count(everything));
    EXPECT_EQ(count({false, true, false, true}), 2u + 3u + 2 * (13 + 12 + 1));   // scalars; operations, statistics and an address of two instances
}

TEST(SnmpTables, AnInstanceIsToldAsItIs) {
    const Picture picture = picture_of_everything();
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_EQ(all.at(vrrp(3, {2, 1})), text("VI_1"));
    EXPECT_EQ(all.at(vrrp(3, {3, 1})), gauge(51));
    EXPECT_EQ(all.at(vrrp(3, {4, 1})), integer(2));
    EXPECT_EQ(all.at(vrrp(3, {4, 2})), integer(3));
    EXPECT_EQ(all.at(vrrp(3, {9, 1})), integer(1));    // its address is set
    EXPECT_EQ(all.at(vrrp(3, {9, 2})), integer(2));
    EXPECT_EQ(all.at(vrrp(3, {12, 1})), gauge(1));     // version 2: seconds
    EXPECT_EQ(all.at(vrrp(3, {18, 1})), text("G1"));
    EXPECT_EQ(all.at(vrrp(3, {35, 1})), (Value{Type::octets, std::string("\xe0\0\0\x12", 4)}));
    EXPECT_FALSE(all.contains(vrrp(3, {22, 1})));      // has no script
    EXPECT_EQ(all.at(vrrp(4, {2, 1, 1})), integer(-2));   // indexed by the interface
    EXPECT_EQ(all.at(vrrp(2, {2, 1, 2})), text("VI_2"));
}

TEST(SnmpTables, Version3CountsInCentiseconds) {
    Picture picture = picture_of_everything();
    picture.settings[0].version = 3;
    picture.settings[0].interval = 50;
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_EQ(all.at(vrrp(3, {12, 1})), gauge(50));
    EXPECT_EQ(all.at(rfc6527_root + Oid{1, 1, 1, 1, 9, 2, 51, 1}), integer(50));
    EXPECT_EQ(all.at(rfc6527_root + Oid{1, 2, 5, 1, 13, 2, 51, 1}), gauge(500));
    EXPECT_FALSE(all.contains(rfc2787_root + Oid{1, 3, 1, 3, 2, 51}));   // that MIB is of version 2
}

TEST(SnmpTables, ObjectsOfRoutesAndRules) {
    const Picture picture = picture_of_everything();
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_EQ(all.at(vrrp(7, {10, 0, 1})), integer(2));      // several ways
    EXPECT_EQ(all.at(vrrp(7, {22, 0, 1})), gauge(1400));
    EXPECT_EQ(all.at(vrrp(7, {23, 0, 1})), integer(1));      // locked
    EXPECT_FALSE(all.contains(vrrp(7, {24, 0, 1})));
    EXPECT_EQ(all.at(vrrp(11, {6, 0, 1, 1})), gauge(3));
    EXPECT_EQ(all.at(vrrp(8, {2, 0, 1})), text("from"));
    EXPECT_EQ(all.at(vrrp(8, {28, 0, 1})), gauge(1));
    EXPECT_EQ(all.at(vrrp(8, {29, 0, 1})), gauge(2));
    EXPECT_FALSE(all.contains(vrrp(8, {9, 0, 1})));          // it has no destination
}

TEST(SnmpTables, Rfc6527_AnAddressInAnIndexHasItsLengthBeforeIt) {
    const Picture picture = picture_of_everything();
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_TRUE(all.contains(rfc6527_root + Oid{1, 1, 2, 1, 2, 2, 51, 1, 4, 192, 0, 2, 100}));   // RFC 2578 §7.7
    EXPECT_TRUE(all.contains(rfc2787_root + Oid{1, 4, 1, 2, 2, 51, 192, 0, 2, 100}));            // IpAddress has a fixed length
}

TEST(SnmpTables, Rfc2787_TheUptimeIsThatOfTheAgentWhenItBegan) {
    Picture picture = picture_of_everything();
    picture.agent_ticks = 1000;
    picture.instances[0].age_ticks = 300;
    picture.instances[1].age_ticks = 5000;   // before the agent
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_EQ(all.at(rfc2787_root + Oid{1, 3, 1, 13, 2, 51}), number(Type::ticks, 700));
    EXPECT_EQ(all.at(rfc2787_root + Oid{1, 3, 1, 13, 2, 52}), number(Type::ticks, 0));
    EXPECT_EQ(all.at(rfc6527_root + Oid{1, 1, 1, 1, 12, 2, 51, 1}), number(Type::ticks, 300));
}

TEST(SnmpTables, AnInstanceWithoutInterfaceHasNoRowInTheStandardsTables) {
    Picture picture = picture_of_everything();
    picture.instances[0].interface_index = 0;
    const Objects all = walk(make_tree(picture, everything));
    EXPECT_TRUE(all.contains(vrrp(3, {2, 1})));
    EXPECT_FALSE(all.contains(rfc6527_root + Oid{1, 1, 1, 1, 6, 0, 51, 1}));
}

TEST(SnmpNotifications, EachTreeThatIsServedHasItsOwn) {
    Transition transition;
    transition.name = "VI_1";
    transition.router_id = "LVS_1";
    transition.state = State::master;
    transition.interface_index = 2;
    transition.vrid = 51;
    transition.source = ipv4(192, 0, 2, 1);
    transition.reason = NewMasterReason::no_response;
    const auto all = notifications_of(transition, everything);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].oid, (keepalived_root + Oid{2, 10, 0, 2}));
    EXPECT_EQ(all[0].objects[1], (std::pair{vrrp(3, {4}), integer(2)}));
    EXPECT_EQ(all[1].oid, (rfc2787_root + Oid{0, 1}));
    EXPECT_EQ(all[2].objects[1], (std::pair{rfc6527_root + Oid{1, 2, 5, 1, 2, 2, 51, 1}, integer(3)}));
    transition.version = 3;
    EXPECT_EQ(notifications_of(transition, everything).size(), 2u);   // RFC 2787 is of version 2
    transition.state = State::backup;
    EXPECT_EQ(notifications_of(transition, everything).size(), 1u);
    EXPECT_TRUE(notifications_of(transition, {true, true, true, false}).empty());
}

TEST(SnmpNotifications, AGroupHasOne) {
    Transition transition;
    transition.is_of_group = true;
    transition.name = "G1";
    transition.state = State::master;
    const auto all = notifications_of(transition, everything);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].oid, (keepalived_root + Oid{2, 10, 0, 1}));
    EXPECT_EQ(all[0].objects[0], (std::pair{vrrp(1, {2}), text("G1")}));
}

}  // namespace
}  // namespace vigil::snmp
