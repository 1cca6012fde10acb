#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

/// Instances of these names with VRIDs 1, 2, ... on eth0, each with `extra` at its end.
std::string instances(const std::vector<std::string>& names, const std::string& extra = "") {
    std::string text;
    int number = 0;
    for (const std::string& name : names) {
        const std::string vrid = std::to_string(++number);
        text += "vrrp_instance " + name + " {\n interface eth0\n virtual_router_id " + vrid + "\n virtual_ipaddress {\n 10.0.0." + vrid + "/24\n }\n" + extra + "\n}\n";
    }
    return text;
}

std::vector<std::string_view> member_names(const VrrpSyncGroup& group) {
    std::vector<std::string_view> names;
    for (const GroupMember& member : group.members) names.push_back(member.name);
    return names;
}
using Names = std::vector<std::string_view>;

TEST(SyncGroup, KeepsItsMembersInFileOrderWhereverItStands) {
    const std::string group = "vrrp_sync_group G1 {\n group {\n B\n A\n }\n}\n";
    for (const std::string& text : {group + instances({"A", "B"}), instances({"A", "B"}) + group}) {
        const LoadResult result = load_string(text);
        EXPECT_EQ(summary(result, Severity::note), "");
        ASSERT_EQ(result.configuration.sync_groups.size(), 1u);
        EXPECT_EQ(result.configuration.sync_groups[0].name, "G1");
        EXPECT_EQ(member_names(result.configuration.sync_groups[0]), (Names{"B", "A"}));
    }
}

TEST(SyncGroup, TakesSeveralNamesOnALine) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_EQ(member_names(result.configuration.sync_groups.at(0)), (Names{"A", "B"}));
}

TEST(SyncGroup, AnUnknownMemberIsLeftOutWithARemedy) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n OUTSIDE\n INSIDE\n INSIED\n }\n}\n" + instances({"OUTSIDE", "INSIDE"}));
    EXPECT_EQ(summary(result), "error 5:2 (G1) there is no vrrp_instance 'INSIED': the group goes on without it\n");
    EXPECT_NE(helps(result).find("did you mean 'INSIDE'?"), std::string::npos);
    EXPECT_EQ(member_names(result.configuration.sync_groups.at(0)), (Names{"OUTSIDE", "INSIDE"}));
}

TEST(SyncGroup, AnUnusableMemberIsNoUnknownOne) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n B\n C\n }\n}\n" + instances({"A", "B"}) +
                                          "vrrp_instance C {\n interface eth0\n virtual_ipaddress {\n 10.0.0.9\n }\n}\n");
    EXPECT_NE(summary(result).find("warning 5:2 (G1) instance 'C' cannot be used: the group goes on without it\n"), std::string::npos);
    EXPECT_EQ(summary(result).find("no vrrp_instance"), std::string::npos);
}

TEST(SyncGroup, AnInstanceIsInOneGroupOnly) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n B\n }\n}\nvrrp_sync_group G2 {\n group {\n B\n C\n D\n }\n}\n" +
                                          instances({"A", "B", "C", "D"}));
    EXPECT_EQ(summary(result), "error 9:2 (G2) 'B' is a member of 'G1' on line 4 already: this group goes on without it\n");
    EXPECT_EQ(member_names(result.configuration.sync_groups.at(1)), (Names{"C", "D"}));
}

TEST(SyncGroup, AMemberThatIsListedTwiceIsThereOnce) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n B\n A\n }\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result), "warning 5:2 (G1) 'A' is in the list already: ignored\n");
    EXPECT_EQ(member_names(result.configuration.sync_groups.at(0)), (Names{"A", "B"}));
}

TEST(SyncGroup, OfOneMemberIsAllowedAndTold) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n }\n}\n" + instances({"A"}));
    EXPECT_EQ(summary(result), "warning 1:17 (G1) has one member only, so there is nothing to keep in step\n");
    EXPECT_EQ(result.configuration.sync_groups.size(), 1u);
}

TEST(SyncGroup, WithoutMembersIsNotUsed) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n notify /a\n}\nvrrp_sync_group G2 {\n group {\n X\n }\n}\n");
    EXPECT_EQ(summary(result), "error 1:17 (G1) has no members: the group is not used\n"
                               "warning 4:17 (G2) has no members that are left: the group is not used\n"
                               "error 6:2 (G2) there is no vrrp_instance 'X': the group goes on without it\n");
    EXPECT_TRUE(result.configuration.sync_groups.empty());
}

TEST(SyncGroup, TheFirstOfANameCounts) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n}\nvrrp_sync_group G1 {\n group { C D }\n}\n" + instances({"A", "B", "C", "D"}));
    EXPECT_EQ(summary(result), "error 4:17 there is a vrrp_sync_group 'G1' already, on line 1: this one is ignored\n");
    ASSERT_EQ(result.configuration.sync_groups.size(), 1u);
    EXPECT_EQ(member_names(result.configuration.sync_groups[0]), (Names{"A", "B"}));
}

TEST(SyncGroup, OwnersAndOthersTogetherAreWarnedAbout) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n B\n }\n}\n" + instances({"A"}, "priority 255") +
                                          "vrrp_instance B {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 10.0.0.9\n }\n}\n");
    EXPECT_EQ(summary(result), "warning 4:2 (G1) 'A' and 'B' differ: one has priority 255 (owner), the other has not. The group starts as Backup\n");
}

TEST(SyncGroup, DifferentPreemptionIsANote) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group {\n A\n B\n }\n}\n" + instances({"A"}, "nopreempt") +
                                          "vrrp_instance B {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 10.0.0.9\n }\n}\n");
    EXPECT_EQ(summary(result), "");
    EXPECT_EQ(summary(result, Severity::note), "note 4:2 (G1) 'A' and 'B' differ in nopreempt or preempt_delay: what preempts latest holds for all\n");
}

TEST(SyncGroup, HasScriptsOfItsOwn) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n notify_master /m\n notify_backup /b\n notify_fault /f\n notify_stop /s\n"
                                          " notify \"/n x\" joe\n notify /other\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result), "error 8:2 'notify' was given on line 7 already: this one is ignored\n");
    const auto& scripts = result.configuration.sync_groups.at(0).scripts;
    EXPECT_EQ(find_script(scripts, ScriptEvent::master)->command, "/m");
    EXPECT_EQ(find_script(scripts, ScriptEvent::backup)->command, "/b");
    EXPECT_EQ(find_script(scripts, ScriptEvent::fault)->command, "/f");
    EXPECT_EQ(find_script(scripts, ScriptEvent::stop)->command, "/s");
    EXPECT_EQ(find_script(scripts, ScriptEvent::any)->command, "/n x");
    EXPECT_EQ(find_script(scripts, ScriptEvent::any)->user, "joe");
}

TEST(SyncGroup, GivesItsTrackersToEachMember) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n track_interface {\n eth5\n eth6 weight -20\n eth0\n }\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result), "");
    for (const VrrpInstance& instance : result.configuration.instances) {
        ASSERT_EQ(instance.track_interfaces.size(), 2u) << "its own interface is tracked anyway";
        EXPECT_EQ(instance.track_interfaces[0].name, "eth5");
        EXPECT_EQ(instance.track_interfaces[1].weight, -20) << "a weight that moves all members alike is kept";
        EXPECT_TRUE(instance.track_interfaces[0].of_group);
    }
}

TEST(SyncGroup, WeightsOfOneMemberAloneAreNotUsedUnlessAskedFor) {
    const std::string members = instances({"A", "B"}, "track_interface {\n eth7 weight 10\n eth8\n }\n");
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n}\n" + members);
    EXPECT_NE(summary(result).find("warning 11:2 (A) a weight would move this member of the sync group 'G1' alone: the tracker is not used\n"), std::string::npos)
        << summary(result);
    ASSERT_EQ(result.configuration.instances[0].track_interfaces.size(), 1u);
    EXPECT_EQ(result.configuration.instances[0].track_interfaces[0].name, "eth8");
    const LoadResult kept = load_string("vrrp_sync_group G1 {\n group { A B }\n sync_group_tracking_weight\n}\n" + members);
    EXPECT_EQ(summary(kept), "");
    EXPECT_EQ(kept.configuration.instances[0].track_interfaces.size(), 2u);
}

TEST(SyncGroup, OfOneMemberKeepsItsWeights) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A }\n}\n" + instances({"A"}, "track_interface {\n eth7 weight 10\n }\n"));
    EXPECT_EQ(result.configuration.instances[0].track_interfaces.size(), 1u);
}

TEST(SyncGroup, TheWeightOfAScriptCountsToo) {
    const std::string script = "vrrp_script chk {\n script /bin/true\n weight 5\n}\nvrrp_script hard {\n script /bin/true\n}\n";
    const LoadResult result = load_string(script + "vrrp_sync_group G1 {\n group { A B }\n}\n" + instances({"A", "B"}, "track_script {\n chk\n hard\n }\n"));
    ASSERT_EQ(result.configuration.instances[0].track_scripts.size(), 1u);
    EXPECT_EQ(result.configuration.instances[0].track_scripts[0].name, "hard");
}

TEST(SyncGroup, WhatIsTrackedByGroupAndMemberIsTheGroups) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n track_interface {\n eth5 weight 20\n }\n}\n" +
                                          instances({"A", "B"}, "track_interface {\n eth5\n }\n"));
    EXPECT_NE(summary(result).find("warning 14:2 (A) 'eth5' is tracked by the sync group 'G1' too: what the group says is used\n"), std::string::npos)
        << summary(result);
    ASSERT_EQ(result.configuration.instances[0].track_interfaces.size(), 1u);
    EXPECT_EQ(result.configuration.instances[0].track_interfaces[0].weight, 20);
}

TEST(SyncGroup, AnUnknownScriptIsSuggestedOnce) {
    const LoadResult result = load_string("vrrp_script check_web {\n script /bin/true\n}\nvrrp_sync_group G1 {\n group { A B }\n track_script {\n chek_web\n }\n}\n" +
                                          instances({"A", "B"}));
    EXPECT_EQ(summary(result), "error 7:2 (G1) there is no vrrp_script 'chek_web': it is not tracked\n");
    EXPECT_NE(helps(result).find("did you mean 'check_web'?"), std::string::npos);
    EXPECT_TRUE(result.configuration.instances[0].track_scripts.empty());
}

TEST(SyncGroup, AnUnknownInterfaceIsWarnedAboutOnce) {
    LoadOptions options;
    options.is_known_interface = [](std::string_view name) { return name == "eth0"; };
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n track_interface {\n eth5\n }\n}\n" + instances({"A", "B"}), options);
    EXPECT_EQ(summary(result), "warning 4:2 (G1) there is no interface 'eth5'\n");
}

TEST(SyncGroup, SaysWhetherPrioritiesAreToldForMembersThatDoNot) {
    const std::string group = "vrrp_sync_group G1 {\n group { A B }\n notify_priority_changes on\n smtp_alert\n}\n";
    const LoadResult result = load_string(group + "vrrp_instance X {\n interface eth0\n}\n" + instances({"A"}, "notify_priority_changes off") +
                                          "vrrp_instance B {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 10.0.0.9\n }\n}\n");
    for (const VrrpInstance& instance : result.configuration.instances) {
        EXPECT_EQ(instance.notify_priority_changes, instance.name == "B") << instance.name;
        EXPECT_FALSE(instance.smtp_alert) << "a mail about the group is none about its members";
    }
    EXPECT_EQ(result.configuration.sync_groups.at(0).smtp_alert, true);
    EXPECT_EQ(load_string("global_defs {\n smtp_alert_vrrp\n}\nvrrp_sync_group G1 {\n group { A B }\n}\n" + instances({"A", "B"}))
                  .configuration.sync_groups.at(0).smtp_alert, true);
}

TEST(SyncGroup, GlobalTrackingIsDeprecated) {
    const LoadResult result = load_string("vrrp_sync_group G1 {\n group { A B }\n global_tracking\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result), "warning 3:2 'global_tracking' is deprecated\n");
}

TEST(SyncGroup, IsDumpedAsItCanBeReadAgain) {
    const std::string text = "vrrp_script hard {\n script /bin/true\n}\nvrrp_sync_group G1 {\n group { A B }\n sync_group_tracking_weight\n track_interface {\n eth5 weight -20\n }\n"
                             " track_script {\n hard\n }\n smtp_alert off\n notify_priority_changes\n notify_master \"/m x\" joe\n}\n"
                             "track_group T1 {\n group { B }\n}\n" + instances({"A", "B"}, "track_interface {\n eth7 weight 10\n }\n");
    const LoadResult loaded = load_string(text);
    const std::string first = dump(loaded.configuration);
    for (const char* line : {"vrrp_sync_group G1 {\n    group {\n        A\n        B\n    }\n    sync_group_tracking_weight\n", "        eth5 weight -20\n", "        hard weight 0 noreverse\n",
                             "    smtp_alert off\n", "    notify_priority_changes on\n", "    notify_master \"/m x\" joe\n", "track_group T1 {\n    group {\n        B\n"}) {
        EXPECT_NE(first.find(line), std::string::npos) << line << "\n" << first;
    }
    const LoadResult again = load_string(first);
    EXPECT_EQ(dump(again.configuration), first);
    EXPECT_EQ(summary(again), "") << "the members' dump leaves out what they have from the group";
    EXPECT_EQ(again.configuration.instances[0].track_interfaces.size(), loaded.configuration.instances[0].track_interfaces.size());
}

TEST(TrackGroup, KnowsItsMembers) {
    const LoadResult result = load_string("track_group T1 {\n group { A B X }\n}\ntrack_group T1 {\n group { A }\n}\n" + instances({"A", "B"}));
    EXPECT_EQ(summary(result), "error 2:14 (T1) there is no vrrp_instance 'X': the group goes on without it\n"
                               "error 4:13 there is a track_group 'T1' already, on line 1: this one is ignored\n");
    ASSERT_EQ(result.configuration.track_groups.size(), 1u);
    EXPECT_EQ(result.configuration.track_groups[0].members.size(), 2u);
}

}  // namespace vigil::config::test
