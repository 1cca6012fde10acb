#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

std::string report(const LoadResult& result) {
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics.all()) text += to_text(diagnostic, result.configuration);
    return text;
}

TEST(Report, ShowsPlaceLineCaretAndRemedy) {
    EXPECT_EQ(report(load_string("vrrp_instance A {\n    interface eth0\n    virtual_router_id 1\n    preemtp_delay 300\n    "
                                 "virtual_ipaddress { 10.0.0.1 }\n}\n")),
              "test.conf:4:5: error: unknown keyword 'preemtp_delay' in vrrp_instance\n"
              "        preemtp_delay 300\n"
              "        ^~~~~~~~~~~~~\n"
              "    did you mean 'preempt_delay'?\n");
}

TEST(Report, KeepsTabsSoThatTheCaretAligns) {
    EXPECT_EQ(report(load_string("global_defs {\n\trouter_idd\tx\n}\n")),
              "test.conf:2:2: error: unknown keyword 'router_idd' in global_defs\n"
              "    \trouter_idd\tx\n"
              "    \t^~~~~~~~~~\n"
              "    did you mean 'router_id'?\n");
}

TEST(Report, CountsGlyphsOfUtf8ForTheCaret) {
    EXPECT_EQ(report(load_string("global_defs {\n \xE5\x90\x8D\xE5\xAD\x97 x\n}\n")),
              "test.conf:2:2: error: unknown keyword '\xE5\x90\x8D\xE5\xAD\x97' in global_defs\n"
              "     \xE5\x90\x8D\xE5\xAD\x97 x\n"
              "     ^~\n");
}

TEST(Report, ShowsTheExpandedTextWhenTheWordComesFromADefinition) {
    EXPECT_EQ(report(load_string("$P=300\n" + instance_with("priority $P"))),
              "test.conf:8:10: error: 'priority' expects a number from 1 to 255, not '300': ignored\n"
              "    priority 300   (after replacing definitions)\n"
              "             ^~~\n");
}

TEST(Report, HidesControlCharacters) {
    const std::string text = report(load_string("\x1b[31mred\n"));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("?[31mred"), std::string::npos);
}

TEST(Report, IsInTheOrderOfTheFile) {
    const LoadResult result = load_string("vrrp_instance A {\n interface eth0\n nonsense\n virtual_ipaddress { 10.0.0.1 }\n}\n");
    ASSERT_EQ(result.diagnostics.all().size(), 2u);
    EXPECT_EQ(result.diagnostics.all()[0].where.line, 1u);  // found last: no virtual_router_id
    EXPECT_EQ(result.diagnostics.all()[1].where.line, 3u);
}

TEST(Report, LogLinesAreOneLine) {
    const LoadResult result = load_string("nonsense\n");
    EXPECT_EQ(to_line(result.diagnostics.all().at(0), result.configuration),
              "test.conf:1:1: error: unknown keyword 'nonsense' at the root level");
}

TEST(ExitCode, IsZeroForAFineFile) { EXPECT_EQ(test_exit_code(load_string(instance_with("")).diagnostics), 0); }
TEST(ExitCode, IsFiveForAnError) { EXPECT_EQ(test_exit_code(load_string("nonsense\n").diagnostics), 5); }
TEST(ExitCode, IsFiveForAWarning) { EXPECT_EQ(test_exit_code(load_string(instance_with("preempt")).diagnostics), 5); }

TEST(ExitCode, RanksCannotRunThenScriptSecurityThenTheRest) {
    Diagnostics diagnostics;
    diagnostics.add({Severity::error, Category::ordinary, {}, 0, "", "", "", false});
    EXPECT_EQ(test_exit_code(diagnostics), 5);
    diagnostics.add({Severity::warning, Category::script_security, {}, 0, "", "", "", false});
    EXPECT_EQ(test_exit_code(diagnostics), 6);
    diagnostics.add({Severity::error, Category::cannot_run, {}, 0, "", "", "", false});
    EXPECT_EQ(test_exit_code(diagnostics), 4);
}

TEST(Diagnostics, DoNotShowSecrets) {
    for (const std::string line : {"auth_pass Secret1234 x", "auth_pas Secret1234", "authentication { auth_type PASS auth_pass Secret1234 } x", "auth_hmac {\n key 1 Secret1234Secret1234\n}"}) {
        const LoadResult result = load_string(instance_with(line));
        ASSERT_FALSE(result.diagnostics.all().empty()) << line;
        for (const Diagnostic& one : result.diagnostics.all()) {
            EXPECT_EQ(to_text(one, result.configuration).find("Secret"), std::string::npos) << to_text(one, result.configuration);
        }
    }
}

TEST(Diagnostics, CountWhatTheyDoNotKeep) {
    Diagnostics diagnostics;
    for (std::size_t n = 0; n < Diagnostics::capacity + 5; ++n)
        diagnostics.add({Severity::note, Category::ordinary, {}, 0, "", "", "", false});
    diagnostics.add({Severity::error, Category::ordinary, {}, 0, "", "", "", false});
    EXPECT_EQ(diagnostics.all().size(), Diagnostics::capacity + 1);
    EXPECT_EQ(diagnostics.count(Severity::note), Diagnostics::capacity + 5);
    EXPECT_TRUE(diagnostics.has_errors());
}

TEST(Places, SurviveACopyOfTheConfiguration) {
    Configuration copy;
    {
        const LoadResult result = load_string(instance_with(""));
        copy = result.configuration;
    }
    EXPECT_EQ(copy.describe(copy.instances.at(0).where), "test.conf:1:15");
    EXPECT_EQ(copy.instances.at(0).interface, "eth0");
    EXPECT_EQ(copy.describe(copy.instances.at(0).interface_where), "test.conf:2:12");
}

class Secrets : public testing::Test {
protected:
    std::string run() {
        LoadOptions options;
        options.path = "/etc/main.conf";
        options.file_system = &files_;
        return summary(load(options), Severity::note);
    }
    static std::string with_password(int vrid) {
        return "vrrp_instance VI_" + std::to_string(vrid) + " {\n interface eth0\n virtual_router_id " + std::to_string(vrid) +
               "\n virtual_ipaddress {\n 10.0.0." + std::to_string(vrid) + "\n }\n authentication {\n auth_type PASS\n auth_pass secret\n }\n}\n";
    }
    MemoryFiles files_;
};

TEST_F(Secrets, ThatOnlyRootCanReadAreFine) {
    files_.files["/etc/main.conf"] = {with_password(1)};
    EXPECT_EQ(run(), "");
}

TEST_F(Secrets, ThatAllCanReadAreToldOfOnceForEachFile) {
    files_.files["/etc/main.conf"] = {with_password(1) + with_password(2) + "include /etc/more.conf\ninclude /etc/other.conf\n", FileSystem::Kind::regular, true, true};
    files_.files["/etc/more.conf"] = {with_password(3), FileSystem::Kind::regular, true, true};
    files_.files["/etc/other.conf"] = {with_password(4)};
    EXPECT_EQ(run(), "note 9:2 every user of this host can read this password, as everybody on the LAN can\n"
                     "note 9:2 every user of this host can read this password, as everybody on the LAN can\n");
}

TEST_F(Secrets, AFileWithoutOneMayBeRead) {
    files_.files["/etc/main.conf"] = {"include /etc/more.conf\n", FileSystem::Kind::regular, true, true};
    files_.files["/etc/more.conf"] = {with_password(3)};
    EXPECT_EQ(run(), "");
}

}  // namespace vigil::config::test
