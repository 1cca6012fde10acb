#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

/// A service that needs nothing else, with `extra` in it.
std::string service_with(std::string_view extra, std::string_view head = "10.0.0.1 80") {
    return "virtual_server " + std::string(head) + " {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n" + std::string(extra) + "\n real_server 10.1.0.1 80 {\n }\n}\n";
}

VirtualServer only_service(const LoadResult& result) {
    EXPECT_EQ(result.configuration.virtual_servers.size(), 1u) << summary(result);
    return result.configuration.virtual_servers.empty() ? VirtualServer{} : result.configuration.virtual_servers[0];
}

TEST(VirtualServers, AreReadWithTheirDefaults) {
    const LoadResult result = load_string(service_with(""));
    EXPECT_EQ(summary(result), "");
    const VirtualServer service = only_service(result);
    EXPECT_EQ(service.kind, ServiceKind::address);
    EXPECT_EQ(service.address, ipv4(10, 0, 0, 1));
    EXPECT_EQ(service.port, 80);
    EXPECT_EQ(service.protocol, Protocol::tcp);
    EXPECT_EQ(service.scheduler, Scheduler::rr);
    EXPECT_EQ(service.quorum, 1u);
    EXPECT_EQ(service.persistence, Persistence{});
    EXPECT_FALSE(service.smtp_alert);
    ASSERT_EQ(service.real_servers.size(), 1u);
    EXPECT_EQ(service.real_servers[0].weight, 1);
    EXPECT_EQ(service.real_servers[0].settings->smtp_alert, true);   // unlike the service's
    EXPECT_TRUE(service.real_servers[0].checkers->empty());
}

TEST(VirtualServers, WhatIsMissingIsSaid) {
    const LoadResult result = load_string("virtual_server 10.0.0.1 80 {\n real_server 10.1.0.1 80 {\n }\n}\n");
    EXPECT_EQ(summary(result),
              "error 1:16 (10.0.0.1:80) has no protocol: UDP is used, as in keepalived\n"
              "warning 1:16 (10.0.0.1:80) has no lb_algo: wlc is used\n"
              "warning 1:16 (10.0.0.1:80) has no lb_kind: NAT is used\n");
    EXPECT_EQ(only_service(result).protocol, Protocol::udp);
    EXPECT_EQ(only_service(result).scheduler, Scheduler::wlc);
}

TEST(VirtualServers, APrefixBehindAnAddressIsNotLookedAt) {
    const LoadResult result = load_string("virtual_server 10.0.0.1/32 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1/24 80 {\n }\n}\n");
    EXPECT_EQ(summary(result), "warning 1:16 '10.0.0.1/32' is taken as 10.0.0.1\nwarning 5:14 '10.1.0.1/24' is taken as 10.1.0.1\n");
    EXPECT_EQ(only_service(result).address, ipv4(10, 0, 0, 1));
    EXPECT_EQ(only_service(result).real_servers.at(0).address, ipv4(10, 1, 0, 1));
    EXPECT_TRUE(load_string(service_with("", "10.0.0.1/33 80")).configuration.virtual_servers.empty());
}

TEST(VirtualServers, AFileThatAFileCheckLooksAtIsLookedAt) {
    const std::string file = "track_file f {\n file /run/f\n}\n";
    const LoadResult result = load_string(file + "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1 80 {\n FILE_CHECK {\n track_file f\n weight 1\n }\n }\n}\n");
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_NE(summary(load_string(file), Severity::note), "");
}

TEST(VirtualServers, AServerMayBeCheckedSeldom) {
    EXPECT_EQ(summary(load_string(service_with("delay_loop 7200"))), "");
    EXPECT_NE(summary(load_string(service_with("delay_loop 31536001"))), "");
}

TEST(VirtualServers, WithoutRealServersAreDropped) {
    const LoadResult result = load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n}\n");
    EXPECT_EQ(summary(result), "warning 1:16 (10.0.0.1:80) has no real server: it is not used\n");
    EXPECT_TRUE(result.configuration.virtual_servers.empty());
}

TEST(VirtualServers, ProtocolIgnoresCase) {
    EXPECT_EQ(only_service(load_string(service_with("protocol Sctp"))).protocol, Protocol::sctp);
    const LoadResult wrong = load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol UPD\n real_server 10.1.0.1 80 {\n }\n}\n");
    EXPECT_NE(helps(wrong).find("did you mean 'UDP'?"), std::string::npos) << summary(wrong);
}

TEST(VirtualServers, TheSameServiceTwiceIsRefused) {
    const LoadResult result = load_string(service_with("") + service_with("") + service_with("protocol UDP"));
    EXPECT_EQ(summary(result), "error 9:16 the virtual_server on line 1 answers for this already: it is not used\n");
    EXPECT_EQ(result.configuration.virtual_servers.size(), 2u);   // another protocol is another service
}

TEST(VirtualServers, AServiceInsideAGroupsRangeIsRefused) {
    const LoadResult result = load_string("virtual_server_group g {\n 10.0.0.0/24 80\n}\n" + service_with("", "group g") + service_with(""));
    EXPECT_EQ(summary(result), "error 12:16 the virtual_server on line 4 answers for this already: it is not used\n");
}

TEST(VirtualServers, AllPortsNeedPersistence) {
    const LoadResult result = load_string(service_with("", "10.0.0.1"));
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 1u) << summary(result);
    EXPECT_EQ(only_service(result).persistence.timeout, 360u);
    EXPECT_EQ(summary(load_string(service_with("persistence_timeout 50", "10.0.0.1"))), "");
}

TEST(VirtualServers, GranularityImpliesPersistence) {
    const Persistence persistence = only_service(load_string(service_with("persistence_granularity 255.255.0.0"))).persistence;
    EXPECT_EQ(persistence.timeout, 360u);
    EXPECT_EQ(persistence.granularity, 16);
    EXPECT_EQ(only_service(load_string(service_with("persistence_timeout"))).persistence.timeout, 360u);
    for (const char* wrong : {"255.0.255.0", "0.0.0.0", "129", "0", "24x", "1.2.3"}) {
        EXPECT_TRUE(load_string(service_with("persistence_granularity " + std::string(wrong))).diagnostics.has_errors()) << wrong;
    }
    EXPECT_TRUE(load_string(service_with("persistence_granularity 64")).diagnostics.has_errors());   // IPv6's, behind an IPv4 address
}

TEST(VirtualServers, QuorumIsCutToTheWeightOfAll) {
    const LoadResult result = load_string(service_with("weight 3\nquorum 9\nhysteresis 7"));
    EXPECT_EQ(only_service(result).quorum, 3u);
    EXPECT_EQ(only_service(result).hysteresis, 2u);
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 2u);
}

TEST(VirtualServers, QuorumOfServersWithoutWeightIsOne) {
    const LoadResult result = load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n quorum 2\n real_server 10.1.0.1 80 {\n  weight 0\n }\n}\n");
    EXPECT_EQ(only_service(result).quorum, 1u);
    EXPECT_EQ(summary(result), "warning 5:9 (10.0.0.1:80) a quorum of 2 is more than all weights together: 1 is used\n");
}

TEST(VirtualServers, FlagsBelongToTheirScheduler) {
    const VirtualServer hashed = only_service(load_string(service_with("sh-port\nsh-fallback\nlb_algo sh")));
    EXPECT_TRUE(hashed.flag_1 && hashed.flag_2 && !hashed.flag_3);   // the order of the keywords does not matter
    const LoadResult wrong = load_string(service_with("mh-port\nlb_algo sh"));
    EXPECT_FALSE(only_service(wrong).flag_2);
    EXPECT_EQ(wrong.diagnostics.count(Severity::warning), 1u);
    EXPECT_FALSE(only_service(load_string(service_with("ops"))).one_packet);   // TCP
    EXPECT_TRUE(only_service(load_string(service_with("ops\nprotocol UDP"))).one_packet);
}

TEST(VirtualServers, ByFirewallMarkTakeTheirFamilyFromTheServers) {
    const LoadResult result = load_string("virtual_server fwmark 5 {\n lb_algo rr\n lb_kind DR\n real_server 2001:db8::1 80 {\n  TCP_CHECK {\n  }\n }\n}\n");
    EXPECT_EQ(summary(result), "");
    const VirtualServer service = only_service(result);
    EXPECT_EQ(service.family, Family::ipv6);
    EXPECT_EQ(service.mark, 5u);
    EXPECT_EQ(service.real_servers.at(0).port, 0);   // DR changes none
    EXPECT_EQ(target_of(service.real_servers[0], service.real_servers[0].checkers->at(0)).port, 80);
    EXPECT_TRUE(load_string(service_with("", "fwmark 0")).diagnostics.has_errors());
}

TEST(VirtualServers, AnUnknownGroupIsSuggested) {
    const LoadResult result = load_string("virtual_server_group webs {\n 10.0.0.1 80\n}\n" + service_with("", "group web"));
    EXPECT_EQ(summary(result), "error 4:22 there is no virtual_server_group 'web': the virtual server is not used\n");
    EXPECT_NE(helps(result).find("did you mean 'webs'?"), std::string::npos);
}

TEST(Forwarding, KnowsTheTunnels) {
    const auto forwarding = [](std::string_view words) { return only_service(load_string(service_with("lb_kind " + std::string(words)))).forwarding; };
    EXPECT_EQ(to_string(forwarding("TUN")), "TUN type ipip");
    EXPECT_EQ(to_string(forwarding("TUN type gue port 5555 remcsum")), "TUN type gue port 5555 remcsum");
    EXPECT_EQ(to_string(forwarding("TUN type gre csum")), "TUN type gre csum");
    for (const char* wrong : {"TUN type gue", "TUN port 5", "TUN type gre remcsum", "TUN type foo", "TUN csum", "TUN type gue port 0", "TUN type", "dr"}) {
        EXPECT_TRUE(load_string(service_with("lb_kind " + std::string(wrong))).diagnostics.has_errors()) << wrong;
    }
}

TEST(RealServers, InheritWhateverTheyDoNotSay) {
    const LoadResult result = load_string(
        "global_defs {\n smtp_alert_checker off\n}\n"
        "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n"
        " real_server 10.1.0.1 {\n }\n"
        " real_server 10.1.0.2 80 {\n  weight 0\n  alpha off\n  inhibit_on_failure off\n  smtp_alert\n  lvs_method NAT\n  uthreshold 9\n  lthreshold 5\n }\n"
        " weight 7\n alpha\n inhibit_on_failure\n}\n");
    EXPECT_EQ(summary(result), "");
    const auto& servers = only_service(result).real_servers;
    ASSERT_EQ(servers.size(), 2u);
    EXPECT_EQ(servers[0].port, 80);
    EXPECT_EQ(servers[0].weight, 7);
    EXPECT_TRUE(servers[0].settings->alpha && servers[0].settings->inhibit_on_failure && servers[0].settings->smtp_alert == false);
    EXPECT_EQ(servers[0].settings->forwarding.method, ForwardingMethod::dr);
    EXPECT_EQ(servers[1].weight, 0);
    EXPECT_TRUE(!servers[1].settings->alpha && !servers[1].settings->inhibit_on_failure && servers[1].settings->smtp_alert == true);
    EXPECT_EQ(servers[1].settings->forwarding.method, ForwardingMethod::nat);
    EXPECT_EQ(servers[1].settings->upper_threshold, 9u);
}

TEST(RealServers, OnlyNatChangesAPort) {
    const LoadResult result = load_string(
        "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 10.1.0.1 81 {\n  TCP_CHECK {\n  }\n }\n}\n");
    EXPECT_EQ(summary(result), "warning 5:14 (10.0.0.1:80) DR changes no port: 80 is used, checks still go to 81\n");
    const RealServer server = only_service(result).real_servers.at(0);
    EXPECT_EQ(server.port, 80);
    EXPECT_EQ(target_of(server, server.checkers->at(0)).port, 81);
}

TEST(RealServers, TwiceAreUsedOnce) {
    const LoadResult result = load_string(service_with("real_server 10.1.0.1 80 {\n weight 5\n }"));
    EXPECT_EQ(summary(result), "warning 8:14 (10.0.0.1:80) line 5 has this real server already: this one is ignored\n");
    EXPECT_EQ(only_service(result).real_servers.at(0).weight, 5);
}

TEST(RealServers, OfAnotherFamilyNeedATunnel) {
    EXPECT_EQ(summary(load_string(service_with("real_server 2001:db8::1 80 {\n }"))), "error 5:13 (10.0.0.1:80) the real server has another family than the service: it is ignored\n");
    EXPECT_EQ(only_service(load_string(service_with("real_server 2001:db8::1 80 {\n lvs_method TUN\n }"))).real_servers.size(), 2u);
}

TEST(RealServers, EqualSettingsAndCheckersAreKeptOnce) {
    const LoadResult result = load_string(service_with("real_server 10.1.0.2 80 {\n TCP_CHECK {\n }\n }\n real_server 10.1.0.3 80 {\n TCP_CHECK {\n }\n }"));
    const auto& servers = only_service(result).real_servers;
    EXPECT_EQ(servers.at(0).checkers.get(), servers.at(1).checkers.get());
    EXPECT_EQ(servers.at(0).settings.get(), servers.at(2).settings.get());
    EXPECT_NE(servers.at(0).checkers.get(), servers.at(2).checkers.get());
}

TEST(SorryServers, FollowTheService) {
    const auto sorry = only_service(load_string(service_with("sorry_server 127.0.0.1\n sorry_server_inhibit\n sorry_server_lvs_method DR"))).sorry_server;
    ASSERT_TRUE(sorry.has_value());
    EXPECT_EQ(sorry->port, 80);
    EXPECT_TRUE(sorry->inhibit);
    EXPECT_EQ(sorry->forwarding.method, ForwardingMethod::dr);
    EXPECT_EQ(load_string(service_with("sorry_server_inhibit")).diagnostics.count(Severity::warning), 1u);
    EXPECT_TRUE(load_string(service_with("sorry_server ::1 80")).diagnostics.has_errors());
}

TEST(Servers, ComparisonDoesNotSeeWhereTheyStand) {
    const LoadResult first = load_string(service_with("quorum_up /bin/a"));
    const LoadResult moved = load_string("\n\n" + service_with("quorum_up /bin/a"));
    EXPECT_NE(only_service(first).where.line, only_service(moved).where.line);
    EXPECT_EQ(only_service(first).quorum_up->where, only_service(moved).quorum_up->where);
    const LoadResult other = load_string(service_with("quorum_up /bin/b"));
    EXPECT_NE(only_service(first).quorum_up->command, only_service(other).quorum_up->command);
}

TEST(LvsDefinitions, AreRead) {
    const LoadResult result = load_string("global_defs {\n lvs_sync_daemon eth1 VI_1 port 9000 ttl 3 maxlen 1000 group 224.0.0.99\n lvs_timeouts tcp 100 udp 5\n"
                                          " lvs_flush\n lvs_flush_on_stop VS\n checker_priority -4\n checker_cpu_affinity 1 2\n rs_init_notifies\n}\n" + instance_with(""));
    EXPECT_EQ(summary(result), "");
    const LvsDefinitions& lvs = result.configuration.global.lvs;
    ASSERT_TRUE(lvs.sync_daemon.has_value());
    EXPECT_EQ(lvs.sync_daemon->instance, "VI_1");
    EXPECT_EQ(lvs.sync_daemon->id, 7);   // the VRID
    EXPECT_EQ(lvs.sync_daemon->port, 9000);
    EXPECT_EQ(lvs.timeouts.tcp, 100u);
    EXPECT_EQ(lvs.timeouts.tcp_fin, std::nullopt);
    EXPECT_EQ(lvs.flush_at_stop, FlushAtStop::services);
    EXPECT_EQ(lvs.process.nice, -4);
    EXPECT_EQ(lvs.process.cpus, (std::vector<unsigned>{1, 2}));
}

TEST(LvsDefinitions, ASyncDaemonNeedsItsInstance) {
    const LoadResult result = load_string("global_defs {\n lvs_sync_daemon eth1 VI_2\n}\n" + instance_with(""));
    EXPECT_EQ(summary(result), "error 2:23 there is no usable vrrp_instance 'VI_2': the sync daemon is not started\n");
    EXPECT_FALSE(result.configuration.global.lvs.sync_daemon.has_value());
    for (const char* wrong : {"eth1 VI_1 id 256", "eth1 VI_1 ttl 0", "eth1 VI_1 port", "eth1 VI_1 foo 3", "eth1 inst", "eth1 VI_1 group 10.0.0.1"}) {
        EXPECT_TRUE(load_string("global_defs {\n lvs_sync_daemon " + std::string(wrong) + "\n}\n" + instance_with("")).diagnostics.has_errors()) << wrong;
    }
}

}  // namespace vigil::config::test
