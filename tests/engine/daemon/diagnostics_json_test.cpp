#include "engine/daemon/diagnostics_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace vigil::daemon {
namespace {

nlohmann::json report(std::string_view text) {
    return nlohmann::json::parse(diagnostics_json("test.conf", config::load_text("test.conf", text)));
}

TEST(DiagnosticsJson, AFineFileHasNone) {
    const auto json = report("vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n");
    EXPECT_EQ(json, (nlohmann::json{{"file", "test.conf"}, {"exit_code", 0}, {"virtual_routers", 1}, {"errors", 0}, {"warnings", 0}, {"notes", 0},
                                    {"diagnostics", nlohmann::json::array()}}));
}

TEST(DiagnosticsJson, EachSaysWhereAndWhat) {
    const auto json = report("global_defs {\n    preemtp_delay 300\n}\n");
    EXPECT_EQ(json["exit_code"], 5);
    EXPECT_EQ(json["errors"], 1);
    ASSERT_EQ(json["diagnostics"].size(), 1u);
    const auto& one = json["diagnostics"][0];
    EXPECT_EQ(one["file"], "test.conf");
    EXPECT_EQ(one["line"], 2);
    EXPECT_EQ(one["column"], 5);
    EXPECT_EQ(one["end_column"], 18);   // behind a word of 13
    EXPECT_EQ(one["severity"], "error");
    EXPECT_EQ(one["category"], "ordinary");
    EXPECT_NE(one["message"].get<std::string>().find("preemtp_delay"), std::string::npos);
    EXPECT_NE(one["help"].get<std::string>().find("preempt_delay"), std::string::npos);
    EXPECT_EQ(one["source"], "    preemtp_delay 300");
    EXPECT_TRUE(one["notes"].empty());
}

TEST(DiagnosticsJson, AnExpandedLineIsSaidToBeOne) {
    const auto json = report("$WORD=preemtp_delay\nglobal_defs {\n $WORD 300\n}\n");
    ASSERT_EQ(json["diagnostics"].size(), 1u);
    EXPECT_EQ(json["diagnostics"][0]["notes"].size(), 1u);
}

TEST(DiagnosticsJson, OctetsThatAreNoTextMakeNoBrokenJson) {
    const auto json = report("global_defs {\n \xff\xfe\"\x01 300\n}\n");
    EXPECT_FALSE(json["diagnostics"].empty());
}

}  // namespace
}  // namespace vigil::daemon
