"""What is played beside keepalived: a row is a kind of service, and what happens to it step by step.

A step is (what happens, servers of the table then). What happens: "start", "dead 1 2", "back 1 2", "code 1=5" (exit code of MISC_CHECK), "file 4" (number for FILE_CHECK), "address" (the
service's becomes the director's), "foreign 1" (a service that somebody else makes), "crash" (kill -9 of the checkers process), "daemon WORDS" (a line of
`ipvsadm -L --daemon` has these words; "daemon none": there is no line), "namespace" (the table is looked for in a
namespace of its own, "table"), "sessions" (BFD is up), "reload" (with the row's second list of servers), "reload 2" (with its second globals_after), "stop". Servers are written "1=3":
real server 1 with weight 3; 9 is the sorry server.
"""
import dataclasses

from lvs_rig import BFD_NUMBERS
from lvs_servers import BFD_TIMES

# Nobody listens where a server is dead, which is told at once; the limits are for a guest that stands still at times.
TCP = "TCP_CHECK {\n connect_timeout 30\n }"
UDP = "UDP_CHECK {\n connect_timeout 30\n require_reply\n }"
MISC = "MISC_CHECK {\n misc_path \"@CHECK@ {number}\"\n misc_timeout 30\n misc_dynamic\n }"
TIMES = " delay_loop 1\n retry 1\n delay_before_retry 0\n warmup 0\n"
FILE = "track_file f {\n file @DIR@/number\n weight 1\n}\n"
NOTIFY = "notify_up \"@NOTIFY@ up {number}\"\n notify_down \"@NOTIFY@ down {number}\"\n"
QUORUM = " quorum_up \"@NOTIFY@ quorum up\"\n quorum_down \"@NOTIFY@ quorum down\"\n"


@dataclasses.dataclass(frozen=True)
class Scene:
    title: str
    steps: tuple
    head: str = "10.0.0.1 80"
    kind: str = "lb_algo rr\n lb_kind NAT\n protocol TCP"
    extra: str = ""              # lines of the virtual server
    servers: tuple = (("1", ""), ("2", ""), ("3", ""))
    after_reload: tuple = (("2", "weight 7"), ("3", ""), ("4", ""))
    sorry: str = "10.1.0.9 80"   # empty: none
    address: str = "10.1.0.{number} 80"
    check: str = TCP
    before: str = ""             # blocks in front of it
    options: tuple = ("-C",)
    globals: str = ""            # lines of global_defs
    globals_after: tuple = ()    # the same, of each reload
    extras: tuple = ()           # what answers besides (lvs_rig.Director)
    why: str = ""                # the two differ, and this is why
    why_told: str = ""           # they differ only in what scripts and FIFOs are told

    def text(self, servers=None, after=None):
        blocks = [f" real_server {self.address.format(number=number)} {{\n {NOTIFY.format(number=number)} {extra}\n {self.check.replace('{number}', number)}\n }}\n"
                  for number, extra in servers or self.servers]
        sorry = f" sorry_server {self.sorry}\n" if self.sorry else ""
        own = self.globals if after is None else self.globals_after[after]
        global_defs = "global_defs {\n router_id r\n script_user root\n enable_script_security\n lvs_notify_fifo @DIR@/fifo\n" + own + "}\n"
        return f"{global_defs}{self.before}virtual_server {self.head} {{\n{TIMES}{QUORUM} {self.kind}\n {self.extra}\n{sorry}{''.join(blocks)}}}\n"


def beside(head, kind, *servers, method="lb_kind NAT", protocol="TCP"):
    """A virtual server without checks, for which what is written is what is there. `servers`: address, and lines of it."""
    blocks = "".join(f" real_server {address} {{\n {lines}\n }}\n" for address, lines in servers)
    return f"virtual_server {head} {{\n{QUORUM} {method}\n {f'protocol {protocol}' if protocol else ''}\n {kind}\n{blocks}}}\n"


# Every keyword that says what a service and its servers are in the kernel's table, those of scenes of their own among them.
MANY = "".join((
    beside("10.8.0.1 80", "lvs_sched dh", ("10.1.0.1 80", ""), method="lvs_method DR"),
    beside("10.8.0.2 80", "lb_algo wrr\n weight 4", ("10.1.0.1 80", ""), ("10.1.0.2 80", "weight 3"), ("10.1.0.3 80", "weight 0"), method="lb_kind TUN"),
    beside("10.8.0.3 80", "lb_algo rr", ("10.1.0.1 80", "lvs_method DR"), ("10.1.0.2 80", "lvs_method TUN"), ("10.1.0.3 8080", "")),
    beside("10.8.0.4 80", "lb_algo rr\n persistence_timeout", ("10.1.0.1 80", "")),
    beside("10.8.0.5 80", "lb_algo rr\n persistence_granularity 255.255.0.0", ("10.1.0.1 80", "")),
    beside("10.8.0.6 5060", "lb_algo rr\n persistence_timeout 100\n persistence_engine sip", ("10.1.0.1 5060", ""), protocol="UDP"),
    beside("10.8.0.7 53", "lb_algo rr\n ops", ("10.1.0.1 53", ""), protocol="UDP"),
    beside("10.8.0.8 36412", "lb_algo lc", ("10.1.0.1 36412", ""), protocol="SCTP"),
    beside("10.8.0.9 80", "lb_algo rr\n sorry_server 10.1.0.9 80\n sorry_server_inhibit\n sorry_server_lvs_method DR", ("10.1.0.1 80", "")),
    beside("10.8.0.10 80", "lb_algo sh\n sh-port\n sh-fallback\n hashed", ("10.1.0.1 80", "uthreshold 100\n lthreshold 50")),
    beside("10.8.0.11 80", "lb_algo mh\n mh-port\n mh-fallback", ("10.1.0.1 80", "")),
    beside("10.8.0.12 80", "lb_algo rr\n flag-1\n flag-2\n flag-3", ("10.1.0.1 80", "")),
    beside("fd08::1 80", "lb_algo rr\n persistence_timeout 50\n persistence_granularity 64", ("fd00:1::1 80", "")),
    beside("fwmark 801", "lb_algo rr", ("10.1.0.1", ""), method="lb_kind DR", protocol=""),
    beside("fwmark 802", "lb_algo rr\n ip_family inet6", ("fd00:1::1", ""), method="lb_kind DR", protocol=""),
    "virtual_server_group many {\n 10.8.1.1 80\n 10.8.1.10-12 80\n fwmark 803\n}\n",
    beside("group many", "lb_algo rr", ("10.1.0.1 80", ""))))
ALL = "1=1 2=1 3=1"
INSTANCE = ("vrrp_instance VI_{n} {{\n state BACKUP\n interface eth0\n virtual_router_id {vrid}\n priority 200\n {more}\n virtual_ipaddress {{\n 10.1.0.20{n}\n }}\n}}\n")
INSTANCES = INSTANCE.format(n=1, vrid=51, more="") + INSTANCE.format(n=2, vrid=52, more="")
IN_FAULT = "track_file f {\n file @DIR@/number\n weight 0\n}\n" + INSTANCE.format(n=1, vrid=51, more="") + INSTANCE.format(n=2, vrid=52, more="track_file {\n f\n }")
SYNC = " lvs_sync_daemon eth0 {}\n"
# All up, one dead, all dead, all back; then the file changes: a server goes, one changes its weight, one comes.
USUAL = (("start", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("dead 2 3", "9=1"), ("back 1 2 3", "1=1 2=1 3=1"), ("reload", "2=7 3=1 4=1"), ("stop", "no service"))
TWO = (("1", ""), ("2", "weight 5"))
BFD = "".join(f"bfd_instance b{n} {{\n source_ip 10.2.{n}.1\n neighbor_ip 10.2.{n}.2\n{BFD_TIMES}}}\n" for n in BFD_NUMBERS)
GROUP = "virtual_server_group g {\n 10.0.0.1 80\n 10.0.0.2 80\n 10.0.1.10-12 80\n}\n"
MARKS = "virtual_server_group g {\n 10.0.0.1 80\n fwmark 3\n}\n"
TCP_80 = "TCP_CHECK {\n connect_port 80\n connect_timeout 30\n }"
V6 = {"head": "fd00::1 80", "address": "fd00:1::{number} 80", "sorry": "fd00:1::9 80"}

SCENES = [
    Scene("NAT", USUAL),
    Scene("DR", USUAL, kind="lb_algo wrr\n lb_kind DR\n protocol TCP"),
    Scene("TUN", USUAL, kind="lb_algo wlc\n lb_kind TUN\n protocol TCP"),
    Scene("IPv6", USUAL, **V6),
    Scene("IPv6, DR, persistent", USUAL, kind="lb_algo sh\n lb_kind DR\n protocol TCP\n persistence_timeout 300\n persistence_granularity 64", **V6),
    Scene("UDP", USUAL, kind="lb_algo rr\n lb_kind NAT\n protocol UDP", check=UDP),
    Scene("one packet", USUAL, kind="lb_algo rr\n lb_kind NAT\n protocol UDP\n ops", check=UDP),
    Scene("persistence", USUAL, extra="persistence_timeout 120"),
    Scene("persistence with a netmask", USUAL, extra="persistence_timeout 120\n persistence_granularity 255.255.255.0"),
    Scene("persistence engine", USUAL, kind="lb_algo rr\n lb_kind NAT\n protocol UDP\n persistence_timeout 120\n persistence_engine sip", check=UDP),
    Scene("firewall mark", USUAL, head="fwmark 7", kind="lb_algo rr\n lb_kind DR", sorry="10.1.0.9", address="10.1.0.{number}",
          check=TCP_80),
    Scene("firewall mark, IPv6", USUAL, head="fwmark 7", kind="lb_algo rr\n lb_kind DR\n ip_family inet6", sorry="fd00:1::9", address="fd00:1::{number}",
          check=TCP_80),
    Scene("firewall mark, with ports", USUAL, head="fwmark 7", kind="lb_algo rr\n lb_kind DR"),
    Scene("firewall mark, with ports, NAT", USUAL, head="fwmark 7", kind="lb_algo rr\n lb_kind NAT"),
    Scene("group", USUAL, head="group g", before=GROUP),
    Scene("group, DR", USUAL, head="group g", kind="lb_algo rr\n lb_kind DR\n protocol TCP", before=GROUP),
    Scene("group, TUN, other ports", USUAL, head="group g", kind="lb_algo rr\n lb_kind TUN\n protocol TCP", before=GROUP.replace(" 80", " 8080")),
    Scene("group with marks", USUAL, head="group g", before=MARKS),
    Scene("group with marks, DR", USUAL, head="group g", kind="lb_algo rr\n lb_kind DR\n protocol TCP", before=MARKS),
    Scene("group of IPv6 with ranges", USUAL, **V6 | {"head": "group g"}, before="virtual_server_group g {\n fd00::1 80\n fd00:0:0:1::1-3 80\n}\n"),
    Scene("DR to another port", USUAL, head="10.0.0.1 8080", kind="lb_algo rr\n lb_kind DR\n protocol TCP"),
    Scene("NAT to another port", USUAL, head="10.0.0.1 8080"),
    Scene("all ports", USUAL, head="10.0.0.1", kind="lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 60", address="10.1.0.{number}", sorry="10.1.0.9", check=TCP_80),
    Scene("TUN, gue", USUAL, kind="lb_algo rr\n lb_kind TUN type gue port 6080\n protocol TCP"),
    Scene("TUN, gue, checksums", USUAL, kind="lb_algo rr\n lb_kind TUN type gue port 6080 csum\n protocol TCP"),
    Scene("TUN, gre", USUAL, kind="lb_algo rr\n lb_kind TUN type gre\n protocol TCP"),
    Scene("TUN, gre, checksums, IPv6", USUAL, kind="lb_algo rr\n lb_kind TUN type gre csum\n protocol TCP", **V6),
    Scene("a service of IPv4 with servers of IPv6", USUAL, kind="lb_algo rr\n lb_kind TUN\n protocol TCP", **V6 | {"head": "10.0.0.1 80"}),
    Scene("each server by another method", USUAL, servers=(("1", "lvs_method DR"), ("2", "lvs_method TUN"), ("3", "lvs_method NAT")),
          sorry="10.1.0.9 80\n sorry_server_lvs_method DR"),
    Scene("SCTP", USUAL, kind="lb_algo rr\n lb_kind NAT\n protocol SCTP"),
    Scene("UDP, IPv6", USUAL, kind="lb_algo rr\n lb_kind NAT\n protocol UDP", check=UDP, **V6),
    Scene("SSL_GET", USUAL, head="10.0.0.1 443", address="10.1.0.{number} 443", sorry="10.1.0.9 443", extras=("page",),
          check="SSL_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 30\n }"),
    Scene("HTTP_GET", USUAL, head="10.0.0.1 443", address="10.1.0.{number} 443", sorry="10.1.0.9 443", extras=("page",),
          check="HTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 30\n }"),
    Scene("BFD_CHECK", (USUAL[0], ("sessions", "1=1 2=1 3=1"), *USUAL[1:]), options=(), extras=("bfd",), before=BFD, check="BFD_CHECK {\n name b{number}\n }",
          why_told="keepalived takes every server out until its session has come up for the first time"),
    Scene("inhibit_on_failure", (("start", "1=1 2=1 3=1"), ("dead 1", "1=0 2=1 3=1"), ("dead 2 3", "1=0 2=0 3=0 9=1"), ("back 1", "1=1 2=0 3=0"),
                                 ("back 2 3", "1=1 2=1 3=1"), ("dead 2", "1=1 2=0 3=1"), ("reload", "2=0 3=1 4=1"), ("stop", "no service")), extra="inhibit_on_failure"),
    Scene("inhibit_on_failure of one", (("start", "1=1 2=1"), ("dead 1 2", "1=0 9=1"), ("back 1 2", "1=1 2=1"), ("stop", "no service")),
          servers=(("1", "inhibit_on_failure"), ("2", ""))),
    Scene("sorry server that stays", (("start", "1=1 2=1 3=1 9=0"), ("dead 1 2 3", "9=1"), ("back 1 2 3", "1=1 2=1 3=1 9=0"),
                                    ("reload", "2=7 3=1 4=1 9=0"), ("stop", "no service")),
          extra="", sorry="10.1.0.9 80\n sorry_server_inhibit"),
    Scene("no sorry server", (("start", "1=1 2=1 3=1"), ("dead 1 2 3", ""), ("back 2", "2=1"), ("back 1 3", "1=1 2=1 3=1"), ("stop", "no service")), sorry=""),
    Scene("quorum", (("start", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("dead 2", "9=1"), ("back 2", "2=1 3=1"), ("back 1", "1=1 2=1 3=1"), ("reload", "2=7 3=1 4=1"),
                     ("stop", "no service")), extra="quorum 2"),
    Scene("quorum and hysteresis", (("start", "1=2 2=2 3=2"), ("dead 1", "2=2 3=2"), ("dead 2", "9=1"), ("back 2", "9=1"), ("back 1", "1=2 2=2 3=2"),
                                    ("stop", "no service")), servers=(("1", "weight 2"), ("2", "weight 2"), ("3", "weight 2")), extra="quorum 4\n hysteresis 1"),
    Scene("quorum without a sorry server", (("start", "1=1 2=1 3=1"), ("dead 1 2", "3=1"), ("back 1 2", "1=1 2=1 3=1"), ("stop", "no service")), sorry="",
          extra="quorum 2"),
    Scene("alpha", (("start", "1=1 2=1 3=1"), ("dead 1 2 3", "9=1"), ("back 2", "2=1"), ("stop", "no service")), extra="alpha"),
    Scene("weights of programs", (("start", "1=1 2=5"), ("code 1=12", "1=10 2=5"), ("code 2=2", "1=10 2=0"), ("dead 1", "2=0"), ("back 1 2", "1=1 2=5"),
                                  ("stop", "no service")), servers=TWO, sorry="", check=MISC),
    Scene("reload: a server goes, one comes, a weight changes", (("start", "1=1 2=1 3=1"), ("reload", "2=7 3=1 4=1"), ("dead 2", "3=1 4=1"), ("stop", "no service")),
          after_reload=(("2", "weight 7"), ("3", ""), ("4", ""))),
    Scene("reload while a server is dead", (("start", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("reload", "2=1 3=4"), ("back 1", "1=1 2=1 3=4"), ("stop", "no service")),
          after_reload=(("1", ""), ("2", ""), ("3", "weight 4"))),
    Scene("ha_suspend", (("start", "1=1 2=1 3=1"), ("dead 1", "1=1 2=1 3=1"), ("address", "2=1 3=1"), ("stop", "no service")), extra="ha_suspend"),
    Scene("lvs_sync_daemon follows its instance", (("start", ALL), ("daemon master sync daemon", ALL), ("stop", "no service")), options=(),
          globals=SYNC.format("VI_1 id 77"), before=INSTANCE.format(n=1, vrid=51, more="")),
    Scene("reload: lvs_sync_daemon follows another instance, which is Active", (("start", ALL), ("daemon master sync daemon", ALL), ("reload 1", ALL),
                                                                               ("daemon syncid=52", ALL), ("stop", "no service")),
          options=(), globals=SYNC.format("VI_1"), globals_after=(SYNC.format("VI_2"),), before=INSTANCES),
    Scene("reload: lvs_sync_daemon follows an instance in FAULT, and back", (("file 4", "no service"), ("start", ALL), ("daemon master sync daemon", ALL), ("reload 1", ALL),
                                                                             ("daemon backup sync daemon", ALL), ("reload 2", ALL), ("daemon master sync daemon", ALL),
                                                                             ("stop", "no service")),
          options=(), globals=SYNC.format("VI_1 id 77"), globals_after=(SYNC.format("VI_2 id 77"), SYNC.format("VI_1 id 77")), before=IN_FAULT),
    Scene("reload: parameters of lvs_sync_daemon", (("start", ALL), ("daemon master sync daemon", ALL), ("reload 1", ALL), ("daemon maxlen=1472", ALL), ("reload 2", ALL),
                                                    ("daemon syncid=78", ALL), ("reload 3", ALL), ("daemon mcast=lo", ALL), ("stop", "no service")),
          options=(), globals=SYNC.format("VI_1 id 77 maxlen 1000"),
          globals_after=(SYNC.format("VI_1 id 77"), SYNC.format("VI_1 id 78 port 8849 ttl 3 group 224.0.0.82"), " lvs_sync_daemon lo VI_1 id 78\n"), before=INSTANCES),
    Scene("reload: lvs_sync_daemon comes and goes", (("start", ALL), ("reload 1", ALL), ("daemon master sync daemon", ALL), ("reload 2", ALL), ("daemon none", ALL),
                                                     ("stop", "no service")),
          options=(), globals_after=(SYNC.format("VI_1 id 77"), ""), before=INSTANCES, why="keepalived leaves it running when the file has it no more"),
    Scene("net_namespace_ipvs: the table is elsewhere, the checks are here", (("namespace", "no service"), ("start", ALL), ("dead 1", "2=1 3=1"), ("dead 2 3", "9=1"),
                                                                             ("back 1 2 3", ALL), ("stop", "no service")), before="net_namespace_ipvs table\n"),
    Scene("net_namespace_ipvs and lvs_sync_daemon", (("namespace", "no service"), ("start", ALL), ("daemon master sync daemon", ALL), ("stop", "no service")),
          options=(), globals=" lvs_sync_daemon s0 VI_1 id 77\n", before="net_namespace_ipvs table\n" + INSTANCES),
    Scene("weights of a file", (("start", "1=1 2=5"), ("file 4", "1=9 2=13"), ("file 0", "1=1 2=5"), ("stop", "no service")), servers=TWO, before=FILE,
          check="FILE_CHECK {\n track_file f\n weight 2\n }"),
    Scene("a file that fails servers", (("start", "1=1 2=5"), ("file 4", "9=1"), ("file 0", "1=1 2=5"), ("stop", "no service")), servers=TWO, before=FILE,
          check="FILE_CHECK {\n track_file f\n weight 0\n }"),
    Scene("rs_init_notifies", (("start", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("stop", "no service")), globals=" rs_init_notifies\n"),
    Scene("omega", USUAL, extra="omega"),
    Scene("checkers process is killed", (("start", "1=1 2=1 3=1"), ("crash", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("stop", "no service"))),
    Scene("many services at once", (("foreign 1", "no service"), ("start", "1=1 2=1 3=1"), ("dead 1", "2=1 3=1"), ("stop", "no service")), before=MANY),
    Scene("a table that is flushed, and timeouts", (("foreign 1", "no service"), ("start", "1=1 2=1 3=1"), ("foreign 2", "1=1 2=1 3=1"), ("stop", "no service")),
          globals=" lvs_flush\n lvs_flush_on_stop\n lvs_timeouts tcp 901 tcpfin 121 udp 301\n"),
    Scene("thresholds", USUAL, servers=(("1", "uthreshold 100\n lthreshold 50"), ("2", ""), ("3", ""))),
]
SCENES += [Scene(f"scheduler {name}", USUAL, kind=f"lb_algo {name}\n lb_kind NAT\n protocol TCP")
           for name in ("wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq")]
SCENES += [Scene(f"scheduler {name} with {flags}", (("start", "1=1 2=1 3=1"), ("stop", "no service")),
                 kind=f"lb_algo {name}\n lb_kind NAT\n protocol TCP\n " + "\n ".join(flags.split()))
           for name, flags in (("sh", "sh-port"), ("sh", "sh-port sh-fallback"), ("mh", "mh-port"), ("mh", "mh-port mh-fallback"), ("rr", "flag-1 flag-2 flag-3"))]
