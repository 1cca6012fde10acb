#include "engine/daemon/configuration_load.h"

#include <gtest/gtest.h>

namespace vigil::daemon {
namespace {

bool is_same(const std::string& one, const std::string& other) {
    const config::LoadResult a = config::load_text("test.conf", one);
    const config::LoadResult b = config::load_text("test.conf", other);
    return is_same_configuration(a.configuration, b.configuration) && is_same_configuration(b.configuration, a.configuration);
}

std::string text(const std::string& global = "", const std::string& lines = "") {
    return "global_defs {\n" + global + "\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 1\n use_vmac\n" + lines +
           "\n virtual_ipaddress { 10.0.0.1 }\n}\n";
}

TEST(SameConfiguration, CommentsAndOrderDoNotMatter) {
    EXPECT_TRUE(is_same(text(), "# a comment\n\n" + text("", "# another\n priority 100")));
    EXPECT_FALSE(is_same(text(), text("", "priority 101")));
}

TEST(SameConfiguration, PasswordsMatter) {
    const auto with = [](const char* password) { return text("", std::string("authentication {\n auth_type PASS\n auth_pass ") + password + "\n }"); };
    EXPECT_TRUE(is_same(with("one"), with("one")));
    EXPECT_FALSE(is_same(with("one"), with("two")));
}

TEST(SameConfiguration, TheGroupOfAScriptMatters) {
    EXPECT_FALSE(is_same(text("", "notify /bin/true nobody"), text("", "notify /bin/true nobody adm")));
    EXPECT_FALSE(is_same(text("", "notify /bin/true nobody tty"), text("", "notify /bin/true nobody adm")));
}

TEST(SameConfiguration, ThePrefixOfMacvlanNamesMatters) { EXPECT_FALSE(is_same(text(), text("vmac_prefix vip"))); }

}  // namespace
}  // namespace vigil::daemon
