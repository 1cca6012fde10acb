#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

const char* const everything = R"(global_defs {
    router_id left
    vmac_prefix vip
    vrrp_garp_interval 0.5
    bfd_process_name bfd
    bfd_priority -3
    bfd_rt_priority 2
    bfd_no_swap
    bfd_rlimit_rttime 9000
    bfd_cpu_affinity 0 1
}
vrrp_script chk {
    script "/bin/chk 'a b'"
    interval 2
    weight -10 reverse
    timeout 1.5
    user joe staff
    init_fail
}
track_file number {
    file "/run/a b"
    weight 3
    init_file -7 overwrite
}
vrrp_track_process web {
    process "/usr/sbin/nginx" "-g" "daemon off;"
    param_match initial
    quorum 2
    quorum_max 5
    delay 0.5
    weight 4
}
vrrp_track_process absent {
    process backup
    quorum_max 0
}
bfd_instance near {
    neighbor_ip 192.0.2.2
    source_ip 192.0.2.1
    min_rx 20.5
    multiplier 3
    passive
    weight -10 reverse
    vrrp
}
bfd_instance far {
    neighbor_ip 2001:db8::2
    idle_tx 2000
    multihop
    max_hops -1
    ttl 70
}
vrrp_instance A {
    interface eth0
    virtual_router_id 5
    priority 120
    nopreempt
    advert_int 2
    authentication {
        auth_type PASS
        auth_pass secret
    }
    use_vmac vip0 02:00:00:00:00:09 netlink_notify_msg group 3
    vmac_mode nftables
    vmac_xmit_base
    virtual_ipaddress {
        10.0.0.1/24 brd + dev eth1 label eth1:1 scope link no_track use_vmac
        10.0.0.2 peer 10.0.0.9
    }
    virtual_ipaddress_excluded {
        fe80::1 -nodad home mngtmpaddr noprefixroute autojoin
    }
    track_interface {
        eth2 weight 5 reverse
    }
    track_script {
        chk
    }
    track_file {
        number weight 2 reverse
    }
    track_process {
        web weight -9 noreverse
        absent
    }
    track_bfd {
        near weight 7 reverse
        far
    }
    notify "/bin/n x" joe staff
}
vrrp_instance B {
    interface eth0
    virtual_router_id 6
    version 3
    advert_int 0.25
    preempt_delay 1.5
    unicast_src_ip 10.0.0.3
    unicast_peer {
        10.0.0.4 min_ttl 250 max_ttl 254
    }
    unicast_ttl 250
    old_unicast_checksum never
    virtual_ipaddress {
        10.0.0.7
    }
}
)";

TEST(Dump, ReadsBackToTheSameModel) {
    const LoadResult first = load_string(everything);
    ASSERT_EQ(summary(first), "");
    const std::string text = dump(first.configuration);
    const LoadResult again = load_string(text);
    EXPECT_EQ(dump(again.configuration), text);
    EXPECT_EQ(again.diagnostics.count(Severity::error), 0u) << summary(again);
}

TEST(Dump, ShowsWhatIsInEffect) {
    const std::string text = dump(load_string(everything).configuration);
    for (const char* line :
         {"    router_id left\n", "    vmac_prefix vip\n", "    vrrp_garp_interval 0.5\n", "    script \"/bin/chk 'a b'\"\n", "vrrp_instance A {\n",
          "    priority 120\n", "    version 2\n", "    advert_int 2\n", "    nopreempt\n",
          "    use_vmac vip0 02:00:00:00:00:09 netlink_notify_msg group 3\n", "    vmac_mode nftables\n",
          "        10.0.0.1/24 brd 10.0.0.255 dev eth1 label eth1:1 scope 253 no_track use_vmac\n",
          "        10.0.0.2/32 peer 10.0.0.9\n",
          "        fe80::1/128 home -nodad mngtmpaddr noprefixroute autojoin preferred_lft 0\n",
          "        eth2 weight 5 reverse\n", "        chk weight -10 reverse\n", "        number weight 2 reverse\n", "        web weight -9 noreverse\n",
          "    timeout 1.5\n", "    user joe staff\n", "    init_fail\n", "    file \"/run/a b\"\n", "    init_file -7 overwrite\n",
          "    process \"/usr/sbin/nginx\" \"-g\" \"daemon off;\"\n", "    param_match initial\n", "    quorum_max 0\n",
          "    terminate_delay 0.5\n", "    fork_delay 0.5\n", "    notify \"/bin/n x\" joe staff\n", "    advert_int 0.25\n", "    preempt_delay 1.5\n",
          "        10.0.0.4 min_ttl 250 max_ttl 254\n", "    old_unicast_checksum never\n", "    garp_master_delay 5\n",
          "    neighbor_ip 192.0.2.2\n", "    source_ip 192.0.2.1\n", "    min_rx 20.5\n", "    idle_tx 2000\n", "    multiplier 3\n", "    passive\n", "    vrrp\n",
          "    multihop\n", "    max_hops 255\n", "    ttl 70\n", "        near weight 7 reverse\n", "        far weight 0 noreverse\n",
          "    bfd_process_name bfd\n", "    bfd_priority -3\n", "    bfd_rt_priority 2\n", "    bfd_no_swap\n", "    bfd_rlimit_rttime 9000\n",
          "    bfd_cpu_affinity 0 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line;
    }
}

TEST(Dump, MasksPasswords) {
    const std::string text = dump(load_string(everything).configuration);
    EXPECT_EQ(text.find("secret"), std::string::npos);
    EXPECT_NE(text.find("auth_pass ********"), std::string::npos);
}

}  // namespace vigil::config::test
