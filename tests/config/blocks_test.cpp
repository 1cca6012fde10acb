#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

/// The instance that every brace style below must give.
void expect_instance(const LoadResult& result) {
    ASSERT_EQ(result.configuration.instances.size(), 1u) << summary(result);
    const VrrpInstance& instance = result.configuration.instances[0];
    EXPECT_EQ(instance.interface, "eth0");
    EXPECT_EQ(to_number(instance.vrid), 7);
    ASSERT_EQ(instance.virtual_addresses.size(), 1u);
    EXPECT_EQ(to_string(instance.virtual_addresses[0].address), "10.0.0.1");
    EXPECT_EQ(to_number(instance.priority), 150);
}

TEST(BraceStyles, BraceAtTheEndOfTheLine) {
    const LoadResult result = load_string(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n10.0.0.1\n}\npriority 150\n}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "");
}

TEST(BraceStyles, BraceOnTheNextLine) {
    const LoadResult result = load_string(
        "vrrp_instance A\n{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress\n\n{\n10.0.0.1\n}\npriority 150\n}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "");
}

TEST(BraceStyles, BraceGluedToTheKeyword) {
    const LoadResult result =
        load_string("vrrp_instance A{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress{\n10.0.0.1}\npriority 150}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "");
}

TEST(BraceStyles, EverythingAroundBracesOnOneLine) {
    const LoadResult result =
        load_string("vrrp_instance A { interface eth0\nvirtual_router_id 7\nvirtual_ipaddress { 10.0.0.1 } priority 150 }");
    expect_instance(result);
    EXPECT_EQ(summary(result), "");
}

TEST(Blocks, AnUnknownOneIsSkippedWhole) {
    const LoadResult result = load_string("vrrp_sync_groups g {\n group {\n A\n }\n}\n" + instance_with("priority 150"));
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 1:1 unknown keyword 'vrrp_sync_groups' at the root level, its block is skipped\n");
    EXPECT_EQ(result.diagnostics.all()[0].help, "did you mean 'vrrp_sync_group'?");
}

TEST(Blocks, AnUnknownOneInsideABlockDoesNotCloseIt) {
    const LoadResult result = load_string(instance_with("nonsense {\n a {\n b\n }\n}\npriority 150"));
    expect_instance(result);
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Blocks, AnUnknownOneWithItsBraceOnTheNextLineIsReportedOnce) {
    const LoadResult result = load_string(instance_with("nonsense\n{\n a\n}\npriority 150"));
    expect_instance(result);
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Blocks, AMissingOpeningBraceIsReportedAndTheContentsAreTaken) {
    const LoadResult result =
        load_string("vrrp_instance A\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress\n10.0.0.1\n}\npriority 150\n}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 1:1 '{' is missing after 'vrrp_instance'\nerror 4:1 '{' is missing after 'virtual_ipaddress'\n");
}

TEST(Blocks, ABlockKeywordWithoutABlockIsReported) {
    const LoadResult result = load_string(instance_with("track_interface\npriority 150"));
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 7:1 'track_interface' is a block, '{' is missing: ignored\n");
}

TEST(Blocks, AMissingClosingBraceIsFoundAtTheNextRootBlock) {
    const LoadResult result = load_string(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\npriority 150\nvirtual_ipaddress {\n10.0.0.1\n}\n"
        "vrrp_instance B {\ninterface eth1\nvirtual_router_id 8\nvirtual_ipaddress {\n10.0.0.2\n}\n}\n");
    ASSERT_EQ(result.configuration.instances.size(), 2u);
    EXPECT_EQ(summary(result), "error 8:1 '}' is missing before 'vrrp_instance': 'vrrp_instance' of line 1 is still open\n");
}

TEST(Blocks, AMissingClosingBraceOfAListIsFoundAtTheNextBlock) {
    const LoadResult result = load_string(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\npriority 150\nvirtual_ipaddress {\n10.0.0.1\n"
        "track_interface {\neth1\n}\n}\n");
    expect_instance(result);
    ASSERT_EQ(result.configuration.instances[0].track_interfaces.size(), 1u);
    EXPECT_EQ(summary(result), "error 7:1 '}' is missing before 'track_interface': 'virtual_ipaddress' of line 5 is still open\n");
}

TEST(Blocks, AMissingClosingBraceAtTheEndOfTheFileIsReported) {
    const LoadResult result =
        load_string("vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\npriority 150\nvirtual_ipaddress {\n10.0.0.1\n}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 1:1 the '}' of 'vrrp_instance' is missing at the end of the file\n");
}

TEST(Blocks, AClosingBraceTooManyIsReported) {
    const LoadResult result = load_string(instance_with("priority 150") + "}\n");
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 9:1 unexpected '}': no block is open here\n");
}

TEST(Blocks, AStrayOpeningBraceIsPairedWithItsClosingOne) {
    const LoadResult result = load_string(instance_with("{\npriority 150\n}\ndebug 2"));
    expect_instance(result);
    EXPECT_EQ(result.configuration.instances[0].debug, 2);
    EXPECT_EQ(summary(result), "error 7:1 unexpected '{': no keyword stands before it\n");
}

TEST(Blocks, AStrayOpeningBraceAtTheRootLosesNothing) {
    const LoadResult result = load_string("{\n" + instance_with("priority 150") + "}\nglobal_defs {\nrouter_id a\n}\n");
    expect_instance(result);
    EXPECT_EQ(result.configuration.global.router_id, "a");
}

TEST(Blocks, ABlockBehindAPlainKeywordIsSkipped) {
    const LoadResult result = load_string(instance_with("priority 150 {\n debug 2\n}"));
    expect_instance(result);
    EXPECT_EQ(result.configuration.instances[0].debug, 0);
    EXPECT_EQ(summary(result), "error 7:14 'priority' takes no block: it is skipped\n");
}

TEST(Blocks, ASkippedBlockWithoutEndStopsAtTheNextRootKeyword) {
    const LoadResult result = load_string("nonsense {\n a {\n }\n" + instance_with("priority 150"));
    expect_instance(result);
    EXPECT_EQ(summary(result), "error 1:1 unknown keyword 'nonsense' at the root level, its block is skipped\n"
                               "error 1:10 the skipped block has no '}': it ends before 'vrrp_instance' of line 4\n");
}

TEST(Blocks, DeepNestingIsBounded) {
    std::string text;
    for (int n = 0; n < 100'000; ++n) text += "{\n";
    const LoadResult result = load_string(text);
    EXPECT_NE(summary(result).find("nested too deeply"), std::string::npos);
    EXPECT_LT(result.diagnostics.count(Severity::error), 100u);
}

TEST(Blocks, ManyUnknownKeywordsAreQuick) {
    std::string text;
    for (int n = 0; n < 200'000; ++n) text += "unknown_word_" + std::to_string(n) + " x\n";
    const LoadResult result = load_string(text);
    EXPECT_EQ(result.diagnostics.count(Severity::error), 200'000u);
    EXPECT_EQ(result.diagnostics.all().size(), Diagnostics::capacity);
}

TEST(Notes, DoNotChangeTheExitCode) {
    EXPECT_EQ(test_exit_code(load_string("virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 10.0.0.2 80 {\n }\n}\n").diagnostics), 0);
}

TEST(Notes, TyposDeepInsideABlockAreFound) {
    const LoadResult result = load_string(
        "virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 10.0.0.2 80 {\n  TCP_CHECK {\n connect_timeot 3\n }\n }\n}\n");
    EXPECT_EQ(summary(result), "error 7:2 unknown keyword 'connect_timeot' in TCP_CHECK\n");
    EXPECT_NE(helps(result).find("did you mean 'connect_timeout'?"), std::string::npos);
}

}  // namespace vigil::config::test
