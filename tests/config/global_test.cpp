#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

GlobalDefinitions global_of(std::string_view lines, std::string_view expected = "") {
    static std::vector<LoadResult> kept;
    kept.push_back(load_string("global_defs {\n" + std::string(lines) + "\n}\n"));
    EXPECT_EQ(summary(kept.back()), expected);
    return kept.back().configuration.global;
}

TEST(GlobalDefs, HasKeepalivedsDefaults) {
    const GlobalDefinitions global = global_of("");
    EXPECT_EQ(global.vrrp_version, VrrpVersion::v2);
    EXPECT_FALSE(global.vrrp_strict);
    EXPECT_EQ(global.announcements, AnnouncementSettings{});
    EXPECT_EQ(global.smtp_port, 25);
    EXPECT_EQ(global.smtp_connect_timeout, 30s);
    EXPECT_EQ(global.vmac_prefix, "vrrp");
}

TEST(GlobalDefs, NftablesSettings) {
    const NftablesSettings usual = global_of("nftables").nftables;
    EXPECT_EQ(usual.table, "keepalived");
    EXPECT_EQ(usual.priority, -1);
    EXPECT_FALSE(usual.by_interface_index);
    EXPECT_FALSE(usual.has_counters);
    const NftablesSettings all = global_of("nftables edge.1\nnftables_priority -150\nnftables_ifindex\nnftables_counters").nftables;
    EXPECT_EQ(all.table, "edge.1");
    EXPECT_EQ(all.priority, -150);
    EXPECT_TRUE(all.by_interface_index);
    EXPECT_TRUE(all.has_counters);
}

TEST(GlobalDefs, ATableNameThatNftCannotPrintIsRefused) {
    const std::string expected = "error 2:10 'nftables' expects the name of a table: letters, digits, _ . / and \\, a letter first: ignored\n";
    EXPECT_EQ(global_of("nftables 1st", expected).nftables.table, "keepalived");
    EXPECT_EQ(global_of("nftables a-b", expected).nftables.table, "keepalived");
    EXPECT_EQ(global_of("nftables " + std::string(201, 'a'), expected).nftables.table, "keepalived");
}

TEST(GlobalDefs, ChainsOfIptablesMeanNothing) {
    const LoadResult result = load_string("global_defs {\nvrrp_iptables IN OUT\nvrrp_ipsets a b\n}\n");
    EXPECT_EQ(summary(result, Severity::note), "note 2:1 'vrrp_iptables' means nothing here: no_accept has an nftables table of its own, beside all chains that there are\n"
                                               "note 3:1 'vrrp_ipsets' means nothing here: no_accept has an nftables table with sets of its own\n");
}

TEST(GlobalDefs, ClassicMailSettings) {
    const GlobalDefinitions global = global_of(
        "router_id LVS_DEVEL\nnotification_email {\n a@example.com\n b@example.com\n}\n"
        "notification_email_from c@example.com\nsmtp_server 192.0.2.1 2525\nsmtp_connect_timeout 10");
    EXPECT_EQ(global.router_id, "LVS_DEVEL");
    EXPECT_EQ(global.notification_email, (std::vector<std::string_view>{"a@example.com", "b@example.com"}));
    EXPECT_EQ(global.notification_email_from, "c@example.com");
    EXPECT_EQ(global.smtp_server, "192.0.2.1");
    EXPECT_EQ(global.smtp_port, 2525);
    EXPECT_EQ(global.smtp_connect_timeout, 10s);
}

TEST(GlobalDefs, AnEmptyMailListIsAWarning) { global_of("notification_email {\n}", "warning 2:1 'notification_email' is empty\n"); }

TEST(GlobalDefs, ScriptSettings) {
    const GlobalDefinitions global = global_of("enable_script_security\nscript_user joe :wheel");
    EXPECT_TRUE(global.enable_script_security);
    EXPECT_EQ(global.script_user, "joe");
    EXPECT_EQ(global.script_group, "wheel");
}

/// The most copied sample has both, and keepalived calls them out of range.
TEST(GlobalDefs, IntervalsOfZeroAreAcceptedSilently) {
    const GlobalDefinitions global = global_of("vrrp_garp_interval 0\nvrrp_gna_interval 0");
    EXPECT_EQ(global.vrrp_garp_interval, 0ns);
    EXPECT_EQ(global.vrrp_gna_interval, 0ns);
}

TEST(GlobalDefs, IntervalsAreFractionsOfSeconds) {
    EXPECT_EQ(global_of("vrrp_garp_interval 0.001").vrrp_garp_interval, 1ms);
    EXPECT_EQ(global_of("vrrp_gna_interval 0.000001").vrrp_gna_interval, 1us);
}

TEST(GlobalDefs, AnnouncementDefaults) {
    const AnnouncementSettings settings =
        global_of(
            "vrrp_garp_master_delay 7\nvrrp_garp_master_repeat 2\nvrrp_garp_master_refresh 60\n"
            "vrrp_garp_master_refresh_repeat 3\nvrrp_garp_lower_prio_delay 1\nvrrp_garp_lower_prio_repeat 0")
            .announcements;
    EXPECT_EQ(settings.delay, 7s);
    EXPECT_EQ(settings.repeat, 2u);
    EXPECT_EQ(settings.refresh, 60s);
    EXPECT_EQ(settings.refresh_repeat, 3u);
    EXPECT_EQ(settings.lower_prio_delay, 1s);
    EXPECT_EQ(settings.lower_prio_repeat, 0u);
}

TEST(GlobalDefs, MinGarpChangesOnlyWhatIsStillBuiltIn) {
    const AnnouncementSettings settings = global_of("vrrp_garp_master_repeat 2\nvrrp_min_garp").announcements;
    EXPECT_EQ(settings.repeat, 2u);
    EXPECT_EQ(settings.delay, 0ns);
    EXPECT_EQ(settings.refresh_repeat, 0u);
    EXPECT_EQ(global_of("vrrp_min_garp false").announcements.repeat, 5u);
}

TEST(GlobalDefs, ProtocolDefaults) {
    const GlobalDefinitions global = global_of(
        "vrrp_version 3\nvrrp_strict\nvrrp_skip_check_adv_addr\nvrrp_check_unicast_src\nvrrp_down_timer_adverts 4\n"
        "vrrp_lower_prio_no_advert\nvrrp_higher_prio_send_advert\nvrrp_owner_ignore_adverts\nvrrp_startup_delay 2.5\n"
        "vrrp_mcast_group4 224.0.0.99\nvrrp_mcast_group6 ff02::99\nvmac_prefix vip");
    EXPECT_EQ(global.vrrp_version, VrrpVersion::v3);
    EXPECT_TRUE(global.vrrp_strict);
    EXPECT_TRUE(global.vrrp_skip_check_adv_addr);
    EXPECT_TRUE(global.vrrp_check_unicast_src);
    EXPECT_EQ(global.vrrp_down_timer_adverts, 4);
    EXPECT_TRUE(global.vrrp_lower_prio_no_advert);
    EXPECT_TRUE(global.vrrp_higher_prio_send_advert);
    EXPECT_TRUE(global.vrrp_owner_ignore_adverts);
    EXPECT_EQ(global.vrrp_startup_delay, 2500ms);
    EXPECT_EQ(to_string(global.vrrp_mcast_group4), "224.0.0.99");
    EXPECT_EQ(to_string(global.vrrp_mcast_group6), "ff02::99");
    EXPECT_EQ(global.vmac_prefix, "vip");
}

TEST(GlobalDefs, GroupsMustBeMulticastOfTheirFamily) {
    global_of("vrrp_mcast_group4 10.0.0.1", "error 2:19 'vrrp_mcast_group4' expects an IPv4 multicast address, not '10.0.0.1': ignored\n");
    global_of("vrrp_mcast_group6 224.0.0.1",
              "error 2:19 'vrrp_mcast_group6' expects an IPv6 multicast address, not '224.0.0.1': ignored\n");
}

/// keepalived takes any argument for "true".
TEST(GlobalDefs, ChecksumAsV2MayBeTurnedOff) { EXPECT_FALSE(global_of("v3_checksum_as_v2 off").v3_checksum_as_v2); }

TEST(GlobalDefs, SeveralBlocksAddUp) {
    const LoadResult result = load_string("global_defs {\n router_id a\n}\nglobal_defs {\n vrrp_version 3\n}\n");
    EXPECT_EQ(result.configuration.global.router_id, "a");
    EXPECT_EQ(result.configuration.global.vrrp_version, VrrpVersion::v3);
}

TEST(GlobalDefs, IncludeCheckKnowsFourWords) {
    global_of("include_check read +match -wildcard_match +brace_match");
    global_of("include_check readable", "error 2:15 'include_check' does not know 'readable'\n");
    global_of("include_check read match", "error 2:20 only the first word of 'include_check' stands without + or -\n");
}

TEST(GlobalDefs, DelaysAndUnknownVrids) {
    const GlobalDefinitions global = global_of("vrrp_delay_after_boot 12.5\nlog_unknown_vrids");
    EXPECT_EQ(global.vrrp_delay_after_boot, 12500ms);
    EXPECT_TRUE(global.log_unknown_vrids);
    global_of("vrrp_delay_after_boot 0", "error 2:23 'vrrp_delay_after_boot' expects seconds from 0.001 to 4294, not '0': ignored\n");
}

TEST(Reload, HowItComesAbout) {
    const ReloadDefinitions reload = global_of("reload_check_config /var/log/check\nreload_time_file /etc/when\nreload_repeat\nreload_file /run/reading\n"
                                               "config_save_dir /var/lib/saved").process.reload;
    EXPECT_EQ(reload, (ReloadDefinitions{true, "/var/log/check", true, "/run/reading", "/etc/when", true, "/var/lib/saved"}));
}

TEST(Reload, ArgumentsMayBeLeftOut) {
    const ReloadDefinitions reload = global_of("reload_check_config\nreload_file").process.reload;
    EXPECT_TRUE(reload.checks_first);
    EXPECT_EQ(reload.check_log, "");
    EXPECT_TRUE(reload.makes_file);
    EXPECT_EQ(reload.file, "");
}

TEST(Reload, PathsAreAbsolute) {
    EXPECT_EQ(global_of("reload_time_file when", "error 2:18 'reload_time_file' expects an absolute path: ignored\n").process.reload.time_file, "");
    EXPECT_TRUE(global_of("reload_check_config log", "error 2:21 'reload_check_config' expects an absolute path: ignored\n").process.reload.checks_first);
    global_of("config_save_dir", "error 2:1 'config_save_dir' needs a word\n");
}

TEST(Reload, WhatVigilDoesNotNeedIsSaid) {
    const LoadResult result = load_string("global_defs {\n tmp_config_directory /tmp\n}");
    EXPECT_EQ(summary(result, Severity::note),
              "note 2:2 'tmp_config_directory' means nothing here: each process reads the files itself, and no copy of the configuration is written\n");
}

TEST(RootLevel, NetNamespaceAndInstance) {
    const LoadResult result = load_string("net_namespace blue\ninstance left\nuse_pid_dir\n");
    EXPECT_EQ(result.configuration.global.net_namespace, "blue");
    EXPECT_EQ(result.configuration.global.instance, "left");
    EXPECT_TRUE(result.configuration.global.use_pid_dir);
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_NE(dump(result.configuration).find("net_namespace blue\ninstance left\nuse_pid_dir\n"), std::string::npos);
}

TEST(RootLevel, IpsetsAreNotUsed) {
    EXPECT_EQ(summary(load_string("namespace_with_ipsets\n"), Severity::note), "note 1:1 'namespace_with_ipsets' means nothing here: no ipsets are used\n");
}

}  // namespace vigil::config::test
