#include "engine/daemon/lvs_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.h"
#include "engine/daemon/server_notices.h"
#include "engine/daemon/usable_checks.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;

config::Configuration load(const std::string& text) {
    config::LoadResult result = config::load_text("test.conf", text);
    EXPECT_EQ(result.diagnostics.count(config::Severity::error), 0u) << text;
    return std::move(result.configuration);
}

/// A virtual server with `lines` and real servers 10.1.0.1 and 10.1.0.2, with `checker` in each.
std::string service(const std::string& lines, const std::string& checker = "", const std::string& head = "10.0.0.1 80") {
    std::string text = "virtual_server " + head + " {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n " + lines + "\n";
    for (const char* address : {"10.1.0.1", "10.1.0.2"}) text += std::string(" real_server ") + address + " 80 {\n " + checker + "\n }\n";
    return text + "}\n";
}

LvsPlan plan_of(const std::string& text) { return make_lvs_plan(load(text)); }
const checkers::CheckSpec& made(const LvsPlan& plan, std::size_t at) { return std::get<checkers::CheckSpec>(plan.checks.at(at)); }
const FileRule& file_rule(const LvsPlan& plan, std::size_t at) { return std::get<ExternalCheck>(plan.checks.at(at)).file; }

TEST(LvsPlan, AServiceWithItsServers) {
    const LvsPlan plan = plan_of(service("persistence_timeout 50\n persistence_granularity 255.255.0.0\n quorum 2\n hysteresis 1\n sorry_server 10.9.0.1 80"));
    ASSERT_EQ(plan.services.size(), 1u);
    const ipvs::PooledService& made = plan.services[0];
    ASSERT_EQ(made.services.size(), 1u);
    EXPECT_EQ(to_string(made.services[0].key), "TCP 10.0.0.1:80");
    EXPECT_EQ(made.services[0].scheduler, "rr");
    EXPECT_TRUE(made.services[0].is_persistent);
    EXPECT_EQ(made.services[0].persistence_seconds, 50u);
    EXPECT_EQ(made.services[0].granularity, 0xffff0000);
    EXPECT_EQ(made.quorum, 2u);
    EXPECT_EQ(made.hysteresis, 1u);
    ASSERT_EQ(made.servers.size(), 2u);
    EXPECT_EQ(to_string(made.servers[1].destination.key), "10.1.0.2:80");
    EXPECT_EQ(made.servers[1].destination.forwarding, ipvs::Forwarding::masquerade);
    ASSERT_TRUE(made.sorry);
    EXPECT_EQ(made.sorry->destination.weight, 1);
}

/// What keepalived 2.2.7 makes of it (`ipvsadm -Sn` on Linux 6.1).
const std::string groups =
    "virtual_server_group a {\n 10.0.0.1 80\n 10.0.0.2 80\n 10.0.1.10-12 80\n}\nvirtual_server_group c {\n 10.0.3.1 80\n fwmark 3\n}\n"
    "virtual_server_group d {\n 10.0.4.1 80\n}\n";
std::string of_group(const std::string& name, const std::string& protocol, const std::string& kind = "NAT") {
    return "virtual_server group " + name + " {\n lb_algo rr\n lb_kind " + kind + "\n protocol " + protocol + "\n real_server 10.1.0.1 80 {\n }\n}\n";
}
std::vector<std::string> keys(const LvsPlan& plan) {
    std::vector<std::string> result;
    for (const auto& service : plan.services) {
        for (const auto& one : service.services) result.push_back(to_string(one.key));
    }
    return result;
}
std::optional<std::uint32_t> mark_of(const LvsPlan& plan, const IpAddress& address, std::uint8_t protocol, std::uint16_t port) {
    const auto found = plan.places.find({address, protocol, port});
    return found == plan.places.end() ? std::nullopt : std::optional(found->second);
}

TEST(LvsPlan, NftablesIpvsMakesAGroupOneServiceOfAMark) {
    MarkBook book;
    const LvsPlan plan = make_lvs_plan(load(groups + of_group("a", "TCP") + of_group("c", "TCP") + of_group("d", "TCP") + of_group("d", "UDP", "DR")), &book);
    EXPECT_EQ(keys(plan), (std::vector<std::string>{"FWMARK 1000 (IPv4)", "TCP 10.0.3.1:80", "FWMARK 3 (IPv4)", "FWMARK 1001 (IPv4)", "FWMARK 1002 (IPv4)"}));
    EXPECT_EQ(plan.places.size(), 7u);
    EXPECT_EQ(mark_of(plan, ipv4(10, 0, 1, 12), 6, 80), 1000u);
    EXPECT_EQ(mark_of(plan, ipv4(10, 0, 3, 1), 6, 80), std::nullopt) << "a group with marks of its own";
    EXPECT_EQ(mark_of(plan, ipv4(10, 0, 4, 1), 6, 80), 1001u);
    EXPECT_EQ(mark_of(plan, ipv4(10, 0, 4, 1), 17, 80), 1002u);
    EXPECT_EQ(plan.services[2].servers[0].destination.key.port, 80u);
    EXPECT_EQ(plan.services[3].servers[0].destination.key.port, 0u) << "DR changes no port";
}

TEST(LvsPlan, MarksStayOverAReloadAndAreGivenOnce) {
    MarkBook book;
    (void)make_lvs_plan(load(groups + of_group("a", "TCP") + of_group("d", "TCP")), &book);
    const LvsPlan fewer = make_lvs_plan(load(groups + of_group("d", "TCP")), &book);
    EXPECT_EQ(keys(fewer), std::vector<std::string>{"FWMARK 1001 (IPv4)"});
    const LvsPlan more = make_lvs_plan(load(groups + of_group("a", "TCP") + of_group("d", "TCP")), &book);
    EXPECT_EQ(keys(more), (std::vector<std::string>{"FWMARK 1002 (IPv4)", "FWMARK 1001 (IPv4)"})) << "whoever went gets another one";
}

TEST(LvsPlan, MarksOfTheFileAreNotGiven) {
    MarkBook book;
    const std::string own = "virtual_server fwmark 500 {\n lb_algo rr\n lb_kind DR\n real_server 10.1.0.9 {\n }\n}\n";
    const LvsPlan plan = make_lvs_plan(load("global_defs {\n nftables_ipvs\n nftables_ipvs_start_fwmark 500\n}\n" + groups + own + of_group("a", "TCP")), &book);
    EXPECT_EQ(keys(plan), (std::vector<std::string>{"FWMARK 500 (IPv4)", "FWMARK 501 (IPv4)"}));
}

TEST(LvsPlan, WithoutPersistenceAClientIsAHost) {
    EXPECT_EQ(plan_of(service("")).services[0].services[0].granularity, 0xffffffff);
    const LvsPlan plan = plan_of("virtual_server fd00::1 80 {\n lb_algo rr\n lb_kind DR\n protocol UDP\n real_server fd00::2 80 {\n }\n}\n");
    EXPECT_EQ(plan.services[0].services[0].granularity, 128u);
    EXPECT_EQ(to_string(plan.services[0].services[0].key), "UDP [fd00::1]:80");
    EXPECT_EQ(plan.services[0].servers[0].destination.forwarding, ipvs::Forwarding::direct_route);
}

TEST(LvsPlan, TunnelsHaveTheirKind) {
    const LvsPlan plan = plan_of("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind TUN type gue port 5555 remcsum\n protocol TCP\n real_server 10.1.0.1 80 {\n }\n"
                                 " real_server 10.1.0.2 80 {\n lvs_method TUN type gre csum\n }\n}\n");
    const auto& servers = plan.services[0].servers;
    EXPECT_EQ(servers[0].destination.tunnel, (ipvs::Tunnel{ipvs::TunnelType::gue, false, true, 5555}));
    EXPECT_EQ(servers[1].destination.tunnel, (ipvs::Tunnel{ipvs::TunnelType::gre, true, false, 0}));
}

TEST(LvsPlan, AGroupIsAServiceForEachAddressAndMark) {
    const LvsPlan plan = plan_of("virtual_server_group g {\n 10.0.0.1 80\n 10.0.0.254-255 81\n 10.0.1.0/30 82\n fwmark 7\n}\n" + service("", "", "group g"));
    std::vector<std::string> keys;
    for (const ipvs::Service& one : plan.services[0].services) keys.push_back(to_string(one.key));
    EXPECT_EQ(keys, (std::vector<std::string>{"TCP 10.0.0.1:80", "TCP 10.0.0.254:81", "TCP 10.0.0.255:81", "TCP 10.0.1.0:82", "TCP 10.0.1.1:82", "TCP 10.0.1.2:82",
                                              "TCP 10.0.1.3:82", "FWMARK 7 (IPv4)"}));
}

TEST(LvsPlan, ARangeMayCrossAnOctet) {
    const LvsPlan plan = plan_of("virtual_server_group g {\n 10.0.0.255-10.0.1.1 80\n}\n" + service("", "", "group g"));
    ASSERT_EQ(plan.services[0].services.size(), 3u);
    EXPECT_EQ(to_string(plan.services[0].services[1].key), "TCP 10.0.1.0:80");
}

TEST(LvsPlan, SchedulerFlagsAreBits) {
    const LvsPlan plan = plan_of("virtual_server 10.0.0.1 80 {\n lb_algo mh\n mh-port\n mh-fallback\n flag-3\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1 80 {\n }\n}\n");
    EXPECT_EQ(plan.services[0].services[0].scheduler_flags, 7);
}

TEST(LvsPlan, EqualChecksAreMadeOnce) {
    const std::string one_place = "TCP_CHECK {\n connect_ip 10.7.0.1\n connect_port 8080\n }";
    const LvsPlan plan = plan_of(service("", one_place) + service("", one_place, "10.0.0.2 80") + service("", "TCP_CHECK {\n }", "10.0.0.3 80"));
    ASSERT_EQ(plan.checks.size(), 3u);   // that one, and one for each server of the third
    EXPECT_EQ(plan.services[0].servers[0].checks, plan.services[1].servers[1].checks);
    EXPECT_NE(plan.services[2].servers[0].checks, plan.services[2].servers[1].checks);
    EXPECT_EQ(to_string(made(plan, 1).common.address), "10.1.0.1");
}

TEST(LvsPlan, AServerNeedsACheckOnce) {
    const LvsPlan plan = plan_of(service("", "TCP_CHECK {\n }\n TCP_CHECK {\n }"));
    EXPECT_EQ(plan.services[0].servers[0].checks.size(), 1u);
}

TEST(LvsPlan, TimesComeFromTheChecker) {
    const LvsPlan plan = plan_of(service("delay_loop 7", "TCP_CHECK {\n retry 2\n delay_before_retry 3\n connect_timeout 4\n warmup 0\n alpha\n }"));
    const checkers::CommonSpec& common = made(plan, 0).common;
    EXPECT_EQ(common.retry, 2u);
    EXPECT_EQ(common.delay_before_retry, 3s);
    EXPECT_EQ(common.connect_timeout, 4s);
    EXPECT_EQ(common.delay_loop, 7s);
    EXPECT_EQ(common.warmup, 0s);
    EXPECT_TRUE(common.alpha);
}

TEST(LvsPlan, AUrlWithAllOfIt) {
    const LvsPlan plan = plan_of(service("", "SSL_GET {\n enable_sni\n virtualhost v.example\n url {\n path /a\n status_code 201 300-302\n regex ^x\n regex_options caseless\n"
                                             " regex_min_offset 5\n }\n }"));
    const auto& http = std::get<checkers::HttpSpec>(made(plan, 0).method);
    ASSERT_TRUE(http.tls);
    EXPECT_TRUE(http.tls->send_name);
    ASSERT_EQ(http.urls.size(), 1u);
    EXPECT_EQ(http.urls[0].path, "/a");
    EXPECT_EQ(http.urls[0].virtual_host, "v.example");
    EXPECT_EQ(http.urls[0].status, (std::vector<checkers::StatusRange>{{201, 201}, {300, 302}}));
    ASSERT_TRUE(http.urls[0].regex);
    EXPECT_EQ(http.urls[0].regex->pattern, "^x");
    EXPECT_NE(http.urls[0].regex->options, 0u);
    EXPECT_EQ(http.urls[0].regex->min_offset, 5u);
}

TEST(LvsPlan, AProgramIsNoPlace) {
    const LvsPlan plan = plan_of(service("", "MISC_CHECK {\n misc_path \"/bin/true 'a b'\"\n misc_dynamic\n misc_timeout 9\n }"));
    ASSERT_EQ(plan.checks.size(), 1u);   // the same for both servers
    const auto& misc = std::get<checkers::MiscSpec>(made(plan, 0).method);
    EXPECT_EQ(misc.arguments, (std::vector<std::string>{"/bin/true", "a b"}));
    EXPECT_TRUE(misc.dynamic);
    EXPECT_EQ(misc.timeout, 9s);
}

TEST(LvsPlan, AnExpectedReplyMayHaveHoles) {
    const LvsPlan plan = plan_of(service("", "UDP_CHECK {\n payload 0102\n require_reply 1x ff\n }"));
    const auto& udp = std::get<checkers::UdpSpec>(made(plan, 0).method);
    EXPECT_EQ(udp.payload, (std::vector<std::uint8_t>{1, 2}));
    EXPECT_EQ(udp.reply, (std::vector<checkers::MaskedOctet>{{0x10, 0xf0}, {0xff, 0xff}}));
}

TEST(LvsPlan, FilesGiveWeightsOrVerdicts) {
    const std::string file = "track_file f {\n file /tmp/f\n weight 1\n}\n";
    const LvsPlan plan = plan_of(file + service("", "FILE_CHECK {\n track_file f\n weight 3\n }") + service("", "FILE_CHECK {\n track_file f\n weight 0\n }", "10.0.0.2 80"));
    ASSERT_EQ(plan.checks.size(), 2u);
    EXPECT_EQ(file_rule(plan, 0).name, "f");
    EXPECT_EQ(judge_file(file_rule(plan, 0), 5).added_weight, 15);
    EXPECT_TRUE(judge_file(file_rule(plan, 0), 5).is_up);
    EXPECT_FALSE(judge_file(file_rule(plan, 1), 5).is_up);
    EXPECT_TRUE(judge_file(file_rule(plan, 1), 0).is_up);
}

TEST(LvsPlan, WhatAnEarlierProcessHasTakenOutIsDoubted) {
    const LvsPlan plan = plan_of(service("", "TCP_CHECK {\n }") + service("", "TCP_CHECK {\n }", "10.0.0.2 80"));
    ASSERT_EQ(plan.checks.size(), 2u);
    EXPECT_EQ(doubtful_checks(plan, {}), (std::vector{false, false}));   // a first start
    ipvs::Table found{{plan.services[0].services[0], {plan.services[0].servers[0].destination}}};
    EXPECT_EQ(doubtful_checks(plan, found), (std::vector{false, false}));   // the other service is new, and says nothing of them
    found.push_back({plan.services[1].services[0], {plan.services[1].servers[0].destination}});
    EXPECT_EQ(doubtful_checks(plan, found), (std::vector{false, true}));
    found[0].destinations.push_back(plan.services[0].servers[1].destination);
    EXPECT_EQ(doubtful_checks(plan, found), (std::vector{false, false}));   // it is good somewhere
    for (ipvs::ServiceEntry& entry : found) {
        for (ipvs::Destination& one : entry.destinations) one.weight = 0;    // inhibited
    }
    EXPECT_EQ(doubtful_checks(plan, found), (std::vector{true, true}));
}

TEST(LvsPlan, NamesAreKeepaliveds) {
    const config::Configuration configuration =
        load("virtual_server_group g {\n 10.0.0.9 80\n}\n" + service("") + service("", "", "group g") + service("", "", "fwmark 7"));
    EXPECT_EQ(name_of_service(configuration.virtual_servers[0], configuration), "[10.0.0.1]:tcp:80");
    EXPECT_EQ(name_of_service(configuration.virtual_servers[1], configuration), "[g]:0");
    EXPECT_EQ(name_of_service(configuration.virtual_servers[2], configuration), "FWM 7");
    EXPECT_EQ(name_of_server(configuration.virtual_servers[0].real_servers[1], configuration.virtual_servers[0]), "[10.1.0.2]:tcp:80");
}

TEST(LvsPlan, FifoLinesAreKeepalivedsWithoutTheirNul) {
    EXPECT_EQ(service_line("[10.0.0.1]:tcp:80", "UP"), "VS [10.0.0.1]:tcp:80 UP\n");
    EXPECT_EQ(server_line("[10.1.0.1]:tcp:80", "[10.0.0.1]:tcp:80", "DOWN"), "RS [10.1.0.1]:tcp:80 [10.0.0.1]:tcp:80 DOWN\n");
}

TEST(LvsPlan, AnEngineOfPersistenceNeedsPersistence) {
    const auto engine = [](const std::string& lines) { return plan_of(service(lines)).services.at(0).services.at(0).persistence_engine; };
    EXPECT_EQ(engine("persistence_engine sip"), "");
    EXPECT_EQ(engine("persistence_engine sip\n persistence_timeout 60"), "sip");
}

TEST(UsableChecks, APatternThatIsNoneIsAnErrorOnce) {
    const auto with = [](const std::string& pattern) { return service("", "HTTP_GET {\n url {\n path /\n regex \"" + pattern + "\"\n }\n }"); };
    const auto found = check_checkers(load(with("Welcome (to")));
    ASSERT_EQ(found.size(), 1u);   // two servers, one list of checkers
    EXPECT_EQ(found[0].severity, config::Severity::error);
    EXPECT_NE(found[0].message.find("'Welcome (to' of path / cannot be used: missing closing parenthesis"), std::string::npos) << found[0].message;
    EXPECT_GT(found[0].where.line, 0u);
    EXPECT_TRUE(check_checkers(load(with("Welcome (to)"))).empty());
}

TEST(UsableChecks, FilesOfTlsMustBeReadable) {
    const auto found = check_checkers(load("SSL {\n ca /none/ca.pem\n certificate /proc/self/exe\n}\n"));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].message, "SSL: ca /none/ca.pem cannot be read: No such file or directory");
    EXPECT_EQ(found[0].category, config::Category::host);
}

}  // namespace
}  // namespace vigil::daemon
