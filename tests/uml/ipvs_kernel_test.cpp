// The client against the kernel's load balancer. Runs in a guest (ipvs_kernel_test), because it needs a kernel that has IPVS and no other's table.

#include <sched.h>

#include <cerrno>
#include <cstdio>

#include "tests/uml/ipvs_fixture.h"

namespace vigil::ipvs {
namespace {

using namespace test;

Table every_kind() {
    Service sticky = persistent(service("192.0.2.1", 443, "sh"), 300);
    sticky.granularity = 0xffffff00;
    sticky.scheduler_flags = SchedulerFlag::sh_port;
    Service sticky6 = persistent(service("2001:db8::1", 443, "mh"), 360);
    sticky6.granularity = 64;
    sticky6.scheduler_flags = SchedulerFlag::mh_port | SchedulerFlag::mh_fallback;
    Service one_packet = service("192.0.2.1", 53, "rr", Protocol::udp);
    one_packet.is_one_packet = true;
    Service sip = persistent(service("192.0.2.1", 5060, "rr", Protocol::udp), 60);
    sip.persistence_engine = "sip";
    Destination limited = server("10.0.0.4", 80, 7, Forwarding::direct_route);
    limited.upper_threshold = 1000;
    limited.lower_threshold = 800;
    return {
        {service("192.0.2.1", 80, "wrr"), {server("10.0.0.1", 8080, 3), server("10.0.0.2", 80, 0, Forwarding::direct_route), limited,
                                           tunnelled("10.0.0.5", 80, {}), server("10.0.0.6", 80, 2147483647)}},
        {sticky, {server("10.0.0.1", 443)}},
        {sticky6, {server("2001:db8:1::1", 443), server("2001:db8:1::2", 443, 1, Forwarding::direct_route)}},
        {one_packet, {server("10.0.0.1", 53)}},
        {sip, {server("10.0.0.1", 5060)}},
        {service("192.0.2.2", 36412, "lc", Protocol::sctp), {server("10.0.0.1", 36412)}},
        {mark(Family::ipv4, 7, "wlc"), {server("10.0.0.1", 0, 1, Forwarding::direct_route)}},
        {mark(Family::ipv6, 7, "sed"), {server("2001:db8:1::1", 0, 1, Forwarding::direct_route)}},
        {service("192.0.2.3", 80, "rr"), {tunnelled("10.0.1.1", 80, {TunnelType::gue, false, false, 6080}), tunnelled("10.0.1.2", 80, {TunnelType::gue, true, false, 6080}),
                                          tunnelled("10.0.1.3", 80, {TunnelType::gue, false, true, 6080}), tunnelled("10.0.1.4", 80, {TunnelType::gre}),
                                          tunnelled("10.0.1.5", 80, {TunnelType::gre, true}), tunnelled("2001:db8:2::1", 80, {})}},
    };
}

TEST_F(IpvsKernel, EveryKindOfServiceAndDestinationIsWrittenAsIpvsadmReadsIt) {
    expect_programmed(every_kind());
    expect_read_back(every_kind());
    EXPECT_EQ(saved(), lines(R"(
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 3
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0
-a -t 192.0.2.1:80 -r 10.0.0.4:80 -g -w 7
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type ipip
-a -t 192.0.2.1:80 -r 10.0.0.6:80 -m -w 2147483647
-A -t 192.0.2.1:443 -s sh -p 300 -M 255.255.255.0 -b sh-port
-a -t 192.0.2.1:443 -r 10.0.0.1:443 -m -w 1
-A -t 192.0.2.3:80 -s rr
-a -t 192.0.2.3:80 -r 10.0.1.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.0.2.3:80 -r 10.0.1.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.3:80 -r 10.0.1.3:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.3:80 -r 10.0.1.4:80 -i -w 1 --tun-type gre --tun-nocsum
-a -t 192.0.2.3:80 -r 10.0.1.5:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.0.2.3:80 -r [2001:db8:2::1]:80 -i -w 1 --tun-type ipip
-A -u 192.0.2.1:53 -s rr -o
-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 1
-A -u 192.0.2.1:5060 -s rr -p 60 --pe sip
-a -u 192.0.2.1:5060 -r 10.0.0.1:5060 -m -w 1
-A --sctp-service 192.0.2.2:36412 -s lc
-a --sctp-service 192.0.2.2:36412 -r 10.0.0.1:36412 -m -w 1
-A -t [2001:db8::1]:443 -s mh -p 360 -M 64 -b mh-fallback,mh-port
-a -t [2001:db8::1]:443 -r [2001:db8:1::1]:443 -m -w 1
-a -t [2001:db8::1]:443 -r [2001:db8:1::2]:443 -g -w 1
-A -f 7 -s wlc
-a -f 7 -r 10.0.0.1:0 -g -w 1
-A -f 7 -6 -s sed
-a -f 7 -6 -r [2001:db8:1::1]:0 -g -w 1
)"));
    EXPECT_NE(run("ipvsadm -Ln --thresholds").find("10.0.0.4:80                  1000       800 "), std::string::npos);
}

TEST_F(IpvsKernel, WhatIpvsadmWroteIsFoundAndAdoptedWithoutARequest) {
    run("ipvsadm -A -t 192.0.2.1:80 -s wrr; ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 3; ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.2 -g");
    run("ipvsadm -A -u [2001:db8::1]:53 -s rr -o -p 360 -M 64; ipvsadm -a -u [2001:db8::1]:53 -r [2001:db8::9]:53 -i --tun-type gue --tun-port 6080");
    run("ipvsadm -A -f 7 -s sh -b sh-fallback; ipvsadm -a -f 7 -r 10.0.0.1 -g -w 0 -x 100 -y 50");
    Service dns = persistent(service("2001:db8::1", 53, "rr", Protocol::udp), 360);
    dns.is_one_packet = true;
    dns.granularity = 64;
    Service marked = mark(Family::ipv4, 7, "sh");
    marked.scheduler_flags = SchedulerFlag::sh_fallback;
    Destination limited = server("10.0.0.1", 0, 0, Forwarding::direct_route);
    limited.upper_threshold = 100;
    limited.lower_threshold = 50;
    const Table wanted{{service("192.0.2.1", 80, "wrr"), {server("10.0.0.1", 8080, 3), server("10.0.0.2", 80, 1, Forwarding::direct_route)}},
                       {dns, {tunnelled("2001:db8::9", 53, {TunnelType::gue, false, false, 6080})}},
                       {marked, {limited}}};
    EXPECT_EQ(program(wanted).operation_count, 0u);
    expect_read_back(wanted);
}

TEST_F(IpvsKernel, EverySchedulerOfTheKernel) {
    Table wanted;
    std::string expected;
    for (const std::string_view name : schedulers) {
        if (name == "twos") continue;  // not in the guest's kernel
        const auto port = static_cast<std::uint16_t>(80 + wanted.size());
        wanted.push_back({service("192.0.2.1", port, name), {server("10.0.0.1", port)}});
        expected += "-A -t 192.0.2.1:" + std::to_string(port) + " -s " + std::string(name) + "\n-a -t 192.0.2.1:" + std::to_string(port) + " -r 10.0.0.1:" +
                    std::to_string(port) + " -m -w 1\n";
    }
    expect_programmed(wanted);
    EXPECT_EQ(saved(), lines(expected));
}

TEST_F(IpvsKernel, WhatTheKernelRefusesIsNamedAndHoldsUpNothingElse) {
    Destination crossed = server("10.0.0.3", 80);
    crossed.upper_threshold = 5;
    crossed.lower_threshold = 6;
    const Table wanted{{service("192.0.2.1", 80, "twos"), {server("10.0.0.1", 80)}},
                       {service("192.0.2.2", 80, "rr"),
                        {server("10.0.0.1", 80), server("10.0.0.2", 80, -1), crossed, tunnelled("10.0.0.4", 80, {TunnelType::gue}),
                         server("2001:db8::1", 80), server("10.0.0.5", 80)}}};
    const Outcome outcome = program(wanted);
    EXPECT_EQ(refusals_of(outcome),
              "cannot add TCP 192.0.2.1:80: No such file or directory (2): the kernel lacks its scheduler or persistence engine (modules ip_vs_*, ip_vs_pe_*)\n"
              "cannot add 10.0.0.1:80 to TCP 192.0.2.1:80: No such process (3): there is no such service\n"
              "cannot add 10.0.0.2:80 to TCP 192.0.2.2:80: Numerical result out of range (34): a negative weight, or a lower threshold above the upper one\n"
              "cannot add 10.0.0.3:80 to TCP 192.0.2.2:80: Numerical result out of range (34): a negative weight, or a lower threshold above the upper one\n"
              "cannot add 10.0.0.4:80 to TCP 192.0.2.2:80: Invalid argument (22): an address that is not unicast, a GUE tunnel without a port, or another "
              "address family than the service (which needs tunnelling, and no sync daemon)\n"
              "cannot add [2001:db8::1]:80 to TCP 192.0.2.2:80: Invalid argument (22): an address that is not unicast, a GUE tunnel without a port, or another "
              "address family than the service (which needs tunnelling, and no sync daemon)\n");
    EXPECT_FALSE(outcome.is_stale);
    EXPECT_EQ(saved(), lines("-A -t 192.0.2.2:80 -s rr\n-a -t 192.0.2.2:80 -r 10.0.0.1:80 -m -w 1\n-a -t 192.0.2.2:80 -r 10.0.0.5:80 -m -w 1\n"));
}

TEST_F(IpvsKernel, ChangesAreMadeInPlace) {
    Table table{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 80, 1), server("10.0.0.2", 80, 1)}}};
    expect_programmed(table);
    const auto expect_one_change = [&](std::size_t count = 1) {
        EXPECT_EQ(program(table).operation_count, count);
        expect_read_back(table);
    };
    table[0].service.scheduler = "sh";
    table[0].service.scheduler_flags = SchedulerFlag::sh_fallback;
    expect_one_change();
    table[0].service = persistent(table[0].service, 120);
    expect_one_change();
    table[0].service = service("192.0.2.1", 80, "wlc");
    expect_one_change();
    table[0].destinations[1].weight = 0;
    expect_one_change();
    table[0].destinations[1].forwarding = Forwarding::direct_route;
    table[0].destinations[0].upper_threshold = 7;
    expect_one_change(2);
    table[0].destinations[1] = tunnelled("10.0.0.2", 80, {TunnelType::gue, true, false, 6080});
    expect_one_change();
    table[0].destinations[1].tunnel = {TunnelType::gre};
    expect_one_change();
    table[0].destinations.erase(table[0].destinations.begin());
    table[0].destinations.push_back(server("10.0.0.3", 80));
    expect_one_change(2);
    EXPECT_EQ(saved(), lines("-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-nocsum\n-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m -w 1\n"));
}

TEST_F(IpvsKernel, APersistenceEngineComesAndGoes) {
    Service sip = persistent(service("192.0.2.1", 5060, "rr", Protocol::udp), 60);
    sip.persistence_engine = "sip";
    for (const Service& one : {persistent(service("192.0.2.1", 5060, "rr", Protocol::udp), 60), sip, persistent(service("192.0.2.1", 5060, "rr", Protocol::udp), 60)}) {
        const Table table{{one, {}}};
        EXPECT_EQ(program(table).operation_count, 1u);
        expect_read_back(table);
    }
}

TEST_F(IpvsKernel, AForeignServiceStaysUnlessItWasOursOrEverythingIs) {
    run("ipvsadm -A -t 192.0.2.66:80 -s rr; ipvsadm -a -t 192.0.2.66:80 -r 10.0.0.66:80 -m; ipvsadm -A -t 192.0.2.67:80 -s rr");
    const Table wanted{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 80)}}};
    const std::string ours = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n";
    const std::string foreign = "-A -t 192.0.2.66:80 -s rr\n-a -t 192.0.2.66:80 -r 10.0.0.66:80 -m -w 1\n";
    EXPECT_EQ(program(wanted).operation_count, 2u);
    EXPECT_EQ(saved(), lines(ours + foreign + "-A -t 192.0.2.67:80 -s rr\n"));
    const std::vector<ServiceKey> departed{service("192.0.2.67", 80).key};
    EXPECT_EQ(program(wanted, {.departed = departed}).operation_count, 1u);
    EXPECT_EQ(saved(), lines(ours + foreign));
    EXPECT_EQ(program(wanted, {.is_foreign_removed = true}).operation_count, 1u);
    EXPECT_EQ(saved(), lines(ours));
    ASSERT_TRUE(client->flush());
    EXPECT_EQ(saved(), lines(""));
}

TEST_F(IpvsKernel, ServicesAreRemovedByTheirKeysAndOthersStay) {
    const Table table{{service("192.0.2.1", 80), {server("10.0.0.1", 80), server("10.0.0.2", 80)}}, {service("192.0.2.2", 80), {server("10.0.0.1", 80)}}};
    program(table);
    const std::vector keys{table[0].service.key, service("192.0.2.9", 80).key};
    const auto outcome = client->remove(keys);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->operation_count, 1u);
    EXPECT_TRUE(outcome->refusals.empty());
    const auto left = client->services();
    ASSERT_TRUE(left);
    ASSERT_EQ(left->size(), 1u);
    EXPECT_EQ(left->front().service.key, table[1].service.key);
}

TEST_F(IpvsKernel, ADestinationThatGoesIsDrainedWhenTold) {
    const Table before{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 80, 5)}}}, after{{service("192.0.2.1", 80, "rr"), {}}};
    program(before);
    EXPECT_EQ(program(after, {.departing = Departure::drain}).operation_count, 1u);
    EXPECT_EQ(saved(), lines("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0\n"));
    EXPECT_EQ(program(after, {.departing = Departure::drain}).operation_count, 0u);
    EXPECT_EQ(program(after).operation_count, 1u);
    EXPECT_EQ(saved(), lines("-A -t 192.0.2.1:80 -s rr\n"));
}

TEST_F(IpvsKernel, ATableThatIsNotWhatItWasTakenForIsSaidToBeStale) {
    const Table wanted{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 80)}}};
    const Changes changes = compare_tables(wanted, {});
    EXPECT_FALSE(client->apply(changes.operations).is_stale);
    const Outcome again = client->apply(changes.operations);
    EXPECT_TRUE(again.is_stale);
    ASSERT_EQ(again.refusals.size(), 2u);
    EXPECT_EQ(again.refusals[1].error.error_number, EEXIST);
    EXPECT_EQ(again.refusals[1].destination, wanted[0].destinations[0].key);
    const Operation gone{OperationKind::delete_destination, &wanted[0].service, &wanted[0].destinations[0]};
    EXPECT_FALSE(client->apply({&gone, 1}).is_stale);
    EXPECT_TRUE(client->apply({&gone, 1}).is_stale);
    EXPECT_EQ(program(wanted).operation_count, 1u);
}

TEST_F(IpvsKernel, OneServiceIsAskedFor) {
    program({{service("192.0.2.1", 80, "rr"), {}}});
    const auto found = client->service(service("192.0.2.1", 80).key);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->service.scheduler, "rr");
    const auto missing = client->service(service("192.0.2.1", 81).key);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().error_number, ESRCH);
    const auto none = client->destinations(service("192.0.2.1", 81).key);
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->empty());
}

TEST_F(IpvsKernel, TimeoutsAreWrittenWhenTheyDiffer) {
    EXPECT_EQ(client->timeouts().value_or(Timeouts{}), (Timeouts{900, 120, 300}));
    EXPECT_EQ(client->set_timeouts({901, 0, 303}).value_or(false), true);
    EXPECT_EQ(client->timeouts().value_or(Timeouts{}), (Timeouts{901, 120, 303}));
    EXPECT_EQ(client->set_timeouts({901, 120, 303}).value_or(true), false);
    EXPECT_EQ(run("ipvsadm -L --timeout"), "Timeout (tcp tcpfin udp): 901 120 303\n");
    EXPECT_EQ(client->info().value_or(Info{}).version, 0x010201u);
}

TEST_F(IpvsKernel, SyncDaemonsStartChangeAndStop) {
    run("ip link add d0 type dummy; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up");
    SyncDaemon active{SyncRole::active, "d0", 9, 1400, address("224.0.0.99"), 8849, 2}, backup{SyncRole::backup, "d0", 9, 0, address("ff02::99"), 0, 0};
    std::vector wanted{active, backup};
    EXPECT_EQ(client->set_daemons(wanted).value_or(99), 2u);
    EXPECT_EQ(run("ipvsadm -L --daemon"), "master sync daemon (mcast=d0, syncid=9, maxlen=1400, group=224.0.0.99, port=8849, ttl=2)\n"
                                          "backup sync daemon (mcast=d0, syncid=9, maxlen=1452, group=ff02::99, port=8848, ttl=1)\n");
    EXPECT_EQ(client->set_daemons(wanted).value_or(99), 0u);
    wanted[0].sync_id = 10;
    EXPECT_EQ(client->set_daemons(wanted).value_or(99), 2u);
    EXPECT_EQ(client->daemons().value_or(std::vector<SyncDaemon>{}).at(0), wanted[0]);
    wanted.pop_back();
    EXPECT_EQ(client->set_daemons(wanted).value_or(99), 1u);
    EXPECT_EQ(run("ipvsadm -L --daemon"), "master sync daemon (mcast=d0, syncid=10, maxlen=1400, group=224.0.0.99, port=8849, ttl=2)\n");
    EXPECT_EQ(client->set_daemons({}).value_or(99), 1u);
    EXPECT_EQ(run("ipvsadm -L --daemon"), "");
    wanted[0].interface = "no0";
    const auto refused = client->set_daemons(wanted);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_number, ENODEV);
}

TEST_F(IpvsKernel, ASyncDaemonThatNeverRanIsStoppedWithoutAnError) {
    run("ip link add d0 type dummy; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up");
    const sched_param urgent{.sched_priority = 1}, usual{};
    ASSERT_EQ(sched_setscheduler(0, SCHED_FIFO, &urgent), 0);   // the guest has one processor: the kernel's thread does not get it
    const auto started = client->set_daemons(std::vector{SyncDaemon{SyncRole::backup, "d0", 9, 0, address("224.0.0.99"), 0, 0}});
    const auto stopped = client->set_daemons({});
    ASSERT_EQ(sched_setscheduler(0, SCHED_OTHER, &usual), 0);
    EXPECT_EQ(started.value_or(99), 1u);
    EXPECT_EQ(stopped.value_or(99), 1u) << (stopped ? std::string() : netlink::to_string(stopped.error()));
    EXPECT_EQ(run("ipvsadm -L --daemon"), "");
}

}  // namespace
}  // namespace vigil::ipvs

int main(int argument_count, char** arguments) {
    testing::InitGoogleTest(&argument_count, arguments);
    if (const auto client = vigil::ipvs::Client::open(); !client) {
        std::printf("skipped: %s\n", vigil::netlink::to_string(client.error()).c_str());
        return 77;
    }
    return RUN_ALL_TESTS();
}
