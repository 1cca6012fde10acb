#include <gtest/gtest.h>

#include <deque>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

/// The texts of a configuration live as long as it does, and the tests look at parts of it.
const LoadResult& keep_loaded(LoadResult result) {
    static std::deque<LoadResult> kept;
    return kept.emplace_back(std::move(result));
}

/// One real server with `blocks`; `defaults` stand in the virtual server.
const LoadResult& checked(std::string_view blocks, std::string_view defaults = {}, std::string_view before = {}) {
    return keep_loaded(load_string(std::string(before) + "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n" + std::string(defaults) +
                            "\n real_server 10.1.0.1 8080 {\n" + std::string(blocks) + "\n }\n}\n"));
}

CheckerList checkers_of(const LoadResult& result) {
    EXPECT_EQ(result.configuration.virtual_servers.size(), 1u) << summary(result);
    return result.configuration.virtual_servers.empty() ? CheckerList{} : *result.configuration.virtual_servers[0].real_servers.at(0).checkers;
}

Checker only_checker(const LoadResult& result) {
    const CheckerList checkers = checkers_of(result);
    EXPECT_EQ(checkers.size(), 1u) << summary(result);
    return checkers.empty() ? Checker{} : checkers[0];
}

template <typename Check>
Check only_check(const LoadResult& result) {
    const Checker checker = only_checker(result);
    const auto* check = std::get_if<Check>(&checker.check);
    EXPECT_NE(check, nullptr);
    return check == nullptr ? Check{} : *check;
}

TEST(Checkers, DefaultsDependOnTheKind) {
    const auto schedule = [](std::string_view block) { return only_checker(checked(block)).schedule; };
    EXPECT_EQ(schedule("TCP_CHECK {\n}").retry, 1u);
    EXPECT_EQ(schedule("TCP_CHECK {\n}").delay_before_retry, 1s);
    EXPECT_EQ(schedule("TCP_CHECK {\n}").delay_loop, 60s);
    EXPECT_EQ(schedule("TCP_CHECK {\n}").warmup, 60s);
    EXPECT_EQ(schedule("HTTP_GET {\nurl {\npath /\n}\n}").delay_before_retry, 3s);
    EXPECT_EQ(schedule("DNS_CHECK {\n}").retry, 3u);
    EXPECT_EQ(schedule("DNS_CHECK {\ndelay_loop 7\n}").delay_before_retry, 7s);
    EXPECT_EQ(schedule("MISC_CHECK {\nmisc_path /bin/x\n}").retry, 0u);
    EXPECT_EQ(only_checker(checked("TCP_CHECK {\n}")).connection.connect_timeout, 5s);
}

TEST(Checkers, InheritFromTheRealAndTheVirtualServer) {
    const std::string_view outer = "retry 4\n delay_loop 2.5\n connect_timeout 9\n alpha\n warmup 0";
    const Checker checker = only_checker(checked("TCP_CHECK {\nwarmup 3\n}\nretry 6\nalpha off", outer));
    EXPECT_EQ(checker.schedule.retry, 6u);
    EXPECT_EQ(checker.schedule.delay_loop, 2500ms);
    EXPECT_EQ(checker.schedule.warmup, 3s);
    EXPECT_EQ(checker.connection.connect_timeout, 9s);
    EXPECT_FALSE(checker.schedule.alpha);
    EXPECT_TRUE(only_checker(checked("TCP_CHECK {\n}", outer)).schedule.alpha);
    EXPECT_EQ(only_checker(checked("TCP_CHECK {\nretry 0\n}", outer)).schedule.retry, 0u);
}

TEST(Checkers, ConnectToTheRealServerUnlessToldOtherwise) {
    const Checker plain = only_checker(checked("TCP_CHECK {\n}"));
    EXPECT_EQ(plain.connection.connect_ip, std::nullopt);
    EXPECT_EQ(plain.connection.connect_port, 8080);
    const CheckConnection own = only_checker(checked("TCP_CHECK {\nconnect_ip 10.2.0.1\nconnect_port 99\nbindto 10.3.0.1\nbind_port 7\nbind_if eth0\nfwmark 5\n}")).connection;
    EXPECT_EQ(own.connect_ip, ipv4(10, 2, 0, 1));
    EXPECT_EQ(own.connect_port, 99);
    EXPECT_EQ(own.bind_address, ipv4(10, 3, 0, 1));
    EXPECT_EQ(own.bind_port, 7);
    EXPECT_EQ(own.bind_interface, "eth0");
    EXPECT_EQ(own.mark, 5u);
}

TEST(Checkers, WithoutAPortOrAnInterfaceCannotConnect) {
    const LoadResult result = load_string("virtual_server fwmark 3 {\n lb_algo rr\n lb_kind NAT\n real_server 10.1.0.1 {\n  TCP_CHECK {\n  }\n  PING_CHECK {\n  }\n }\n}\n");
    EXPECT_EQ(summary(result), "error 5:3 TCP_CHECK has no port to connect to: it is not used\n");
    EXPECT_EQ(name_of(only_checker(result)), "PING_CHECK");
    EXPECT_TRUE(checkers_of(checked("TCP_CHECK {\nconnect_ip fe80::1\n}")).empty());
    EXPECT_EQ(checkers_of(checked("TCP_CHECK {\nconnect_ip fe80::1\nbind_if eth0\n}")).size(), 1u);
    const LoadResult mixed = checked("TCP_CHECK {\nbindto ::1\n}");
    EXPECT_TRUE(mixed.diagnostics.has_errors());
    EXPECT_EQ(only_checker(mixed).connection.bind_address, std::nullopt);
}

TEST(Checkers, LogAllFailuresAsGlobalDefsSayWhereverTheyStand) {
    EXPECT_EQ(only_checker(checked("TCP_CHECK {\n}")).schedule.log_all_failures, false);
    const LoadResult result = load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1 80 {\n  TCP_CHECK {\n  }\n }\n}\n"
                                          "global_defs {\n checker_log_all_failures\n}\n");
    EXPECT_EQ(only_checker(result).schedule.log_all_failures, true);
    EXPECT_EQ(only_checker(checked("TCP_CHECK {\nlog_all_failures off\n}", "", "global_defs {\n checker_log_all_failures\n}\n")).schedule.log_all_failures, false);
}

TEST(HttpChecks, AreReadWithTheirUrls) {
    const HttpCheck check = only_check<HttpCheck>(checked("SSL_GET {\nenable_sni\nsni_name a.b\nhttp_protocol 1.1\nfast_recovery\ntls_compliant\ntls_verify\nvirtualhost two\n"
                                                          "url {\npath /x\ndigest 0123456789abcdef0123456789ABCDEF\nstatus_code 200 301-303\nvirtualhost one\ntls_compliant off\n}\n"
                                                          "url {\npath /y\n}\n}"));
    EXPECT_TRUE(check.tls && check.enable_sni && check.fast_recovery && check.verifies_peer);
    EXPECT_EQ(check.version, HttpVersion::http_1_1);
    ASSERT_EQ(check.urls.size(), 2u);
    EXPECT_EQ(check.urls[0].path, "/x");
    EXPECT_EQ(check.urls[0].digest->at(1), 0x23);
    EXPECT_EQ(check.urls[0].digest->at(15), 0xef);
    EXPECT_EQ(check.urls[0].status_codes, (std::vector<StatusRange>{{200, 200}, {301, 303}}));
    EXPECT_EQ(check.urls[0].virtualhost, "one");
    EXPECT_FALSE(check.urls[0].tls_compliant);
    EXPECT_EQ(check.urls[1].virtualhost, "two");
    EXPECT_EQ(check.urls[1].status_codes, (std::vector<StatusRange>{{200, 299}}));
    EXPECT_TRUE(check.urls[1].tls_compliant);
}

TEST(HttpChecks, TakeTheVirtualhostOfTheServers) {
    const auto host = [](std::string_view inner, std::string_view outer) {
        return only_check<HttpCheck>(checked("HTTP_GET {\nurl {\npath /\n}\n}\n" + std::string(inner), outer)).urls.at(0).virtualhost;
    };
    EXPECT_EQ(host("", ""), "");
    EXPECT_EQ(host("", "virtualhost outer"), "outer");
    EXPECT_EQ(host("virtualhost inner", "virtualhost outer"), "inner");
}

TEST(HttpChecks, NeedAUrlWithAPath) {
    const LoadResult none = checked("HTTP_GET {\n}");
    EXPECT_EQ(summary(none), "error 7:1 HTTP_GET has no URL to ask for: it is not used\n");
    EXPECT_TRUE(checkers_of(none).empty());
    EXPECT_EQ(summary(checked("HTTP_GET {\nurl {\n}\n}")),
              "error 7:1 HTTP_GET has no URL to ask for: it is not used\n"
              "error 8:1 the URL has no path: it is not asked for\n");
}

TEST(HttpChecks, RefuseWhatNoServerCanSay) {
    for (const char* wrong : {"digest 12", "digest 0123456789abcdef0123456789abcdeg", "status_code 99", "status_code 300-200", "status_code 600", "status_code 2xx", "path x",
                              "path \"/a b\"", "regex_options casless", "regex_stack 9", "regex_stack 9 3"}) {
        const LoadResult result = checked("HTTP_GET {\nurl {\npath /\nregex a\n" + std::string(wrong) + "\n}\n}");
        EXPECT_TRUE(result.diagnostics.has_errors()) << wrong;
        EXPECT_EQ(checkers_of(result).size(), 1u) << wrong;
    }
    EXPECT_NE(helps(checked("HTTP_GET {\nurl {\npath /\nregex a\nregex_options casless\n}\n}")).find("did you mean 'caseless'?"), std::string::npos);
}

TEST(HttpChecks, RegularExpressionsLoseOneLevelOfEscapes) {
    const auto pattern = [](std::string_view text) {
        return std::string(only_check<HttpCheck>(checked("HTTP_GET {\nurl {\npath /\nregex " + std::string(text) + "\n}\n}")).urls.at(0).regex->pattern);
    };
    EXPECT_EQ(pattern(R"("up +[0-9]")"), "up +[0-9]");
    EXPECT_EQ(pattern(R"("\\d \"x\"")"), R"(\d "x")");
    EXPECT_EQ(pattern(R"('a "b" c')"), R"(a "b" c)");
    EXPECT_EQ(checked("HTTP_GET {\nurl {\npath /\nregex \"\\d+\"\n}\n}").diagnostics.count(Severity::warning), 1u);
    EXPECT_EQ(checked("HTTP_GET {\nurl {\npath /\nregex_no_match\n}\n}").diagnostics.count(Severity::warning), 1u);
    const RegexSettings regex = *only_check<HttpCheck>(checked("HTTP_GET {\nurl {\npath /\nregex a\nregex_options utf caseless\nregex_no_match\nregex_min_offset 3\nregex_stack 5 9\n}\n}")).urls.at(0).regex;
    EXPECT_TRUE(regex.has(RegexOption::utf) && regex.has(RegexOption::caseless) && !regex.has(RegexOption::ucp) && regex.must_not_match);
    EXPECT_EQ(regex.min_offset, 3u);
    EXPECT_EQ(regex.stack_max, 9u);
}

TEST(HttpChecks, OnlyTlsHasItsWords) {
    EXPECT_TRUE(checked("HTTP_GET {\ntls_compliant\nurl {\npath /\n}\n}").diagnostics.has_errors());
    EXPECT_TRUE(checked("HTTP_GET {\nhttp_protocol 2\nurl {\npath /\n}\n}").diagnostics.has_errors());
    EXPECT_EQ(only_check<HttpCheck>(checked("SSL_GET {\nhttp_protocol 2\nurl {\npath /\n}\n}")).version, HttpVersion::http_2);
    EXPECT_FALSE(only_check<HttpCheck>(checked("HTTP_GET {\nenable_sni\nurl {\npath /\n}\n}")).enable_sni);
}

TEST(SmtpChecks, AHostIsACheckerOfItsOwn) {
    const CheckerList checkers = checkers_of(checked("SMTP_CHECK {\nhost {\nconnect_ip 10.2.0.1\n}\nhost {\nconnect_port 26\n}\nhelo_name me\nretry 7\n}"));
    ASSERT_EQ(checkers.size(), 2u);
    EXPECT_EQ(checkers[0].connection.connect_ip, ipv4(10, 2, 0, 1));
    EXPECT_EQ(checkers[1].connection.connect_ip, std::nullopt);
    EXPECT_EQ(checkers[1].connection.connect_port, 26);
    EXPECT_EQ(std::get<SmtpCheck>(checkers[1].check).helo_name, "me");
    EXPECT_EQ(checkers[1].schedule.retry, 7u);
    EXPECT_EQ(only_check<SmtpCheck>(checked("SMTP_CHECK {\n}")).helo_name, "smtpchecker.keepalived.org");
}

TEST(DnsChecks, TakeANameOfLabels) {
    const DnsCheck check = only_check<DnsCheck>(checked("DNS_CHECK {\ntype AAAA\nname www.example.org.\n}"));
    EXPECT_EQ(check.type, DnsType::aaaa);
    EXPECT_EQ(check.name, "www.example.org.");
    for (const std::string& wrong : {std::string("a..b"), std::string(".a"), std::string(64, 'x') + ".a", std::string(254, 'y')}) {
        EXPECT_TRUE(checked("DNS_CHECK {\nname " + wrong + "\n}").diagnostics.has_errors()) << wrong;
    }
    EXPECT_EQ(only_check<DnsCheck>(checked("DNS_CHECK {\nname .\n}")).name, ".");
}

TEST(UdpChecks, ReadHexadecimalOfAnyShape) {
    const UdpCheck check = only_check<UdpCheck>(checked("UDP_CHECK {\npayload Ab12f 3 456\nrequire_reply 1x X2 f\nmin_reply_length 2\n}"));
    EXPECT_EQ(check.payload, (std::vector<std::uint8_t>{0xab, 0x12, 0x0f, 0x03, 0x45, 0x06}));
    EXPECT_TRUE(check.require_reply);
    EXPECT_EQ(check.reply, (std::vector<std::uint8_t>{0x10, 0x02, 0x0f}));
    EXPECT_EQ(check.reply_mask, (std::vector<std::uint8_t>{0xf0, 0x0f, 0xff}));
    EXPECT_EQ(check.min_reply_length, 2);
    EXPECT_EQ(check.max_reply_length, 255);
    EXPECT_TRUE(only_check<UdpCheck>(checked("UDP_CHECK {\nrequire_reply\n}")).require_reply);
    EXPECT_TRUE(checked("UDP_CHECK {\npayload 1x\n}").diagnostics.has_errors());
    EXPECT_TRUE(checked("UDP_CHECK {\nmin_reply_length 9\nmax_reply_length 3\n}").diagnostics.has_errors());
}

TEST(MiscChecks, NeedAScript) {
    EXPECT_EQ(summary(checked("MISC_CHECK {\n}")), "error 7:1 MISC_CHECK has no misc_path: it is not used\n");
    const MiscCheck check = only_check<MiscCheck>(checked("MISC_CHECK {\nuser joe :staff\nmisc_path \"/bin/x 1\"\nmisc_dynamic\ndelay_loop 4\n}"));
    EXPECT_EQ(check.script.command, "/bin/x 1");
    EXPECT_EQ(check.script.user, "joe");
    EXPECT_EQ(check.script.group, "staff");
    EXPECT_TRUE(check.is_dynamic);
    EXPECT_EQ(check.timeout, 4s);   // delay_loop
}

TEST(NamedChecks, FindWhatTheyNameWhereverItStands) {
    const std::string_view things = "\ntrack_file load {\n file /run/load\n weight -3 reverse\n}\nbfd_instance near {\n neighbor_ip 192.0.2.1\n}\n";
    const auto with = [&](std::string_view block) -> const LoadResult& {
        return keep_loaded(load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1 80 {\n" + std::string(block) + "\n }\n}\n" + std::string(things)));
    };
    const FileCheck own = only_check<FileCheck>(with("FILE_CHECK {\ntrack_file load\n}"));
    EXPECT_EQ(own.weight, -3);
    EXPECT_EQ(own.weight_reverse, true);
    const FileCheck other = only_check<FileCheck>(with("FILE_CHECK {\ntrack_file load\nweight 2147483647 noreverse\n}"));
    EXPECT_EQ(other.weight, 2'147'483'647);
    EXPECT_EQ(other.weight_reverse, false);
    EXPECT_EQ(only_check<BfdCheck>(with("BFD_CHECK {\nname near\n}")).name, "near");
    for (const char* wrong : {"FILE_CHECK {\n}", "BFD_CHECK {\n}", "FILE_CHECK {\ntrack_file lod\n}", "BFD_CHECK {\nname neer\n}"}) {
        const LoadResult result = with(wrong);
        EXPECT_TRUE(result.diagnostics.has_errors()) << wrong;
        EXPECT_TRUE(checkers_of(result).empty()) << wrong;
    }
    EXPECT_NE(helps(with("FILE_CHECK {\ntrack_file lod\n}")).find("did you mean 'load'?"), std::string::npos);
}

/// Every keyword of the load balancer with another value than its default.
constexpr std::string_view every_setting = R"(global_defs {
    smtp_alert_checker off
    checker_log_all_failures
    lvs_sync_daemon eth1 VI_1 id 9 maxlen 1000 port 9000 ttl 3 group ff02::99
    lvs_timeouts tcp 100 tcpfin 20 udp 5
    lvs_flush
    lvs_flush_on_stop
    lvs_notify_fifo /run/lvs joe staff
    lvs_notify_fifo_script "/bin/reader x" joe
    rs_init_notifies
    no_checker_emails
    nftables_ipvs my_table
    nftables_ipvs_priority -7
    nftables_ipvs_start_fwmark 2000
    checker_priority -4
    checker_rt_priority 5
    checker_no_swap
    checker_rlimit_rttime 9000
    checker_cpu_affinity 0 1
    lvs_netlink_cmd_rcv_bufs 10000
    lvs_netlink_monitor_rcv_bufs 20000
}
net_namespace_ipvs other
SSL {
    password secret
    ca /etc/ca.pem
    certificate /etc/cert.pem
    key /etc/key.pem
}
track_file load {
    file /run/load
}
bfd_instance near {
    neighbor_ip 192.0.2.1
}
virtual_server_group g {
    10.0.0.1-9 80
    10.0.1.0/28 443
    fwmark 7
    fwmark 8 inet
}
virtual_server group g {
    lb_algo mh
    mh-port
    mh-fallback
    flag-3
    lb_kind TUN type gue port 5555 csum
    protocol TCP
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    persistence_engine sip
    weight 4
    quorum 3
    hysteresis 2
    quorum_up "/bin/up a" joe staff
    quorum_down /bin/down
    alpha
    omega
    smtp_alert
    snmp_name "a name"
    sorry_server 10.9.0.1 81
    sorry_server_lvs_method NAT
    sorry_server_inhibit
    delay_loop 2.5
    real_server 10.1.0.1 80 {
        weight 9
        lvs_method NAT
        uthreshold 100
        lthreshold 50
        inhibit_on_failure
        alpha off
        smtp_alert
        notify_up "/bin/up 'a b'" joe
        notify_down /bin/down
        snmp_name one
        TCP_CHECK {
            connect_ip 10.2.0.1
            connect_port 99
            bindto 10.3.0.1
            bind_port 7
            bind_if eth0
            connect_timeout 1.5
            fwmark 5
            retry 3
            delay_before_retry 0.5
            warmup 0
            delay_loop 7
            alpha
            log_all_failures off
        }
        HTTP_GET {
            http_protocol 1.0c
            virtualhost host
            fast_recovery
            url {
                path "/a?b=c#d"
                digest 0123456789abcdef0123456789abcdef
                status_code 200 300-302
                virtualhost other
                regex "\\d{3} \"x\" #!\t$"
                regex_no_match
                regex_options caseless utf
                regex_min_offset 3
                regex_max_offset 9
                regex_stack 100 200
            }
            url {
                path /b
            }
        }
        SSL_GET {
            enable_sni
            sni_name name
            http_protocol 2
            tls_compliant
            tls_verify
            url {
                path /
                tls_compliant off
            }
            url {
                path /
            }
        }
        SMTP_CHECK {
            helo_name me
        }
        DNS_CHECK {
            type MX
            name example.org
        }
        UDP_CHECK {
            payload 12 3 4f
            require_reply 1x x2 xx 0
            min_reply_length 2
            max_reply_length 900
        }
        PING_CHECK {
        }
        MISC_CHECK {
            misc_path "/bin/m x"
            user joe staff
            misc_timeout 3
            misc_dynamic
        }
        MISC_CHECK {
            misc_path /bin/n
        }
        FILE_CHECK {
            track_file load
            weight -5 reverse
        }
        BFD_CHECK {
            name near
        }
    }
}
virtual_server fwmark 99 {
    lb_algo wrr
    lb_kind NAT
    ops
    ip_family inet6
    persistence_granularity 64
    real_server 2001:db8::2 {
    }
}
virtual_server 2001:db8::1 53 {
    lb_algo sh
    sh-port
    ops
    lb_kind TUN type gre csum
    protocol UDP
    ha_suspend
    real_server 10.1.0.9 53 {
        inhibit_on_failure
    }
}
)";

TEST(ServerDump, ReadsBackToTheSameModel) {
    const LoadResult first = load_string(std::string(every_setting) + instance_with(""));
    ASSERT_EQ(summary(first), "");
    const std::string text = dump(first.configuration);
    const LoadResult again = load_string(text);
    EXPECT_EQ(summary(again), "");
    EXPECT_EQ(dump(again.configuration), text);
    const Configuration& a = first.configuration;
    const Configuration& b = again.configuration;
    EXPECT_EQ(a.server_groups, b.server_groups);
    EXPECT_EQ(a.virtual_servers, b.virtual_servers);
    LvsDefinitions lvs = b.global.lvs;
    EXPECT_EQ(lvs.tls.password, "********");
    lvs.tls.password = a.global.lvs.tls.password;
    EXPECT_EQ(a.global.lvs, lvs);
}

/// Each line of the settings above is told apart: without it the dump is another one.
TEST(ServerDump, HasALineForEverySetting) {
    const std::string all(every_setting);
    const std::string whole = dump(load_string(all + instance_with("")).configuration);
    for (std::size_t start = 0; start < all.size();) {
        const std::size_t end = all.find('\n', start);
        const std::string line = all.substr(start, end - start);
        const std::string without = all.substr(0, start) + all.substr(end + 1);
        start = end + 1;
        const bool is_structure = line.find('{') != std::string::npos || line.find('}') != std::string::npos || line.find("misc_path") != std::string::npos;
        // Defaults of their place, or masked, or said by another line too.
        bool is_same = false;
        for (const char* word : {"type MX", "lb_kind NAT", "password", "ip_family inet6", "protocol UDP", "alpha off", "track_file load", "smtp_alert_checker", "checker_log_all_failures", "file /run"}) {
            is_same = is_same || line.find(word) != std::string::npos;
        }
        if (is_structure || is_same) continue;
        EXPECT_TRUE(dump(load_string(without + instance_with("")).configuration) != whole) << line;
    }
}

}  // namespace vigil::config::test
