#include "engine/daemon/options.h"

#include <gtest/gtest.h>

#include <csignal>

namespace vigil::daemon {
namespace {

ParsedOptions parse(std::vector<std::string> words) { return parse_options(words); }

TEST(Options, DefaultsAreKeepalivedsOnes) {
    const ParsedOptions parsed = parse({});
    EXPECT_FALSE(parsed.answer);
    EXPECT_EQ(parsed.options.configuration, "/etc/keepalived/keepalived.conf");
    EXPECT_TRUE(parsed.options.vrrp);
    EXPECT_TRUE(parsed.options.checkers);
    EXPECT_FALSE(parsed.options.checkers_always);   // only when there is something to check
    EXPECT_FALSE(parsed.options.foreground);
    EXPECT_TRUE(parsed.options.log_to_syslog);
    EXPECT_TRUE(parsed.options.respawn);
}

TEST(Options, ShortOptionsMayBeJoined) {
    const Options options = parse({"-nlD", "-D", "-d", "-f/a/b.conf"}).options;
    EXPECT_TRUE(options.foreground);
    EXPECT_TRUE(options.log_to_console);
    EXPECT_EQ(options.log_detail, 2u);
    EXPECT_TRUE(options.dump_configuration);
    EXPECT_EQ(options.configuration, "/a/b.conf");
}

TEST(Options, LongOptionsAndTheirBeginnings) {
    const Options options = parse({"--use-file=/x", "--log-con", "--dont-fork", "--vrrp_pid", "/run/v.pid"}).options;
    EXPECT_EQ(options.configuration, "/x");
    EXPECT_TRUE(options.log_to_console);
    EXPECT_TRUE(options.foreground);
    EXPECT_EQ(options.vrrp_pid_file, "/run/v.pid");
}

TEST(Options, RelativePathsBecomeAbsoluteBecauseADaemonChangesItsDirectory) {
    const Options options = parse({"-f", "my.conf", "-p", "my.pid"}).options;
    EXPECT_EQ(options.configuration.front(), '/');
    EXPECT_TRUE(options.configuration.ends_with("/my.conf"));
    EXPECT_TRUE(options.parent_pid_file.ends_with("/my.pid"));
}

TEST(Options, ProcessesAreChosenAsInKeepalived) {
    EXPECT_TRUE(parse({"-P"}).options.vrrp);
    EXPECT_FALSE(parse({"-P"}).options.checkers);
    EXPECT_FALSE(parse({"-C"}).options.vrrp);
    EXPECT_TRUE(parse({"-C"}).options.checkers);
    EXPECT_TRUE(parse({"-P", "-C"}).options.vrrp);
    EXPECT_TRUE(parse({"-P", "-C"}).options.checkers);
    EXPECT_TRUE(parse({"--all"}).options.vrrp);
    EXPECT_TRUE(parse({"--all"}).options.checkers);
    EXPECT_TRUE(parse({"--all"}).options.checkers_always);
    EXPECT_TRUE(parse({"-C"}).options.checkers_always);
}

TEST(Options, TheArgumentOfConfigTestMustBeAttached) {
    EXPECT_EQ(parse({"-t"}).options.config_test_log, "");
    EXPECT_TRUE(parse({"-t"}).options.config_test);
    EXPECT_EQ(parse({"-t/tmp/report"}).options.config_test_log, "/tmp/report");
    EXPECT_EQ(parse({"--config-test=/tmp/report"}).options.config_test_log, "/tmp/report");
    const ParsedOptions separate = parse({"-t", "/tmp/report"});
    ASSERT_TRUE(separate.answer);
    EXPECT_NE(separate.answer->text.find("given by -f"), std::string::npos);
}

TEST(Options, AnUnknownLongOptionGetsAHint) {
    const ParsedOptions parsed = parse({"--dont-frok"});
    ASSERT_TRUE(parsed.answer);
    EXPECT_EQ(parsed.answer->exit_code, 1);
    EXPECT_TRUE(parsed.answer->to_stderr);
    EXPECT_NE(parsed.answer->text.find("did you mean '--dont-fork'?"), std::string::npos) << parsed.answer->text;
}

TEST(Options, AnUnknownShortOptionIsNamed) {
    const ParsedOptions parsed = parse({"-n", "-lZ"});
    ASSERT_TRUE(parsed.answer);
    EXPECT_NE(parsed.answer->text.find("unknown option '-Z'"), std::string::npos) << parsed.answer->text;
}

TEST(Options, AMissingArgumentIsNamed) {
    const ParsedOptions parsed = parse({"-n", "-f"});
    ASSERT_TRUE(parsed.answer);
    EXPECT_NE(parsed.answer->text.find("option '-f' needs an argument"), std::string::npos) << parsed.answer->text;
}

TEST(Options, BadValuesSayWhatIsExpected) {
    EXPECT_NE(parse({"--backend=dpdk"}).answer->text.find("expected auto, uring or epoll"), std::string::npos);
    EXPECT_NE(parse({"-S", "9"}).answer->text.find("expected 0-7"), std::string::npos);
    EXPECT_NE(parse({"-u", "088"}).answer->text.find("octal"), std::string::npos);
    EXPECT_EQ(parse({"-u", "027"}).options.umask, 027u);
}

TEST(Options, ReportsAreForPeopleOrForPrograms) {
    EXPECT_FALSE(parse({"-t"}).options.diagnostics_as_json);
    EXPECT_FALSE(parse({"-t", "--diagnostics=text"}).options.diagnostics_as_json);
    EXPECT_TRUE(parse({"-t", "--diagnostics=json"}).options.diagnostics_as_json);
    EXPECT_NE(parse({"--diagnostics=xml"}).answer->text.find("expected text or json"), std::string::npos);
}

TEST(Options, FacilitiesByNumberAndName) {
    EXPECT_EQ(parse({"-S", "0"}).options.log_facility, 16);
    EXPECT_EQ(parse({"-S", "local7"}).options.log_facility, 23);
    EXPECT_EQ(parse({"-S", "user"}).options.log_facility, 1);
    EXPECT_EQ(parse({"-S", "daemon"}).options.log_facility, 3);
}

TEST(Options, WhatNothingActsOnIsAcceptedAndSaid) {
    const ParsedOptions parsed = parse({"--perf", "--no-mem-check", "-n"});
    EXPECT_FALSE(parsed.answer);
    EXPECT_EQ(parsed.notes.size(), 2u);
    EXPECT_TRUE(parsed.options.foreground);
}

TEST(Options, TheKernelsTableMayStay) {
    EXPECT_FALSE(parse({}).options.keep_ipvs);
    EXPECT_TRUE(parse({"-I"}).options.keep_ipvs);
}

TEST(Options, TheBfdProcessRunsUnlessItIsForbidden) {
    EXPECT_TRUE(parse({"-P"}).options.bfd);
    EXPECT_FALSE(parse({"-P"}).options.bfd_always);
    EXPECT_FALSE(parse({"-B"}).options.bfd);
    EXPECT_TRUE(parse({"--all"}).options.bfd_always);
    EXPECT_EQ(parse({"-b", "/run/other.pid"}).options.bfd_pid_file, "/run/other.pid");
}

TEST(Options, Snmp) {
    EXPECT_FALSE(parse({"-P"}).options.snmp);
    EXPECT_TRUE(parse({"-x"}).options.snmp);
    EXPECT_EQ(parse({"-A", "tcp:localhost:705"}).options.snmp_socket, "tcp:localhost:705");
}

TEST(Options, CoreDumpsMayHaveANameOfTheirOwn) {
    EXPECT_FALSE(parse({"-n"}).options.core_dumps);
    EXPECT_TRUE(parse({"-m"}).options.core_dumps);
    EXPECT_EQ(parse({"-m"}).options.core_pattern, "");
    EXPECT_TRUE(parse({"-M"}).options.core_dumps);
    EXPECT_EQ(parse({"-M"}).options.core_pattern, "core");
    EXPECT_EQ(parse({"--core-dump-pattern=/var/crash/%e.%p"}).options.core_pattern, "/var/crash/%e.%p");
}

TEST(Options, WhatNeedsNoDoingHasNoNote) {
    const ParsedOptions parsed = parse({"-X", "--flush-log-file", "--ignore-sigint"});
    EXPECT_FALSE(parsed.answer);
    EXPECT_TRUE(parsed.notes.empty());
    EXPECT_TRUE(parsed.options.ignore_sigint);
}

TEST(Options, VersionGoesToStderrAndHelpToStdout) {
    const ParsedOptions version = parse({"-v"});
    ASSERT_TRUE(version.answer);
    EXPECT_TRUE(version.answer->text.starts_with("vigil v"));
    EXPECT_TRUE(version.answer->to_stderr);
    EXPECT_EQ(version.answer->exit_code, 0);
    EXPECT_FALSE(parse({"--help"}).answer->to_stderr);
}

TEST(Options, SignumPrintsTheNumber) {
    EXPECT_EQ(parse({"--signum=DATA"}).answer->text, std::to_string(SIGUSR1) + "\n");
    EXPECT_EQ(parse({"--signum=RELOAD"}).answer->text, "1\n");
    EXPECT_EQ(parse({"--signum=STOP"}).answer->text, "15\n");
    EXPECT_EQ(parse({"--signum=STATS"}).answer->text, std::to_string(SIGUSR2) + "\n");
    EXPECT_EQ(parse({"--signum=STATS_CLEAR"}).answer->text, std::to_string(SIGRTMAX - 1) + "\n");
    EXPECT_EQ(parse({"--signum=JSON"}).answer->text, std::to_string(SIGRTMIN + 2) + "\n");
    EXPECT_EQ(parse({"--signum=TDUMP"}).answer->text, std::to_string(SIGRTMAX) + "\n");
    EXPECT_EQ(parse({"--signum=NONSENSE"}).answer->exit_code, 1);
}

}  // namespace
}  // namespace vigil::daemon
