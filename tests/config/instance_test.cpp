#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

VrrpInstance instance_of(std::string_view extra, std::string_view before = {}) {
    const LoadResult result = load_string(std::string(before) + instance_with(extra));
    EXPECT_EQ(result.configuration.instances.size(), 1u) << summary(result);
    static std::vector<std::shared_ptr<TextPool>> kept;  // the views of the returned copy point into it
    kept.push_back(result.configuration.texts);
    return result.configuration.instances.empty() ? VrrpInstance{} : result.configuration.instances[0];
}

std::string complaints(std::string_view extra) { return summary(load_string(instance_with(extra))); }

TEST(Instance, HasKeepalivedsDefaults) {
    const VrrpInstance instance = instance_of("");
    EXPECT_EQ(instance.name, "VI_1");
    EXPECT_EQ(instance.interface, "eth0");
    EXPECT_EQ(to_number(instance.vrid), 7);
    EXPECT_EQ(instance.priority, Priority{100});
    EXPECT_EQ(instance.version, VrrpVersion::v2);
    EXPECT_EQ(instance.family, Family::ipv4);
    EXPECT_EQ(instance.state, InitialState::backup);
    EXPECT_EQ(instance.advert_int, Centiseconds{100});
    EXPECT_EQ(instance.down_timer_adverts, 3);
    EXPECT_FALSE(instance.nopreempt);
    EXPECT_EQ(instance.preempt_delay, Nanoseconds{0});
    EXPECT_EQ(instance.auth_type, AuthenticationType::none);
    EXPECT_FALSE(instance.unicast);
    EXPECT_EQ(to_string(instance.multicast_group), "224.0.0.18");
    EXPECT_EQ(instance.announcements, AnnouncementSettings{});
    EXPECT_TRUE(instance.accept);
    EXPECT_FALSE(instance.strict_mode);
    EXPECT_FALSE(instance.skip_check_adv_addr);
    EXPECT_EQ(instance.old_unicast_checksum, OldUnicastChecksum::detect);
}

TEST(Instance, RemembersWhereItsNameStands) { EXPECT_EQ(instance_of("", "\n\n").where, (SourceLocation{3, 0, 15})); }

TEST(Instance, StateIsMasterOrBackup) {
    EXPECT_EQ(instance_of("state MASTER\npriority 150").state, InitialState::master);
    EXPECT_EQ(instance_of("state BACKUP").state, InitialState::backup);
    EXPECT_EQ(complaints("state SLAVE"), "error 7:7 'state' expects MASTER or BACKUP, not 'SLAVE': BACKUP is used\n");
}

TEST(Instance, StateMasterWithoutPriorityIsTheOwner) {
    const LoadResult result = load_string(instance_with("state MASTER"));
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority::owner);
    EXPECT_EQ(result.diagnostics.count(Severity::note), 1u);
}

TEST(Instance, TheLastOfARepeatedKeywordCounts) { EXPECT_EQ(instance_of("priority 10\npriority 20").priority, Priority{20}); }

TEST(Instance, AdvertIntIsWholeSecondsInVersion2) {
    EXPECT_EQ(instance_of("advert_int 5").advert_int, Centiseconds{500});
    EXPECT_EQ(instance_of("advert_int 255").advert_int, Centiseconds{25500});
    EXPECT_EQ(instance_of("advert_int 1.5").advert_int, Centiseconds{200});
    EXPECT_EQ(instance_of("advert_int 0.1").advert_int, Centiseconds{100});
    EXPECT_NE(complaints("advert_int 1.5").find("whole seconds in version 2"), std::string::npos);
}

TEST(Instance, AdvertIntIsHundredthsInVersion3) {
    EXPECT_EQ(instance_of("version 3\nadvert_int 0.01").advert_int, Centiseconds{1});
    EXPECT_EQ(instance_of("version 3\nadvert_int 40.95").advert_int, Centiseconds{4095});
    EXPECT_EQ(instance_of("version 3\nadvert_int 50").advert_int, Centiseconds{4095});
    EXPECT_EQ(instance_of("version 3\nadvert_int 0.125").advert_int, Centiseconds{13});
    EXPECT_NE(complaints("version 3\nadvert_int 50").find("40.95"), std::string::npos);
    EXPECT_NE(complaints("version 3\nadvert_int 0.001").find("seconds from 0.01 to 255"), std::string::npos);
}

TEST(Instance, VersionComesFromGlobalDefsWhenItSaysNothing) {
    EXPECT_EQ(instance_of("", "global_defs {\n vrrp_version 3\n}\n").version, VrrpVersion::v3);
    EXPECT_EQ(instance_of("version 2", "global_defs {\n vrrp_version 3\n}\n").version, VrrpVersion::v2);
}

TEST(Instance, AuthenticationIsTypeAndEightOctets) {
    const VrrpInstance instance = instance_of("authentication {\n auth_type PASS\n auth_pass 1111\n}");
    EXPECT_EQ(instance.auth_type, AuthenticationType::simple_password);
    EXPECT_EQ(instance.auth_pass, (std::array<std::uint8_t, 8>{'1', '1', '1', '1', 0, 0, 0, 0}));
    EXPECT_EQ(instance_of("authentication {\n auth_type AH\n auth_pass 1111\n}").auth_type, AuthenticationType::ah);
}

TEST(Instance, APasswordLongerThanEightOctetsIsCutWithAWarning) {
    const VrrpInstance instance = instance_of("authentication {\n auth_type PASS\n auth_pass 123456789\n}");
    EXPECT_EQ(instance.auth_pass, (std::array<std::uint8_t, 8>{'1', '2', '3', '4', '5', '6', '7', '8'}));
    EXPECT_EQ(complaints("authentication {\n auth_type PASS\n auth_pass 123456789\n}"),
              "warning 9:20 only the first 8 octets of 'auth_pass' are used\n");
}

TEST(Instance, AnUnquotedHashEndsThePassword) {
    EXPECT_EQ(instance_of("authentication {\n auth_type PASS\n auth_pass 12#34\n}").auth_pass, (std::array<std::uint8_t, 8>{'1', '2'}));
    EXPECT_EQ(instance_of("authentication {\n auth_type PASS\n auth_pass \"12#34\"\n}").auth_pass,
              (std::array<std::uint8_t, 8>{'1', '2', '#', '3', '4'}));
}

TEST(Instance, AuthenticationWithoutTypeOrPasswordIsNone) {
    EXPECT_EQ(instance_of("authentication {\n auth_type PASS\n autp_pass 1234\n}").auth_type, AuthenticationType::none);
    EXPECT_EQ(instance_of("authentication {\n auth_pass 1234\n}").auth_pass, (std::array<std::uint8_t, 8>{}));
    EXPECT_NE(complaints("authentication {\n auth_type PASS\n}").find("no auth_pass"), std::string::npos);
    EXPECT_NE(complaints("authentication {\n auth_pass 1\n}").find("no auth_type"), std::string::npos);
}

TEST(Instance, PreemptionKeywords) {
    EXPECT_TRUE(instance_of("nopreempt").nopreempt);
    EXPECT_FALSE(instance_of("nopreempt\npreempt").nopreempt);
    EXPECT_EQ(instance_of("preempt_delay 2.5").preempt_delay, Nanoseconds{2500ms});
    EXPECT_TRUE(load_string(instance_with("preempt_delay 1001")).diagnostics.has_errors());
}

TEST(Instance, AnnouncementKeywords) {
    const AnnouncementSettings settings =
        instance_of(
            "garp_master_delay 10\ngarp_master_repeat 0\ngarp_master_refresh 60\ngarp_master_refresh_repeat 2\n"
            "garp_lower_prio_delay 3\ngarp_lower_prio_repeat 0")
            .announcements;
    EXPECT_EQ(settings.delay, Nanoseconds{10s});
    EXPECT_EQ(settings.repeat, 1u);  // 0 becomes 1
    EXPECT_EQ(settings.refresh, Nanoseconds{60s});
    EXPECT_EQ(settings.refresh_repeat, 2u);
    EXPECT_EQ(settings.lower_prio_delay, Nanoseconds{3s});
    EXPECT_EQ(settings.lower_prio_repeat, 0u);
}

TEST(Instance, LowerPriorityAnnouncementsFollowTheMasterOnes) {
    const AnnouncementSettings settings = instance_of("garp_master_delay 10\ngarp_master_repeat 2").announcements;
    EXPECT_EQ(settings.lower_prio_delay, Nanoseconds{10s});
    EXPECT_EQ(settings.lower_prio_repeat, 2u);
}

TEST(Instance, UnicastKeywords) {
    const VrrpInstance instance = instance_of(
        "unicast_src_ip 10.0.0.2\nunicast_peer {\n 10.0.0.3\n 10.0.0.4 min_ttl 254 max_ttl 255\n}\nunicast_ttl "
        "64\ncheck_unicast_src");
    EXPECT_TRUE(instance.unicast);
    ASSERT_EQ(instance.unicast_peers.size(), 2u);
    EXPECT_EQ(to_string(instance.unicast_peers[0].address), "10.0.0.3");
    EXPECT_EQ(instance.unicast_peers[0].min_ttl, 0);
    EXPECT_EQ(instance.unicast_peers[1].min_ttl, 254);
    EXPECT_EQ(instance.unicast_ttl, 64);
    EXPECT_TRUE(instance.check_unicast_src);
    ASSERT_TRUE(instance.source_address.has_value());
    EXPECT_EQ(to_string(*instance.source_address), "10.0.0.2");
}

TEST(Instance, APeerThatIsNoAddressIsDropped) {
    EXPECT_EQ(instance_of("unicast_peer {\n Y.Y.Y.Y\n 10.0.0.3\n}").unicast_peers.size(), 1u);
    EXPECT_NE(complaints("unicast_peer {\n Y.Y.Y.Y\n 10.0.0.3\n}").find("expected the address of a peer"), std::string::npos);
    EXPECT_NE(complaints("unicast_peer {\n 10.0.0.3 min_tl 5\n}").find("min_ttl and max_ttl"), std::string::npos);
}

TEST(Instance, AnEmptyPeerListMeansMulticastWithAWarning) {
    EXPECT_FALSE(instance_of("unicast_peer {\n}").unicast);
    EXPECT_NE(complaints("unicast_peer {\n}").find("multicast is used"), std::string::npos);
}

TEST(Instance, UselessUnicastPeersAreLeftOut) {
    const LoadResult result = load_string(instance_with("unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n10.0.0.1\n10.0.0.2\n10.0.0.3\n}"));
    EXPECT_EQ(summary(result), "error 10:1 (VI_1) the unicast peer 10.0.0.1 is our own source address: it is ignored\n"
                               "warning 11:1 (VI_1) the unicast peer 10.0.0.2 is in the list already: ignored\n");
    EXPECT_EQ(result.configuration.instances.at(0).unicast_peers.size(), 2u);
}

TEST(Instance, NeedsNoInterfaceWithUnicastPeers) {
    const LoadResult result = load_string(
        "vrrp_instance A {\n virtual_router_id 1\n unicast_peer {\n 10.0.0.3\n}\n virtual_ipaddress {\n 10.0.0.1\n}\n}");
    EXPECT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(summary(result), "");
}

TEST(Instance, MulticastKeywords) {
    EXPECT_EQ(to_string(instance_of("mcast_dst_ip 224.0.0.99").multicast_group), "224.0.0.99");
    EXPECT_EQ(to_string(instance_of("mcast_src_ip 10.0.0.9").source_address.value()), "10.0.0.9");
    EXPECT_NE(complaints("mcast_dst_ip 10.0.0.1").find("multicast address"), std::string::npos);
    EXPECT_EQ(to_string(instance_of("", "global_defs {\n vrrp_mcast_group4 224.0.0.50\n}\n").multicast_group), "224.0.0.50");
}

TEST(Instance, UseVmacTakesItsArgumentsInAnyForm) {
    EXPECT_TRUE(instance_of("use_vmac").virtual_mac.enabled);
    EXPECT_EQ(instance_of("use_vmac vip0").virtual_mac.name, "vip0");
    EXPECT_EQ(instance_of("use_vmac name group").virtual_mac.name, "group");
    const VirtualMacSettings settings = instance_of("use_vmac vip0 00:00:5e:00:01:99 netlink_notify_msg group 5").virtual_mac;
    EXPECT_EQ(settings.name, "vip0");
    EXPECT_EQ(to_string(settings.address.value()), "00:00:5e:00:01:99");
    EXPECT_TRUE(settings.netlink_notify);
    EXPECT_EQ(settings.group, 5u);
}

TEST(Instance, AMacOfFiveOctetsGetsTheVrid) {
    EXPECT_EQ(to_string(instance_of("use_vmac 02:00:5e:00:01").virtual_mac.address.value()), "02:00:5e:00:01:07");
}

TEST(Instance, UseVmacRefusesBadArguments) {
    EXPECT_NE(complaints("use_vmac 01:00:5e:00:01:01").find("no unicast MAC"), std::string::npos);
    EXPECT_NE(complaints("use_vmac a_name_that_is_too_long").find("no name for the interface"), std::string::npos);
    EXPECT_NE(complaints("use_vmac group x").find("expects a number"), std::string::npos);
    EXPECT_NE(complaints("use_vmac one two").find("'two' is no name"), std::string::npos);
}

TEST(Instance, VmacModeSaysHow) {
    EXPECT_EQ(instance_of("use_vmac").virtual_mac.mode, VirtualMacMode::macvlan);
    EXPECT_EQ(instance_of("use_vmac\nvmac_mode nftables").virtual_mac.mode, VirtualMacMode::nftables);
    EXPECT_EQ(instance_of("vmac_mode nftables\nuse_vmac").virtual_mac.mode, VirtualMacMode::nftables);
    constexpr const char* global = "global_defs {\n vmac_mode nftables\n}\n";
    EXPECT_EQ(instance_of("use_vmac", global).virtual_mac.mode, VirtualMacMode::nftables);
    EXPECT_EQ(instance_of("use_vmac\nvmac_mode macvlan", global).virtual_mac.mode, VirtualMacMode::macvlan);
    EXPECT_EQ(complaints("use_vmac\nvmac_mode nftables"), "");
    EXPECT_NE(complaints("use_vmac\nvmac_mode ipvlan").find("expects one of macvlan nftables"), std::string::npos);
}

TEST(Instance, VmacModeIsNoUseVmac) {
    EXPECT_FALSE(instance_of("vmac_mode nftables").virtual_mac.enabled);
    EXPECT_FALSE(instance_of("", "global_defs {\n vmac_mode nftables\n}\n").virtual_mac.enabled);
    EXPECT_EQ(instance_of("vmac_mode nftables").virtual_mac.mode, VirtualMacMode::macvlan);
    EXPECT_NE(complaints("vmac_mode nftables").find("without use_vmac"), std::string::npos);
}

TEST(Instance, NamesOfADeviceMeanNothingWithoutOne) {
    const auto notes = [](std::string_view extra) { return summary(load_string(instance_with(extra)), Severity::note); };
    EXPECT_NE(notes("use_vmac vip0\nvmac_mode nftables").find("there is no device"), std::string::npos);
    EXPECT_NE(notes("use_vmac netlink_notify_msg\nvmac_mode nftables").find("there is no device"), std::string::npos);
    EXPECT_EQ(notes("use_vmac 02:00:00:00:00:01\nvmac_mode nftables").find("there is no device"), std::string::npos);
}

TEST(Instance, VmacWithUnicastSendsFromTheBase) {
    EXPECT_TRUE(instance_of("use_vmac\nunicast_peer {\n10.0.0.3\n}").vmac_xmit_base);
    EXPECT_TRUE(instance_of("use_vmac\nvmac_xmit_base").vmac_xmit_base);
    EXPECT_FALSE(instance_of("vmac_xmit_base").vmac_xmit_base);
    EXPECT_NE(complaints("vmac_xmit_base").find("without use_vmac"), std::string::npos);
}

TEST(Instance, UnicastFaultNoPeer) {
    EXPECT_TRUE(instance_of("unicast_fault_no_peer\nunicast_peer {\n}").lacks_peers);
    EXPECT_TRUE(instance_of("unicast_fault_no_peer").lacks_peers);
    EXPECT_FALSE(instance_of("unicast_fault_no_peer\nunicast_peer {\n10.0.0.2\n}").lacks_peers);
    EXPECT_TRUE(instance_of("unicast_fault_no_peer\nunicast_peer {\n10.0.0.2\n}").unicast);
    EXPECT_FALSE(instance_of("unicast_peer {\n}").lacks_peers);
    EXPECT_NE(complaints("unicast_fault_no_peer\nunicast_peer {\n}").find("has no unicast peer: it stays in FAULT"), std::string::npos);
}

TEST(Instance, OldUnicastChecksum) {
    EXPECT_EQ(instance_of("old_unicast_checksum").old_unicast_checksum, OldUnicastChecksum::always);
    EXPECT_EQ(instance_of("old_unicast_checksum never").old_unicast_checksum, OldUnicastChecksum::never);
    EXPECT_NE(complaints("old_unicast_checksum sometimes"), "");
}

TEST(Instance, Switches) {
    const VrrpInstance instance = instance_of(
        "strict_mode off\nskip_check_adv_addr\nv3_checksum_as_v2\ndown_timer_adverts 5\ndont_track_primary\n"
        "deleted_address step_back\nlower_prio_no_advert\nhigher_prio_send_advert\nno_accept\ndebug 3\nno_virtual_ipaddress");
    EXPECT_TRUE(instance.skip_check_adv_addr);
    EXPECT_TRUE(instance.v3_checksum_as_v2);
    EXPECT_EQ(instance.down_timer_adverts, 5);
    EXPECT_TRUE(instance.dont_track_primary);
    EXPECT_TRUE(instance.lower_prio_no_advert);
    EXPECT_TRUE(instance.steps_back_when_address_deleted);
    EXPECT_TRUE(instance_of("", "global_defs {\n vrrp_deleted_address step_back\n}\n").steps_back_when_address_deleted);
    EXPECT_FALSE(instance_of("deleted_address put_back", "global_defs {\n vrrp_deleted_address step_back\n}\n").steps_back_when_address_deleted);
    EXPECT_NE(complaints("deleted_address never").find("expects one of put_back step_back"), std::string::npos);
    EXPECT_TRUE(instance.higher_prio_send_advert);
    EXPECT_FALSE(instance.accept);
    EXPECT_FALSE(instance.promote_secondaries);
    EXPECT_TRUE(instance_of("promote_secondaries").promote_secondaries);
    EXPECT_EQ(instance.debug, 3);
    EXPECT_TRUE(instance.no_virtual_ipaddress);
}

/// keepalived turns this on; here the word means what it says.
TEST(Instance, SkipCheckAdvAddrFalseIsFalse) { EXPECT_FALSE(instance_of("skip_check_adv_addr false").skip_check_adv_addr); }

TEST(Instance, OwnerIgnoreAdvertsIsForOwnersOnly) {
    EXPECT_TRUE(instance_of("owner_ignore_adverts\npriority 255").owner_ignore_adverts);
    EXPECT_FALSE(instance_of("owner_ignore_adverts\npriority 254").owner_ignore_adverts);
}

TEST(Instance, BareDebugIsAccepted) { EXPECT_EQ(instance_of("debug").debug, 1); }

TEST(Instance, TrackedInterfacesHaveWeights) {
    const VrrpInstance instance = instance_of("track_interface {\n eth1\n eth2 weight -20\n eth3 weight 254 reverse\n}");
    ASSERT_EQ(instance.track_interfaces.size(), 3u);
    EXPECT_FALSE(instance.track_interfaces[0].weight.has_value());
    EXPECT_EQ(instance.track_interfaces[1].weight, -20);
    EXPECT_EQ(instance.track_interfaces[2].weight, 253);
    EXPECT_TRUE(instance.track_interfaces[2].reverse);
    EXPECT_NE(complaints("track_interface {\n eth3 weight 254\n}").find("at most 253"), std::string::npos);
    EXPECT_NE(complaints("track_interface {\n eth3 wieght 5\n}").find("unknown word 'wieght'"), std::string::npos);
}

TEST(Instance, ItsOwnInterfaceNeedsNoTracking) {
    EXPECT_EQ(instance_of("track_interface {\n eth0\n eth1\n}").track_interfaces.size(), 1u);
    EXPECT_EQ(complaints("track_interface {\n eth0\n}"), "warning 8:2 (VI_1) the instance's own interface is tracked anyway: ignored\n");
}

TEST(Instance, NotifyScripts) {
    const VrrpInstance instance = instance_of("notify_master /a\nnotify_backup /b\nnotify_fault /c\nnotify_stop /d\nnotify \"/e x\" joe");
    EXPECT_EQ(find_script(instance, ScriptEvent::master)->command, "/a");
    EXPECT_EQ(find_script(instance, ScriptEvent::backup)->command, "/b");
    EXPECT_EQ(find_script(instance, ScriptEvent::fault)->command, "/c");
    EXPECT_EQ(find_script(instance, ScriptEvent::stop)->command, "/d");
    EXPECT_EQ(find_script(instance, ScriptEvent::any)->command, "/e x");
    EXPECT_EQ(find_script(instance, ScriptEvent::any)->user, "joe");
    EXPECT_EQ(find_script(instance, ScriptEvent::deleted), nullptr);
}

TEST(Instance, TheFirstOfARepeatedNotifyCounts) {
    EXPECT_EQ(find_script(instance_of("notify_master /a\nnotify_master /b"), ScriptEvent::master)->command, "/a");
    EXPECT_EQ(complaints("notify_master /a\nnotify_master /b"),
              "error 8:1 'notify_master' was given on line 7 already: this one is ignored\n");
}

TEST(Trailing, AKeywordBehindAnotherIsAWarningAndOtherWordsAreANote) {
    const LoadResult keyword = load_string(instance_with("virtual_router_id 9 priority 10"));
    EXPECT_EQ(summary(keyword), "warning 7:21 'priority' is a keyword, but behind another one it is not looked at\n");
    EXPECT_NE(helps(keyword).find("write it on a line of its own"), std::string::npos);
    EXPECT_EQ(test_exit_code(keyword.diagnostics), 5);
    EXPECT_EQ(load_string(instance_with("nopreempt debug 2")).diagnostics.count(Severity::warning), 1u);
    EXPECT_EQ(load_string(instance_with("authentication {\nauth_type PASS auth_pass 1111\n}")).diagnostics.count(Severity::warning), 1u);
    for (const char* other : {"virtual_router_id 9 // the ninth", "virtual_router_id 9 router_id"}) {
        const LoadResult result = load_string(instance_with(other));
        EXPECT_EQ(summary(result), "") << other;
        EXPECT_EQ(result.diagnostics.count(Severity::note), 1u) << other;
    }
}

}  // namespace vigil::config::test
