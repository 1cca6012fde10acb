#include <gtest/gtest.h>

#include <map>
#include <set>

#include "config/keywords.h"
#include "config/option_words.h"
#include "config/suggestion.h"
#include "config_fixture.h"

namespace vigil::config::test {

std::size_t count_of(BlockId block) {
    for (const BlockTable& table : block_tables()) {
        if (table.block == block) return table.keywords.size() + table.more.size();
    }
    return 0;
}

/// Counts of keepalived 2.4.3, taken from its own installation of keywords; and ours, vmac_mode and deleted_address in two places, tls_verify.
TEST(Vocabulary, IsComplete) {
    EXPECT_EQ(count_of(BlockId::root), 25u);
    EXPECT_EQ(count_of(BlockId::global_defs), 140u + 2);
    EXPECT_EQ(count_of(BlockId::track_group), 1u);
    EXPECT_EQ(count_of(BlockId::garp_group), 4u);
    EXPECT_EQ(count_of(BlockId::ssl), 4u);
    EXPECT_EQ(count_of(BlockId::vrrp_script), 8u);
    EXPECT_EQ(count_of(BlockId::vrrp_track_process), 9u);
    EXPECT_EQ(count_of(BlockId::track_file), 3u);
    EXPECT_EQ(count_of(BlockId::bfd_instance), 15u);
    EXPECT_EQ(count_of(BlockId::vrrp_sync_group), 15u);
    EXPECT_EQ(count_of(BlockId::vrrp_instance), 70u + 2);
    EXPECT_EQ(count_of(BlockId::authentication), 2u);
    EXPECT_EQ(count_of(BlockId::auth_hmac), 5u);
    EXPECT_EQ(count_of(BlockId::virtual_server), 39u);
    EXPECT_EQ(count_of(BlockId::real_server), 26u);
    EXPECT_EQ(count_of(BlockId::tcp_check), 13u);
    EXPECT_EQ(count_of(BlockId::ping_check), 13u);
    EXPECT_EQ(count_of(BlockId::smtp_check) + count_of(BlockId::smtp_host), 28u);
    EXPECT_EQ(count_of(BlockId::udp_check), 17u);
    EXPECT_EQ(count_of(BlockId::dns_check), 15u);
    EXPECT_EQ(count_of(BlockId::http_get) + count_of(BlockId::url), 30u);
    EXPECT_EQ(count_of(BlockId::ssl_get) + count_of(BlockId::ssl_url), 32u + 1);
    EXPECT_EQ(count_of(BlockId::misc_check), 10u);
    EXPECT_EQ(count_of(BlockId::bfd_check), 2u);
    EXPECT_EQ(count_of(BlockId::file_check), 2u);
}

TEST(Vocabulary, OptionWordsAreComplete) {
    EXPECT_EQ(option_words(OptionLine::address).size(), 15u);
    EXPECT_EQ(option_words(OptionLine::route).size(), 48u);
    EXPECT_EQ(option_words(OptionLine::rule).size(), 35u);
}

TEST(Vocabulary, EveryKeywordIsFoundInItsBlockAndNoneTwice) {
    for (const BlockTable& table : block_tables()) {
        std::set<std::string_view> names;
        for (const auto& keywords : {table.keywords, table.more}) {
            for (const Keyword& keyword : keywords) {
                EXPECT_EQ(find_keyword(table.block, keyword.name), &keyword) << keyword.name;
                EXPECT_TRUE(names.insert(keyword.name).second) << keyword.name;
            }
        }
    }
}

TEST(Vocabulary, IsCaseSensitiveAndWhole) {
    EXPECT_EQ(find_keyword(BlockId::vrrp_instance, "Priority"), nullptr);
    EXPECT_EQ(find_keyword(BlockId::vrrp_instance, "priorit"), nullptr);
    EXPECT_EQ(find_keyword(BlockId::global_defs, "priority"), nullptr);
}

TEST(Suggestions, KnowTheTyposOfTheTutorials) {
    EXPECT_EQ(suggest_keyword(BlockId::global_defs, "stmp_connect_timeout"), "did you mean 'smtp_connect_timeout'?");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "preemtp_delay"), "did you mean 'preempt_delay'?");
    EXPECT_EQ(suggest_keyword(BlockId::authentication, "autp_pass"), "did you mean 'auth_pass'?");
    EXPECT_EQ(suggest_keyword(BlockId::root, "vrrp_sync_groups"), "did you mean 'vrrp_sync_group'?");
    EXPECT_EQ(suggest_keyword(BlockId::root, "vrrp_rsync_group"), "did you mean 'vrrp_sync_group'?");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "reempt_delay"), "did you mean 'preempt_delay'?");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_script, "intervael"), "did you mean 'interval'?");
    EXPECT_EQ(suggest_keyword(BlockId::real_server, "SMTP_CHEKC"), "did you mean 'SMTP_CHECK'?");
    EXPECT_EQ(suggest_keyword(BlockId::root, "vvrp_script"), "did you mean 'vrrp_script'?");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "lvs_sync_daemon_inteface"), "did you mean 'lvs_sync_daemon_interface'?");
    EXPECT_EQ(suggest_keyword(BlockId::root, "bal_defs"), "did you mean 'global_defs'?");
}

TEST(Suggestions, SayWhereAKeywordBelongs) {
    EXPECT_EQ(suggest_keyword(BlockId::root, "virtual_router_id"), "'virtual_router_id' belongs into 'vrrp_instance'");
    EXPECT_EQ(suggest_keyword(BlockId::root, "notification_email"), "'notification_email' belongs into 'global_defs'");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "auth_pass"), "'auth_pass' belongs into 'authentication'");
}

TEST(Suggestions, PreferTheSameBlock) {
    // One edit from global_defs' vrrp_strict and as many from nothing nearer in the instance.
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "strict_mod"), "did you mean 'strict_mode'?");
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "vrrp_versio"), "did you mean 'vrrp_version'? It belongs into 'global_defs'");
}

TEST(Suggestions, GiveTheNewNameOfAnOldKeyword) { EXPECT_EQ(suggest_keyword(BlockId::tcp_check, "nb_get_retry"), "use 'retry' here"); }

TEST(Suggestions, ExplainForeignSigns) {
    EXPECT_EQ(suggest_keyword(BlockId::root, "//comment"), "a comment starts with # or !");
    EXPECT_NE(suggest_keyword(BlockId::vrrp_instance, "\xC2\xA0state").find("no-break"), std::string::npos);
    EXPECT_EQ(suggest_keyword(BlockId::vrrp_instance, "priority=100"), "write 'priority', a blank, and the value");
}

TEST(Suggestions, SayNothingWhenNothingIsNear) { EXPECT_EQ(suggest_keyword(BlockId::root, "xyzzy"), ""); }

TEST(EditDistance, CountsInsertDeleteReplaceAndSwapAsOneEach) {
    EXPECT_EQ(edit_distance("abcd", "abcd", 3), 0u);
    EXPECT_EQ(edit_distance("abcd", "abxcd", 3), 1u);
    EXPECT_EQ(edit_distance("abcd", "acd", 3), 1u);
    EXPECT_EQ(edit_distance("abcd", "abed", 3), 1u);
    EXPECT_EQ(edit_distance("abcd", "acbd", 3), 1u);
    EXPECT_EQ(edit_distance("abcd", "dcba", 3), 3u);  // two replaced, the middle swapped
    EXPECT_EQ(edit_distance("abcdefgh", "hgfedcba", 3), 4u);  // more than the limit
}

TEST(Deprecated, KeywordsAreTakenWithAWarningAndTheNewName) {
    const LoadResult result =
        load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 10.0.0.2 80 {\n  HTTP_GET {\n nb_get_retry 3\n url {\n path /\n }\n }\n }\n}\n");
    EXPECT_EQ(summary(result), "warning 7:2 'nb_get_retry' is deprecated\n");
    EXPECT_NE(helps(result).find("use retry"), std::string::npos);
}

TEST(Arguments, AMissingOneIsAnErrorOfThatKeywordOnly) {
    const LoadResult result = load_string(instance_with("mcast_src_ip\npriority 150"));
    EXPECT_EQ(summary(result), "error 7:1 'mcast_src_ip' needs an IPv4 or IPv6 address\n");
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority{150});
}

TEST(Arguments, OutOfRangeKeepsTheDefault) {
    const LoadResult result = load_string(instance_with("priority 256"));
    EXPECT_EQ(summary(result), "error 7:10 'priority' expects a number from 1 to 255, not '256': ignored\n");
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority::default_value);
}

TEST(Arguments, ARefusedPriorityDoesNotBecomeTheOwnersWithStateMaster) {
    EXPECT_EQ(load_string(instance_with("state MASTER\npriority PRIO")).configuration.instances.at(0).priority, Priority{100});
    EXPECT_EQ(load_string(instance_with("state MASTER\npriority ${PRIO}")).configuration.instances.at(0).priority, Priority{100});
}

TEST(Arguments, WhatTrailsANumberIsWarnedAbout) {
    const LoadResult result = load_string(instance_with("priority 150;\nadvert_int 2s"));
    EXPECT_EQ(result.configuration.instances.at(0).priority, Priority{150});
    EXPECT_EQ(result.configuration.instances.at(0).advert_int, Centiseconds{200});
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 2u);
}

TEST(Arguments, NegativeIsRefusedForAnUnsignedValue) {
    EXPECT_TRUE(load_string(instance_with("garp_master_delay -1")).diagnostics.has_errors());
}

TEST(Arguments, HexadecimalIsNoNumberHere) { EXPECT_EQ(load_string(instance_with("debug 0x2")).configuration.instances.at(0).debug, 0); }

TEST(Arguments, BooleansAreLowerCase) {
    EXPECT_TRUE(load_string("global_defs {\n vrrp_strict on\n}").configuration.global.vrrp_strict);
    EXPECT_TRUE(load_string("global_defs {\n vrrp_strict\n}").configuration.global.vrrp_strict);
    EXPECT_FALSE(load_string("global_defs {\n vrrp_strict no\n}").configuration.global.vrrp_strict);
    const LoadResult result = load_string("global_defs {\n vrrp_strict True\n}");
    EXPECT_FALSE(result.configuration.global.vrrp_strict);
    EXPECT_TRUE(result.diagnostics.has_errors());
}

TEST(Arguments, ChoicesAreSuggested) {
    const LoadResult result = load_string("virtual_server 10.0.0.1 80 {\n lb_algo rrr\n}\n");
    EXPECT_NE(helps(result).find("did you mean 'rr'?"), std::string::npos);
}

TEST(Arguments, PlaceholdersOfManualsAreNamed) {
    EXPECT_NE(helps(load_string(instance_with("mcast_src_ip <IPADDR>"))).find("placeholder"), std::string::npos);
}

TEST(Arguments, WordsThatNobodyLooksAtAreANote) {
    const LoadResult result = load_string(instance_with("priority 150 // highest"));
    EXPECT_EQ(summary(result), "");
    EXPECT_EQ(result.diagnostics.count(Severity::note), 1u);
    EXPECT_EQ(result.diagnostics.all()[0].help, "a comment starts with # or !");
}

}  // namespace vigil::config::test
