#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

TEST(GarpGroup, HasIntervalsAndInterfaces) {
    const LoadResult result = load_string("garp_group {\n garp_interval 0.01\n gna_interval 1.5\n interface eth0\n}\n"
                                          "garp_group switch {\n garp_interval 2\n interfaces {\n eth1\n eth2 eth3\n }\n}\n");
    ASSERT_EQ(summary(result), "");
    const auto& groups = result.configuration.garp_groups;
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].garp_interval, 10ms);
    EXPECT_EQ(groups[0].gna_interval, 1500ms);
    EXPECT_EQ(groups[0].interfaces, std::vector<std::string_view>{"eth0"});
    EXPECT_EQ(groups[1].garp_interval, 2s);
    EXPECT_EQ(groups[1].gna_interval, std::nullopt);
    EXPECT_EQ(groups[1].interfaces, (std::vector<std::string_view>{"eth1", "eth2", "eth3"}));
}

TEST(GarpGroup, AnInterfaceStaysInTheFirst) {
    const LoadResult result = load_string("garp_group {\n garp_interval 1\n interface eth0\n interfaces {\n eth0\n }\n}\n"
                                          "garp_group {\n garp_interval 2\n interfaces {\n eth1\n eth0\n }\n}\n");
    EXPECT_EQ(summary(result), "error 5:2 interface 'eth0' is in the garp_group of line 1 already: ignored\n"
                               "error 12:2 interface 'eth0' is in the garp_group of line 1 already: ignored\n");
    EXPECT_EQ(result.configuration.garp_groups[1].interfaces, std::vector<std::string_view>{"eth1"});
}

TEST(GarpGroup, WithoutIntervalOrInterfaceItIsNotUsed) {
    const LoadResult result = load_string("garp_group {\n interface eth0\n}\ngarp_group {\n garp_interval 1\n}\ngarp_group {\n garp_interval x\n interface eth0\n}\n");
    EXPECT_NE(summary(result).find("error 1:1 this garp_group has no interval: it is not used\n"), std::string::npos) << summary(result);
    EXPECT_NE(summary(result).find("error 4:1 this garp_group has no interface: it is not used\n"), std::string::npos) << summary(result);
    EXPECT_NE(summary(result).find("error 7:1 this garp_group has no interval: it is not used\n"), std::string::npos) << summary(result);
    EXPECT_TRUE(result.configuration.garp_groups.empty());
}

TEST(GarpGroup, AnUnknownInterfaceIsToldAndKept) {
    LoadOptions options;
    options.is_known_interface = [](std::string_view name) { return name == "eth0"; };
    const LoadResult result = load_string("garp_group {\n garp_interval 1\n interfaces {\n eth0\n eth9\n }\n}\n", options);
    EXPECT_EQ(summary(result), "warning 5:2 there is no interface 'eth9'\n");
    EXPECT_EQ(result.configuration.garp_groups[0].interfaces.size(), 2u);
}

TEST(GarpGroup, TheDumpReadsBack) {
    const std::string text = dump(load_string("garp_group {\n gna_interval 0.25\n interfaces {\n eth1\n eth2\n }\n}\n").configuration);
    EXPECT_NE(text.find("garp_group {\n    gna_interval 0.25\n    interfaces {\n        eth1\n        eth2\n    }\n}\n"), std::string::npos) << text;
}

}  // namespace vigil::config::test
