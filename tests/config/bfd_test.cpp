// bfd_instance, track_bfd, and the bfd_ words of global_defs.

#include <gtest/gtest.h>

#include "config/values.h"
#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

std::string bfd_block(const std::string& lines, const std::string& name = "peer") { return "bfd_instance " + name + " {\n" + lines + "\n}\n"; }

BfdInstance bfd_of(const std::string& lines) {
    static Configuration configuration;   // the names point into it
    configuration = load_string(bfd_block("neighbor_ip 192.0.2.2\n" + lines)).configuration;
    return configuration.bfd_instances.at(0);
}

TEST(Bfd, WithoutAWordTheValuesAreKeepaliveds) {
    const BfdInstance bfd = bfd_of("");
    EXPECT_EQ(bfd.name, "peer");
    EXPECT_EQ(to_string(bfd.neighbor), "192.0.2.2");
    EXPECT_FALSE(bfd.source);
    EXPECT_EQ(bfd.min_rx, Nanoseconds{10ms});
    EXPECT_EQ(bfd.min_tx, Nanoseconds{10ms});
    EXPECT_EQ(bfd.idle_tx, Nanoseconds{1s});
    EXPECT_EQ(bfd.multiplier, 5);
    EXPECT_FALSE(bfd.passive);
    EXPECT_EQ(bfd.ttl, 255);
    EXPECT_EQ(bfd.max_hops, 0);
    EXPECT_FALSE(bfd.multihop);
    EXPECT_EQ(bfd.weight, 0);
    EXPECT_TRUE(bfd.vrrp);
    EXPECT_TRUE(bfd.checker);
}

TEST(Bfd, EveryKeywordIsRead) {
    const LoadResult result = load_string(bfd_block("neighbour_ip 2001:db8::2\nsource_ip 2001:db8::1\nmin_rx 20\nmin_tx 30.5\nidle_tx 2000\nmultiplier 7\npassive\n"
                                                    "hoplimit 200\nmax_hops 9\nmultihop\nweight -40 reverse\nvrrp"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const BfdInstance& bfd = result.configuration.bfd_instances.at(0);
    EXPECT_EQ(to_string(bfd.neighbor), "2001:db8::2");
    EXPECT_EQ(to_string(*bfd.source), "2001:db8::1");
    EXPECT_EQ(bfd.min_rx, Nanoseconds{20ms});
    EXPECT_EQ(bfd.min_tx, Nanoseconds{30'500us});
    EXPECT_EQ(bfd.idle_tx, Nanoseconds{2s});
    EXPECT_EQ(bfd.multiplier, 7);
    EXPECT_TRUE(bfd.passive);
    EXPECT_EQ(bfd.ttl, 200);
    EXPECT_EQ(bfd.max_hops, 9);
    EXPECT_TRUE(bfd.multihop);
    EXPECT_EQ(bfd.weight, -40);
    EXPECT_TRUE(bfd.weight_reverse);
    EXPECT_TRUE(bfd.vrrp);
    EXPECT_FALSE(bfd.checker);
}

TEST(Bfd, VrrpAndCheckerChooseAndBothTogetherAreBoth) {
    EXPECT_FALSE(bfd_of("checker").vrrp);
    EXPECT_TRUE(bfd_of("checker").checker);
    EXPECT_TRUE(bfd_of("checker\nvrrp").vrrp);
    EXPECT_TRUE(bfd_of("checker\nvrrp").checker);
}

TEST(Bfd, AnyNumberOfHopsIsMinusOneOr255) {
    EXPECT_EQ(bfd_of("max_hops -1").max_hops, BfdInstance::any_hops);
    EXPECT_EQ(bfd_of("max_hops 255").max_hops, BfdInstance::any_hops);
    EXPECT_FALSE(bfd_of("multihop off").multihop);
}

TEST(Bfd, IntervalsAreMillisecondsWithThreeDigitsOfFraction) {
    EXPECT_EQ(read_milliseconds("10")->value, 10'000);
    EXPECT_EQ(read_milliseconds("1.5")->value, 1'500);
    EXPECT_EQ(read_milliseconds("0.001")->value, 1);
    EXPECT_FALSE(read_milliseconds("1.125")->has_trailing);
    EXPECT_TRUE(read_milliseconds("1.1255")->has_trailing);
    EXPECT_TRUE(read_milliseconds("10ms")->has_trailing);
    EXPECT_EQ(read_milliseconds("-3")->value, -3'000);
    EXPECT_FALSE(read_milliseconds("ms"));
    const LoadResult result = load_string(bfd_block(" neighbor_ip 192.0.2.2\n min_rx 0.9\n idle_tx 999\n min_tx 5ms"));
    EXPECT_EQ(summary(result), "error 3:9 'min_rx' expects milliseconds from 1 to 1000000, not '0.9': ignored\n"
                               "error 4:10 'idle_tx' expects milliseconds from 1000 to 1000000, not '999': ignored\n"
                               "warning 5:9 '5ms' is taken as 5\n");
    EXPECT_EQ(result.configuration.bfd_instances.at(0).min_rx, Nanoseconds{10ms});
    EXPECT_EQ(result.configuration.bfd_instances.at(0).min_tx, Nanoseconds{5ms});
}

TEST(Bfd, OneWithoutANeighborIsNotUsed) {
    const LoadResult result = load_string(bfd_block(" min_rx 10"));
    EXPECT_EQ(summary(result), "error 1:14 bfd_instance 'peer' has no 'neighbor_ip': it is ignored\n");
    EXPECT_TRUE(result.configuration.bfd_instances.empty());
}

TEST(Bfd, TwoWithOneNameOrOneNeighborAreOne) {
    const LoadResult names = load_string(bfd_block("neighbor_ip 192.0.2.2") + bfd_block("neighbor_ip 192.0.2.3"));
    EXPECT_EQ(summary(names), "error 4:14 there is a bfd_instance 'peer' already, on line 1: this one is ignored\n");
    EXPECT_EQ(names.configuration.bfd_instances.size(), 1u);
    const LoadResult neighbors = load_string(bfd_block("neighbor_ip 192.0.2.2") + bfd_block("neighbor_ip 192.0.2.2", "second"));
    EXPECT_EQ(summary(neighbors), "error 4:14 bfd_instance 'second': line 1 has a session with 192.0.2.2 already: it is ignored\n");
    EXPECT_EQ(neighbors.configuration.bfd_instances.size(), 1u);
}

TEST(Bfd, WhatIsNoNeighborIsRefused) {
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 224.0.0.1"))), "error 1:14 bfd_instance 'peer': 224.0.0.1 is no neighbor but a group: it is ignored\n");
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip fe80::1"))),
              "error 1:14 bfd_instance 'peer': a link-local address means nothing without an interface, which cannot be said here: it is ignored\n");
    const std::string long_name(32, 'x');
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2", long_name))),
              "error 1:14 bfd_instance '" + long_name + "': a name has at most 31 characters: it is ignored\n");
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2", long_name.substr(1)))), "");
}

TEST(Bfd, ASourceOfAnotherFamilyIsLeftOut) {
    const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2\nsource_ip 2001:db8::1"));
    EXPECT_EQ(summary(result), "error 1:14 bfd_instance 'peer': source_ip and neighbor_ip are not of one family: source_ip is ignored\n");
    EXPECT_FALSE(result.configuration.bfd_instances.at(0).source);
}

TEST(Bfd, WhatNoNeighborCouldHearIsNoted) {
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2\nttl 64")), Severity::note),
              "note 1:14 bfd_instance 'peer': a neighbor that obeys RFC 5881 takes nothing with a TTL other than 255\n");
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2\nmultihop")), Severity::note),
              "note 1:14 bfd_instance 'peer': with max_hops 0 only packets that no router has forwarded are taken\n");
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2\nmultihop\nmax_hops 3\nttl 64")), Severity::note), "");
}

TEST(TrackBfd, WhatTheEntryDoesNotSayComesFromTheBlock) {
    const auto entry = [](const std::string& words) {
        const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2\nweight -20 reverse") + instance_with("track_bfd {\n peer " + words + "\n}"));
        return result.configuration.instances.at(0).track_bfds.at(0);
    };
    EXPECT_EQ(entry("").weight, -20);
    EXPECT_TRUE(entry("").reverse);
    EXPECT_EQ(entry("weight 5 noreverse").weight, 5);
    EXPECT_FALSE(entry("weight 5 noreverse").reverse);
}

TEST(TrackBfd, AnUnknownOneIsAnError) {
    const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2") + instance_with("track_bfd {\n pear\n}"));
    EXPECT_EQ(summary(result), "error 11:2 (VI_1) there is no bfd_instance 'pear': it is not tracked\n");
    EXPECT_NE(helps(result).find("did you mean 'peer'?"), std::string::npos);
    EXPECT_TRUE(result.configuration.instances.at(0).track_bfds.empty());
}

TEST(TrackBfd, OneForCheckersIsNotForInstances) {
    const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2\nchecker") + instance_with("track_bfd {\n peer\n}"));
    EXPECT_EQ(summary(result), "error 12:2 (VI_1) bfd_instance 'peer' is for checkers only: it is not tracked\n");
    EXPECT_TRUE(result.configuration.instances.at(0).track_bfds.empty());
}

TEST(TrackBfd, ASessionThatNobodyTracksIsNothingToSpeakOf) {
    EXPECT_EQ(summary(load_string(bfd_block("neighbor_ip 192.0.2.2") + instance_with("")), Severity::note), "");   // the neighbor may
}

TEST(TrackBfd, ASyncGroupGivesItToItsMembers) {
    const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2") + instance_with("") +
                                          "vrrp_sync_group G {\n group {\n VI_1\n }\n track_bfd {\n peer weight 10\n }\n}\n");
    const VrrpInstance& instance = result.configuration.instances.at(0);
    ASSERT_EQ(instance.track_bfds.size(), 1u);
    EXPECT_TRUE(instance.track_bfds[0].of_group);
    EXPECT_EQ(instance.track_bfds[0].weight, 10);
}

TEST(TrackBfd, AWeightMovesNoOwner) {
    const LoadResult result = load_string(bfd_block("neighbor_ip 192.0.2.2") + instance_with("priority 255\ntrack_bfd {\n peer weight 10\n}"));
    EXPECT_TRUE(result.configuration.instances.at(0).track_bfds.empty());
}

TEST(BfdProcess, ItsWordsAreRead) {
    const LoadResult result = load_string("global_defs {\nbfd_process_name sessions\nbfd_priority -5\nbfd_rt_priority 3\nbfd_no_swap\nbfd_rlimit_rttime 1\n"
                                          "bfd_cpu_affinity 0 2\n}\n");
    EXPECT_EQ(summary(result, Severity::note), "");
    const BfdProcessSettings& process = result.configuration.global.bfd;
    EXPECT_EQ(process.name, "sessions");
    EXPECT_EQ(process.nice, -5);
    EXPECT_EQ(process.rt_priority, 3);
    EXPECT_TRUE(process.no_swap);
    EXPECT_EQ(process.rlimit_rttime, 2u);   // 1 would end it at once
    EXPECT_EQ(process.cpus, (std::vector<unsigned>{0, 2}));
    EXPECT_EQ(summary(load_string("global_defs {\n bfd_cpu_affinity 0 two\n}\n")), "error 2:21 'bfd_cpu_affinity' takes numbers of CPUs, not 'two': ignored\n");
    EXPECT_EQ(load_string("global_defs {\nbfd_rlimit_rtime 500\n}\n").configuration.global.bfd.rlimit_rttime, 500u);
}

}  // namespace vigil::config::test
