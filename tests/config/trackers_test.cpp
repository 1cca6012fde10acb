// vrrp_script, track_file, vrrp_track_process, and the lists that name them.

#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

const char* const script_block = "vrrp_script chk {\n script /bin/true\n weight -20 reverse\n}\n";

VrrpInstance instance_in(const std::string& text) { return load_string(text).configuration.instances.at(0); }

TEST(TrackScript, EveryKeywordOfTheBlockIsRead) {
    const LoadResult result = load_string(
        "vrrp_script chk {\n script \"/bin/true x\"\n interval 2.5\n weight -20\n fall 3\n rise 2\n timeout 1\n user joe :staff\n init_fail\n}\n" +
        instance_with("track_script {\n chk weight 5\n}"));
    EXPECT_EQ(summary(result, Severity::note), "");
    ASSERT_EQ(result.configuration.scripts.size(), 1u);
    const VrrpScript& script = result.configuration.scripts[0];
    EXPECT_EQ(script.command.command, "/bin/true x");
    EXPECT_EQ(script.command.where.line, 2u);
    EXPECT_EQ(script.interval, Nanoseconds{2500ms});
    EXPECT_EQ(script.timeout, Nanoseconds{1s});
    EXPECT_EQ(script.weight, -20);
    EXPECT_EQ(script.fall, 3u);
    EXPECT_EQ(script.rise, 2u);
    EXPECT_EQ(script.command.user, "joe");
    EXPECT_EQ(script.command.group, "staff");
    EXPECT_TRUE(script.init_fail);
    EXPECT_EQ(result.configuration.instances.at(0).track_scripts.at(0).weight, 5);
}

TEST(TrackScript, AnIntervalOfZeroIsASecond) {
    EXPECT_EQ(load_string("vrrp_script chk {\n script /bin/true\n interval 0\n}\n").configuration.scripts.at(0).interval, Nanoseconds{1s});
}

TEST(TrackScript, WhatTheEntryDoesNotSayComesFromTheScript) {
    const auto entry = [&](const std::string& words) {
        return instance_in(script_block + instance_with("track_script {\n chk " + words + "\n}")).track_scripts.at(0);
    };
    EXPECT_EQ(entry("").weight, -20);
    EXPECT_TRUE(entry("").reverse);
    EXPECT_EQ(entry("weight 5").weight, 5);
    EXPECT_TRUE(entry("weight 5").reverse);
    EXPECT_FALSE(entry("weight 5 noreverse").reverse);
    EXPECT_EQ(entry("weight 0 reverse").weight, 0);
}

TEST(TrackScript, AnUnknownOneIsAnErrorWithASuggestionAndIsNotTracked) {
    const LoadResult result =
        load_string("vrrp_script check_nginx {\n script /bin/true\n}\n" + instance_with("track_script {\n check_ngnix\n}"));
    EXPECT_EQ(summary(result), "error 11:2 (VI_1) there is no vrrp_script 'check_ngnix': it is not tracked\n");
    EXPECT_NE(helps(result).find("did you mean 'check_nginx'?"), std::string::npos);
    EXPECT_TRUE(result.configuration.instances.at(0).track_scripts.empty());
}

TEST(TrackScript, OneDefinedBehindItIsTrackedWithAWarning) {
    const LoadResult result = load_string(instance_with("track_script {\n chk\n}") + "vrrp_script chk {\n script /bin/true\n}\n");
    EXPECT_EQ(summary(result), "warning 8:2 (VI_1) 'chk' is used before it is defined: keepalived would not track it\n");
    EXPECT_NE(helps(result).find("put the vrrp_script on line 11 in front of the instance"), std::string::npos);
    EXPECT_EQ(result.configuration.instances.at(0).track_scripts.size(), 1u);
}

TEST(TrackScript, TheSameOneTwiceIsAnError) {
    const LoadResult result = load_string(script_block + instance_with("track_script {\n chk\n chk weight 3\n}"));
    EXPECT_EQ(summary(result), "error 13:2 'chk' is in the list already: this entry is ignored\n");
    EXPECT_EQ(result.configuration.instances.at(0).track_scripts.size(), 1u);
}

TEST(TrackScript, ASecondBlockOfTheSameNameIsIgnored) {
    const LoadResult result = load_string(std::string(script_block) + "vrrp_script chk {\n script /bin/false\n}\n" + instance_with("track_script {\n chk\n}"));
    EXPECT_EQ(summary(result), "error 5:13 there is a vrrp_script 'chk' already, on line 1: this one is ignored\n");
    ASSERT_EQ(result.configuration.scripts.size(), 1u);
    EXPECT_EQ(result.configuration.scripts[0].command.command, "/bin/true");
}

TEST(TrackScript, ABlockWithoutCommandIsReported) {
    EXPECT_EQ(summary(load_string("vrrp_script chk {\n interval 2\n}\n")), "error 1:13 vrrp_script 'chk' has no 'script': it is ignored\n");
}

TEST(TrackScript, OneThatNobodyTracksIsNoted) {
    EXPECT_EQ(summary(load_string(script_block), Severity::note), "note 1:13 vrrp_script 'chk' is tracked by no vrrp_instance: it is not looked at\n");
}

TEST(TrackScript, AWrongWordInTheBlockIsReportedOnce) {
    EXPECT_EQ(summary(load_string("vrrp_script chk {\n script /bin/true\n rise 0\n}\n")),
              "error 3:7 'rise' expects a number from 1 to 2147483647, not '0': ignored\n");
}

TEST(TrackFile, EveryKeywordOfTheBlockIsRead) {
    const LoadResult result = load_string("track_file f {\n file /run/value\n weight 2 reverse\n init_file -5 overwrite\n}\n" +
                                          instance_with("track_file {\n f\n}"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const TrackedFile& file = result.configuration.tracked_files.at(0);
    EXPECT_EQ(file.path, "/run/value");
    EXPECT_EQ(file.initial_value, -5);
    EXPECT_TRUE(file.overwrite);
    const TrackedItem& item = result.configuration.instances.at(0).track_files.at(0);
    EXPECT_EQ(item.weight, 2);
    EXPECT_TRUE(item.reverse);
}

TEST(TrackFile, ItsNumberCountsOnceUnlessAWeightIsGivenAndNoFileIsMade) {
    const LoadResult result = load_string("track_file f {\n file /run/value\n}\n" + instance_with("track_file {\n f\n}"));
    EXPECT_EQ(result.configuration.instances.at(0).track_files.at(0).weight, 1);
    EXPECT_FALSE(result.configuration.tracked_files.at(0).initial_value.has_value());
}

TEST(TrackFile, TheOldNameOfTheBlockIsDeprecated) {
    const LoadResult result = load_string("vrrp_track_file f {\n file /run/value\n}\n" + instance_with("track_file {\n f weight 254\n}"));
    EXPECT_EQ(summary(result), "warning 1:1 'vrrp_track_file' is deprecated\n");
    EXPECT_EQ(result.configuration.instances.at(0).track_files.at(0).weight, 254);
}

TEST(TrackFile, WhatIsWrongInTheBlockIsSaid) {
    EXPECT_EQ(summary(load_string("track_file f {\n weight 3\n}\n")), "error 1:12 track_file 'f' has no 'file': it is ignored\n");
    EXPECT_EQ(summary(load_string("track_file f {\n file value\n}\n")),
              "warning 2:7 a relative path begins where the daemon was started, which is '/' for a service\n");
    EXPECT_EQ(summary(load_string("track_file f {\n file /a\n file /b\n init_file 5x\n}\n")),
              "error 3:2 'file' was given already: this one is ignored\nerror 4:12 'init_file' takes a number and 'overwrite', not '5x': ignored\n");
    EXPECT_EQ(summary(load_string("track_file f {\n file /a\n init_file 300\n}\n")), "warning 3:12 a number beyond -254 to 254 does no more than these\n");
}

/// Valid until the next call: its texts are the configuration's.
TrackedProcess process_of(const std::string& lines) {
    static Configuration configuration;
    configuration = load_string("vrrp_track_process p {\n" + lines + "\n}\n").configuration;
    return configuration.tracked_processes.at(0);
}

TEST(TrackProcess, EveryKeywordOfTheBlockIsRead) {
    const TrackedProcess process = process_of("process \"/tmp/a b\" one \"two three\"\nparam_match partial\nweight 7 reverse\nquorum 2\nquorum_max 4\n"
                                              "terminate_delay 1.5\nfork_delay 0.25");
    EXPECT_EQ(process.program, "/tmp/a b");
    EXPECT_EQ(process.parameters, (std::vector<std::string_view>{"one", "two three"}));
    EXPECT_EQ(process.match, ParameterMatch::partial);
    EXPECT_TRUE(process.full_command);
    EXPECT_EQ(process.weight, 7);
    EXPECT_TRUE(process.weight_reverse);
    EXPECT_EQ(process.quorum, 2u);
    EXPECT_EQ(process.quorum_max, 4u);
    EXPECT_EQ(process.terminate_delay, Nanoseconds{1500ms});
    EXPECT_EQ(process.fork_delay, Nanoseconds{250ms});
    EXPECT_EQ(process_of("process x\ndelay 2").terminate_delay, Nanoseconds{2s});
    EXPECT_EQ(process_of("process x\ndelay 2").fork_delay, Nanoseconds{2s});
}

TEST(TrackProcess, ParametersMustBeEqualUnlessParamMatchSaysOtherwise) {
    EXPECT_EQ(process_of("process x").match, ParameterMatch::none);
    EXPECT_FALSE(process_of("process x").full_command);
    EXPECT_EQ(process_of("process x -d").match, ParameterMatch::exact);
    EXPECT_TRUE(process_of("process x -d").full_command);
    EXPECT_EQ(process_of("process x\nparam_match").match, ParameterMatch::exact);   // it must have none
    EXPECT_EQ(process_of("process x -d\nparam_match initial").match, ParameterMatch::initial);
}

TEST(TrackProcess, AQuorumMaxOfZeroMeansThatItMustNotRun) {
    EXPECT_EQ(process_of("process x\nquorum_max 0").quorum, 0u);
    EXPECT_EQ(process_of("process x\nquorum_max 0").quorum_max, 0u);
    const LoadResult result = load_string("vrrp_track_process p {\n process x\n quorum 3\n quorum_max 2\n}\n");
    EXPECT_EQ(summary(result), "warning 1:20 vrrp_track_process 'p': quorum_max is less than quorum: it is ignored\n");
    EXPECT_EQ(result.configuration.tracked_processes.at(0).quorum_max, TrackedProcess::unlimited);
}

TEST(TrackProcess, APathIsComparedWithTheFullCommand) {
    const LoadResult result = load_string("vrrp_track_process p {\n process /usr/sbin/nginx\n}\n");
    EXPECT_EQ(summary(result), "warning 1:20 vrrp_track_process 'p': a name has no path; the full command is compared\n");
    EXPECT_TRUE(result.configuration.tracked_processes.at(0).full_command);
}

TEST(Weights, AnOwnersPriorityIsChangedByNone) {
    const LoadResult result = load_string(script_block + instance_with("priority 255\ntrack_script {\n chk\n}\ntrack_interface {\n eth1\n eth2 weight 3\n}"));
    EXPECT_EQ(summary(result),
              "warning 13:2 (VI_1) priority 255 is the owner's, which no weight changes: 'chk' is not tracked\n"
              "warning 17:2 (VI_1) priority 255 is the owner's, which no weight changes: 'eth2' is not tracked\n");
    EXPECT_TRUE(result.configuration.instances.at(0).track_scripts.empty());
    EXPECT_EQ(result.configuration.instances.at(0).track_interfaces.size(), 1u);
}

TEST(Weights, OneThatCanNeverChangeThePriorityIsAWarning) {
    const std::string script = "vrrp_script chk {\n script /bin/true\n weight 20\n}\n";
    EXPECT_EQ(summary(load_string(script + instance_with("priority 254\ntrack_script {\n chk\n}"))),
              "warning 13:2 (VI_1) the weight of 'chk' changes nothing: the priority is never below 254 without it\n");
    EXPECT_EQ(summary(load_string(script + instance_with("priority 253\ntrack_script {\n chk\n}"))), "");
    EXPECT_EQ(summary(load_string(script + instance_with("priority 1\ntrack_script {\n chk weight -5\n}"))),
              "warning 13:2 (VI_1) the weight of 'chk' changes nothing: the priority is never above 1 without it\n");
    // Another one makes room for it.
    EXPECT_EQ(summary(load_string(script + instance_with("priority 254\ntrack_interface {\n eth1 weight -30\n}\ntrack_script {\n chk\n}"))), "");
}

}  // namespace vigil::config::test
