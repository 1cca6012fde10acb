#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

LoadResult group_of(std::string_view lines) { return load_string("virtual_server_group g {\n" + std::string(lines) + "\n}\n"); }

VirtualServerGroup only_group(const LoadResult& result) {
    EXPECT_EQ(result.configuration.server_groups.size(), 1u) << summary(result);
    return result.configuration.server_groups.empty() ? VirtualServerGroup{} : result.configuration.server_groups[0];
}

ServiceRange range_of(std::string_view line) {
    const VirtualServerGroup group = only_group(group_of(line));
    return group.ranges.empty() ? ServiceRange{} : group.ranges[0];
}

ServiceRange range(const char* first, const char* last, std::uint16_t port) { return {*read_address(first), *read_address(last), port}; }

TEST(ServerGroups, TakeEveryFormOfARange) {
    EXPECT_EQ(range_of("10.0.0.1 80"), range("10.0.0.1", "10.0.0.1", 80));
    EXPECT_EQ(range_of("10.0.0.1"), range("10.0.0.1", "10.0.0.1", 0));
    EXPECT_EQ(range_of("10.0.0.1-9 80"), range("10.0.0.1", "10.0.0.9", 80));
    EXPECT_EQ(range_of("10.0.0.250-10.0.1.5 80"), range("10.0.0.250", "10.0.1.5", 80));
    EXPECT_EQ(range_of("10.0.0.16/28 80"), range("10.0.0.16", "10.0.0.31", 80));
    EXPECT_EQ(range_of("2001:db8::1-ff 80"), range("2001:db8::1", "2001:db8::ff", 80));
    EXPECT_EQ(range_of("2001:db8::/112 80"), range("2001:db8::", "2001:db8::ffff", 80));
    EXPECT_EQ(range_of("255.255.255.0-255 1"), range("255.255.255.0", "255.255.255.255", 1));
}

TEST(ServerGroups, RefuseWhatIsNoRange) {
    for (const char* wrong : {"10.0.0.9-3 80", "10.0.0.1-300", "10.0.0.1/8 80", "10.0.0.0/8 80", "10.0.0.1-2001:db8::1", "10.0.0 80", "10.0.0.1 65536", "10.0.0.1 http",
                              "2001:db8::1-1ffff", "0.0.0.0-1.0.0.0", "10.0.0.1- 80", "10.0.0.0/33", "fwmark", "fwmark 0", "fwmark x", "fwmark 1 inet4"}) {
        const LoadResult result = group_of(std::string("10.9.9.9 1\n") + wrong);
        EXPECT_TRUE(result.diagnostics.has_errors()) << wrong;
        EXPECT_EQ(only_group(result).ranges.size() + only_group(result).marks.size(), 1u) << wrong;
    }
}

TEST(ServerGroups, HoldMarksOfEitherFamily) {
    const VirtualServerGroup group = only_group(group_of("fwmark 1\nfwmark 2 inet\nfwmark 0x10 inet6"));
    EXPECT_EQ(group.marks, (std::vector<FirewallMark>{{1, std::nullopt}, {2, Family::ipv4}, {16, Family::ipv6}}));
}

TEST(ServerGroups, ASecondMentionIsRefused) {
    const LoadResult result = group_of("10.0.0.0/24 80\n10.0.0.7 80\n10.0.0.7 81\nfwmark 3\nfwmark 3");
    EXPECT_EQ(summary(result),
              "error 3:1 the group has this on line 2 already: this line is ignored\n"
              "error 6:8 the group has this on line 5 already: this line is ignored\n");
    EXPECT_EQ(only_group(result).ranges.size(), 2u);
    EXPECT_EQ(only_group(result).marks.size(), 1u);
}

TEST(ServerGroups, EmptyOrMixedOnesAreRefused) {
    EXPECT_EQ(summary(group_of("")), "error 1:22 virtual_server_group 'g' has nothing in it: it is not used\n");
    const LoadResult mixed = group_of("10.0.0.1 80\n2001:db8::1 80\nfwmark 7");
    EXPECT_EQ(summary(mixed), "error 1:22 virtual_server_group 'g' has IPv4, IPv6 and a firewall mark that says neither: it is not used\n");
    EXPECT_EQ(summary(group_of("10.0.0.1 80\n2001:db8::1 80\nfwmark 7 inet6")), "");
    const LoadResult twice = load_string("virtual_server_group g {\n 10.0.0.1 1\n}\nvirtual_server_group g {\n 10.0.0.2 1\n}\n");
    EXPECT_EQ(summary(twice), "error 4:22 there is a virtual_server_group 'g' already, on line 1: this one is ignored\n");
}

TEST(ServerGroups, OfBothFamiliesNeedTunnels) {
    const auto with = [](std::string_view kind) {
        return load_string("virtual_server_group g {\n 10.0.0.1 80\n 2001:db8::1 80\n}\nvirtual_server group g {\n lb_algo rr\n lb_kind " + std::string(kind) +
                           "\n protocol TCP\n real_server 10.1.0.1 {\n }\n}\n");
    };
    EXPECT_EQ(with("TUN").configuration.virtual_servers.size(), 1u);
    EXPECT_EQ(summary(with("TUN")), "");
    EXPECT_TRUE(with("DR").configuration.virtual_servers.empty());
    EXPECT_TRUE(with("DR").diagnostics.has_errors());
}

}  // namespace vigil::config::test
