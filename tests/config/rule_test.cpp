#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

LoadResult load_rule(std::string_view line) { return load_string(instance_with("virtual_rules {\n " + std::string(line) + "\n}")); }

ConfiguredRule rule_of(std::string_view line) {
    const LoadResult& result = keep(load_rule(line));
    EXPECT_EQ(summary(result), "") << line;
    EXPECT_EQ(result.configuration.instances.at(0).virtual_rules.size(), 1u) << line;
    return result.configuration.instances.at(0).virtual_rules.empty() ? ConfiguredRule{} : result.configuration.instances.at(0).virtual_rules[0];
}

std::string refusal_of_rule(std::string_view line) {
    const LoadResult result = load_rule(line);
    EXPECT_TRUE(result.configuration.instances.at(0).virtual_rules.empty()) << line;
    return summary(result);
}

TEST(RuleLine, MatchesAndLooksUp) {
    const ConfiguredRule rule = rule_of("from 10.1.0.0/16 to 10.2.0.0/16 iif eth0 oif eth1 tos 0x10 fwmark 0x5/0xff table 7 preference 900");
    EXPECT_EQ(rule.from, (Prefix{ipv4(10, 1, 0, 0), 16}));
    EXPECT_EQ(rule.to, (Prefix{ipv4(10, 2, 0, 0), 16}));
    EXPECT_EQ(rule.input_device, "eth0");
    EXPECT_EQ(rule.output_device, "eth1");
    EXPECT_EQ(rule.tos, 0x10);
    EXPECT_EQ(rule.mark, 5u);
    EXPECT_EQ(rule.mark_mask, 0xffu);
    EXPECT_EQ(rule.action, RuleAction::lookup);
    EXPECT_EQ(rule.table, 7u);
    EXPECT_EQ(rule.priority, 900u);
    EXPECT_EQ(rule.family, Family::ipv4);
}

TEST(RuleLine, RangesMayBeOneNumber) {
    const ConfiguredRule rule = rule_of("ipproto tcp sport 1024-2047 dport 443 uidrange 1000-1999 tunnel-id 77 lookup main priority 5");
    EXPECT_EQ(rule.ip_protocol, 6);
    EXPECT_EQ(rule.source_ports, (NumberRange{1024, 2047}));
    EXPECT_EQ(rule.destination_ports, (NumberRange{443, 443}));
    EXPECT_EQ(rule.user_ids, (NumberRange{1000, 1999}));
    EXPECT_EQ(rule.tunnel_id, 77u);
    EXPECT_EQ(refusal_of_rule("sport 9-8 lookup 5 priority 5"), "error 8:8 'sport' expects FIRST-LAST, not '9-8': the rule is dropped\n");
    EXPECT_EQ(refusal_of_rule("dport 70000 lookup 5 priority 5"), "error 8:8 'dport' expects FIRST-LAST, not '70000': the rule is dropped\n");
}

TEST(RuleLine, Actions) {
    EXPECT_EQ(rule_of("from 10.1.0.0/16 type blackhole priority 5").action, RuleAction::blackhole);
    EXPECT_EQ(rule_of("from 10.1.0.0/16 prohibit priority 5").action, RuleAction::prohibit);
    EXPECT_EQ(rule_of("from 10.1.0.0/16 unreachable priority 5").action, RuleAction::unreachable);
    EXPECT_EQ(rule_of("not from 10.1.0.0/16 nop priority 5").action, RuleAction::nop);
    EXPECT_EQ(rule_of("from 10.1.0.0/16 type goto 900 priority 5").go_to, 900u);
    const ConfiguredRule l3mdev = rule_of("l3mdev priority 1000");
    EXPECT_TRUE(l3mdev.is_l3mdev && l3mdev.action == RuleAction::lookup && l3mdev.table == 0);
    EXPECT_EQ(refusal_of_rule("from 10.1.0.0/16 priority 5"), "error 8:2 it has no action: the rule is dropped\n");
    EXPECT_EQ(refusal_of_rule("from 10.1.0.0/16 nop lookup 5 priority 5"), "error 8:23 a rule has one action, and 'nop' stands there already: the rule is dropped\n");
    EXPECT_EQ(refusal_of_rule("from 10.1.0.0/16 goto 4 priority 5"), "error 8:19 'goto 4' leads back: the rule's own priority is 5: the rule is dropped\n");
    EXPECT_EQ(refusal_of_rule("from 10.1.0.0/16 type lok priority 5"), "error 8:24 'lok' is no action: the rule is dropped\n");
}

TEST(RuleLine, Modifiers) {
    const ConfiguredRule rule = rule_of("from default lookup main suppress_prefixlength 0 suppress_ifgroup 3 realms 2/3 priority 5");
    EXPECT_EQ(rule.suppressed_prefix_length, 0u);
    EXPECT_EQ(rule.suppressed_group, 3u);
    EXPECT_EQ(rule.realms, 2u << 16 | 3u);
    EXPECT_EQ(rule_of("from all table main sup_pl 1 sup_group default order 5").suppressed_group, 0u);
    EXPECT_EQ(refusal_of_rule("from all prohibit sup_pl 1 priority 5"), "error 8:11 'suppress_...' needs a table to look up: the rule is dropped\n");
}

TEST(RuleLine, TheFamilyFollowsFromTheAddresses) {
    EXPECT_EQ(rule_of("from 2001:db8::/32 lookup 5 priority 5").family, Family::ipv6);
    EXPECT_EQ(rule_of("inet6 iif eth0 lookup 5 priority 5").family, Family::ipv6);
    EXPECT_EQ(refusal_of_rule("from 2001:db8::/32 to 10.0.0.0/8 lookup 5 priority 5"), "error 8:24 '10.0.0.0/8' is IPv4, but '2001:db8::/32' is IPv6: the rule is dropped\n");
}

TEST(RuleLine, WithoutAPriorityItGetsOneThatCountsDown) {
    const LoadResult result = load_rule("from 10.1.0.0/16 lookup 5\n from 10.2.0.0/16 lookup 5\n from 2001:db8::/32 lookup 5");
    const auto& rules = result.configuration.instances.at(0).virtual_rules;
    ASSERT_EQ(rules.size(), 3u);
    EXPECT_EQ(rules[0].priority, 16384u);
    EXPECT_EQ(rules[1].priority, 16383u);
    EXPECT_EQ(rules[2].priority, 16384u);
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 3u);
}

TEST(RuleLine, TyposAreDroppedWithTheRemedy) {
    EXPECT_EQ(refusal_of_rule("from 10.1.0.0/16 lokup 5"), "error 8:19 unknown word 'lokup' in a rule: the rule is dropped\n");
    EXPECT_NE(helps(load_rule("from 10.1.0.0/16 lokup 5")).find("did you mean 'lookup'?"), std::string::npos);
    EXPECT_EQ(refusal_of_rule("fwmark x lookup 5 priority 5"), "error 8:9 'fwmark' expects MARK or MARK/MASK, not 'x': the rule is dropped\n");
    EXPECT_EQ(refusal_of_rule("ipproto nonsense lookup 5 priority 5"),
              "error 8:10 'nonsense' is neither a number that fits nor a name of /etc/protocols: the rule is dropped\n");
}

TEST(RuleLine, ItsInterfacesAreTracked) {
    const LoadResult result = load_rule("iif eth1 oif eth2 lookup 5 priority 5\n iif eth3 lookup 5 priority 6 no_track");
    const auto& items = result.configuration.instances.at(0).track_interfaces;
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].name, "eth1");
    EXPECT_EQ(items[1].name, "eth2");
}

TEST(RuleLine, IsWrittenSoThatItCanBeReadAgain) {
    for (const char* line :
         {"inet not from 10.1.0.0/16 to 10.2.0.0/16 iif eth0 oif eth1 tos 16 fwmark 5/255 priority 900 lookup 7", "inet6 from 2001:db8::/32 priority 5 prohibit",
          "inet uidrange 1-2 ipproto 6 sport 1-2 dport 3-4 tunnel-id 7 priority 5 goto 6", "inet priority 5 suppress_prefixlength 0 suppress_ifgroup 3 realms 2/3 lookup 254",
          "inet priority 5 protocol 4 no_track l3mdev", "inet priority 5 nop", "inet6 priority 5 blackhole"}) {
        EXPECT_EQ(to_string(rule_of(line)), line);
    }
}

}  // namespace vigil::config::test
