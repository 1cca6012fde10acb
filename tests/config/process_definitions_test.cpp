#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

ProcessDefinitions process_of(std::string_view lines, std::string_view expected = "") {
    static std::vector<LoadResult> kept;   // the views point into it
    kept.push_back(load_string("global_defs {\n" + std::string(lines) + "\n}\n"));
    EXPECT_EQ(summary(kept.back(), Severity::note), expected);
    return kept.back().configuration.global.process;
}

TEST(ProcessDefinitions, ScriptsOfTheParentHaveAnIdentityAndALimit) {
    const ProcessDefinitions process = process_of("startup_script \"/bin/up now\" joe :staff\nstartup_script_timeout 20\nshutdown_script /bin/down");
    EXPECT_EQ(process.startup.script.command, "/bin/up now");
    EXPECT_EQ(process.startup.script.user, "joe");
    EXPECT_EQ(process.startup.script.group, "staff");
    EXPECT_EQ(process.startup.timeout, 20);
    EXPECT_EQ(process.shutdown.script.command, "/bin/down");
    EXPECT_EQ(process.shutdown.timeout, 10);
    process_of("startup_script_timeout 0", "error 2:24 'startup_script_timeout' expects whole seconds from 1 to 1000, not '0': ignored\n");
    process_of("shutdown_script_timeout 1001", "error 2:25 'shutdown_script_timeout' expects whole seconds from 1 to 1000, not '1001': ignored\n");
    process_of("startup_script", "error 2:1 'startup_script' needs a command, quoted when it has arguments\n");
}

TEST(ProcessDefinitions, SwitchesMayBeTurnedOff) {
    EXPECT_TRUE(process_of("set_supplementary_groups").set_supplementary_groups);
    EXPECT_FALSE(process_of("set_supplementary_groups no").set_supplementary_groups);
}

TEST(ProcessDefinitions, NamesAreCutAtFifteenOctets) {
    EXPECT_TRUE(process_of("process_names").process_names);
    EXPECT_EQ(process_of("process_name keeper").process_name, "keeper");
    EXPECT_EQ(process_of("vrrp_process_name abcdefghijklmno").vrrp_process_name, "abcdefghijklmno");
    EXPECT_EQ(process_of("vrrp_process_name abcdefghijklmnop", "warning 2:34 a process name has at most 15 octets: the rest is cut off\n").vrrp_process_name,
              "abcdefghijklmno");
    EXPECT_EQ(process_of("lvs_process_name checks", "warning 2:1 'lvs_process_name' is deprecated\n").checker_process_name, "checks");
}

TEST(ProcessDefinitions, TheUmaskIsOctalOrNamesOfBits) {
    EXPECT_EQ(process_of("umask 027").umask, 027);
    EXPECT_EQ(process_of("umask 22").umask, 022);   // keepalived takes it for decimal
    EXPECT_EQ(process_of("umask IWGRP|IRWXO").umask, 027);
    EXPECT_EQ(process_of("umask IXUSR | IRWXG | IRWXO").umask, 0177);
    EXPECT_EQ(process_of("").umask, std::nullopt);
    const auto refused = [](std::string_view word, int column) {
        return "error 2:" + std::to_string(column) + " 'umask' expects an octal number up to 777, or names of mode bits: ignored\n" + std::string(word);
    };
    EXPECT_EQ(process_of("umask 028", refused("", 7)).umask, std::nullopt);
    EXPECT_EQ(process_of("umask 1000", refused("", 7)).umask, std::nullopt);
    EXPECT_EQ(process_of("umask IWGRP|ALL", refused("", 13)).umask, std::nullopt);
}

TEST(ProcessDefinitions, CpusAreNumbers) {
    EXPECT_EQ(process_of("vrrp_cpu_affinity 0 3").packet_thread.cpus, (std::vector<std::uint16_t>{0, 3}));
    EXPECT_EQ(process_of("vrrp_cpu_affinity 1 x", "error 2:21 'vrrp_cpu_affinity' expects numbers of CPUs, from 0: this one is ignored\n").packet_thread.cpus,
              (std::vector<std::uint16_t>{1}));
    process_of("vrrp_cpu_affinity 1024", "error 2:19 'vrrp_cpu_affinity' expects numbers of CPUs, from 0: this one is ignored\n");
}

TEST(ProcessDefinitions, AutomaticPriorities) {
    EXPECT_EQ(process_of("").packet_thread.max_auto_priority, 0);
    EXPECT_EQ(process_of("max_auto_priority").packet_thread.max_auto_priority, 99);
    EXPECT_EQ(process_of("max_auto_priority 5").packet_thread.max_auto_priority, 5);
    EXPECT_EQ(process_of("max_auto_priority -1").packet_thread.max_auto_priority, -1);
    process_of("max_auto_priority 100", "error 2:19 'max_auto_priority' expects a number from -1 to 99, not '100': ignored\n");
    EXPECT_EQ(process_of("min_auto_priority_delay 5000").packet_thread.min_auto_priority_delay, 5000u);
    EXPECT_EQ(process_of("min_auto_priority_delay 10", "note 2:25 'min_auto_priority_delay' is at least 1000 microseconds here: that is used\n")
                  .packet_thread.min_auto_priority_delay, 1000u);
}

TEST(ProcessDefinitions, TheLimitOfARealTimeThread) {
    EXPECT_EQ(process_of("vrrp_rlimit_rttime 10000").packet_thread.rlimit_rttime, 10'000u);
    EXPECT_EQ(process_of("vrrp_rlimit_rttime 1").packet_thread.rlimit_rttime, 2u);
    EXPECT_EQ(process_of("vrrp_rlimit_rtime 7", "warning 2:1 'vrrp_rlimit_rtime' is deprecated\n").packet_thread.rlimit_rttime, 7u);
}

TEST(ProcessDefinitions, BuffersAndTheHost) {
    const ProcessDefinitions process = process_of("vrrp_netlink_cmd_rcv_bufs 100000\nvrrp_netlink_monitor_rcv_bufs 200000\nprocess_monitor_rcv_bufs 300000\n"
                                                  "disable_local_igmp");
    EXPECT_EQ(process.netlink_command_buffer, 100'000u);
    EXPECT_EQ(process.netlink_monitor_buffer, 200'000u);
    EXPECT_EQ(process.process_monitor_buffer, 300'000u);
    EXPECT_TRUE(process.disable_local_igmp);
}

TEST(ProcessDefinitions, WhatSteersSomethingElseIsSaid) {
    process_of("vrrp_rx_bufs_policy MTU",
               "note 2:1 'vrrp_rx_bufs_policy' means nothing here: adverts come through a ring whose size follows from the number of routers\n");
    process_of("vrrp_netlink_cmd_rcv_bufs_force on",
               "note 2:1 'vrrp_netlink_cmd_rcv_bufs_force' means nothing here: receive buffers are always forced, where the rights allow it\n");
    EXPECT_EQ(summary(load_string(instance_with("kernel_rx_buf_size 65536")), Severity::note),
              "note 7:1 'kernel_rx_buf_size' means nothing here: adverts come through a ring whose size follows from the number of routers\n");
}

TEST(ProcessDefinitions, ChildrenGetASecondAtLeast) {
    EXPECT_EQ(load_string("child_wait_time 9\n").configuration.global.process.child_wait_time, 9u);
    const LoadResult result = load_string("child_wait_time 0\n");
    EXPECT_EQ(result.configuration.global.process.child_wait_time, 1u);
    EXPECT_EQ(summary(result),
              "warning 1:17 without a second a process cannot say goodbye on the LAN and take its addresses away: 1 is used\n");
}

/// What is dumped can be read again, and is the same then: a reload finds changes by it.
TEST(ProcessDefinitions, TheDumpSaysAllOfIt) {
    const std::string text =
        "global_defs {\n reload_check_config /var/log/check\n reload_file /run/reading\n reload_time_file /etc/when\n reload_repeat\n config_save_dir /var/saved\n"
        " startup_script \"/bin/up now\" joe staff\n startup_script_timeout 20\n shutdown_script /bin/down\n set_supplementary_groups\n"
        " process_names\n process_name a\n vrrp_process_name b\n checker_process_name c\n umask 027\n vrrp_cpu_affinity 0 3\n vrrp_rlimit_rttime 10000\n"
        " max_auto_priority 5\n min_auto_priority_delay 5000\n vrrp_netlink_cmd_rcv_bufs 100000\n vrrp_netlink_monitor_rcv_bufs 200000\n"
        " process_monitor_rcv_bufs 300000\n disable_local_igmp\n default_interface eth7\n}\nchild_wait_time 9\n";
    const LoadResult first = load_string(text);
    const std::string dumped = dump(first.configuration);
    const LoadResult second = load_string(dumped);
    EXPECT_EQ(summary(second), "") << dumped;
    EXPECT_EQ(dump(second.configuration), dumped);
    ProcessDefinitions before = first.configuration.global.process;
    const ProcessDefinitions& after = second.configuration.global.process;
    before.startup.script.where = after.startup.script.where;
    before.shutdown.script.where = after.shutdown.script.where;
    EXPECT_TRUE(before == after) << dumped;
}

}  // namespace vigil::config::test
