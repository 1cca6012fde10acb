"""What each capture shows: who plays, with which settings, and what is done to them when.

Routers are 192.0.2.1 and 192.0.2.2 (IPv6: fe80::ff:fe00:1 and fe80::ff:fe00:2), the virtual router has VRID 51 and
192.0.2.100 unless a scene says otherwise. A step is a method of `record`'s Player and its arguments; ("wait", 5) is seconds.
"""
import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench" / "lab"))
from netlab.router import VirtualRouter  # noqa: E402

V4 = ("192.0.2.100/24",)
V6 = ("fe80::5:100/64", "2001:db8::100/64")

BOTH = ("start", 1, 2)
# Both start, the better one is elected, says goodbye, and comes back.
STOP_AND_RETURN = (BOTH, ("wait", 6), ("stop", 1), ("wait", 4), ("start", 1), ("wait", 6))
# Both start, the better one is elected, and dies without a word.
SILENCE = (BOTH, ("wait", 6.5), ("kill", 1), ("wait", 6))


@dataclasses.dataclass(frozen=True)
class Scene:
    """`seats`: the two daemons. `where`: the switch, or the number of the router at whose interface is listened. `tag`: the
    VLAN that the routers live on, 0 for none; a tagged scene needs a kernel with 8021q."""
    name: str
    seats: tuple
    steps: tuple
    where: object = "switch"
    tag: int = 0


def keepalived(priority, *lines, version=3, interval="1", addresses=V4, state="BACKUP", kind="keepalived"):
    """(kind, configuration) of a seat; `lines` are further lines of the vrrp_instance."""
    body = [f"state {state}", "interface INTERFACE", "virtual_router_id 51", f"priority {priority}", f"advert_int {interval}",
            f"version {version}", *lines, "virtual_ipaddress {", *(f"    {address}" for address in addresses), "}"]
    return kind, "vrrp_instance VI_1 {\n" + "".join(f"    {line}\n" for line in body) + "}\n"


def frr(priority, version=3, interval=1.0, addresses=V4):
    return "frr", VirtualRouter(version=version, priority=priority, interval=interval, addresses=addresses)


def _pass(word):
    return ("authentication {", "    auth_type PASS", f"    auth_pass {word}", "}")


_AH = ("authentication {", "    auth_type AH", "    auth_pass secret", "}")


def _unicast(own, peer):
    return (f"unicast_src_ip 192.0.2.{own}", "unicast_peer {", f"    192.0.2.{peer}", "}")


SCENES = (
    Scene("keepalived-v2-stop-return", (keepalived(150, version=2), keepalived(100, version=2)), STOP_AND_RETURN),
    Scene("keepalived-v2-silence", (keepalived(150, version=2), keepalived(100, version=2)), SILENCE),
    Scene("keepalived-v2-password", (keepalived(150, *_pass("secret"), version=2), keepalived(100, *_pass("secret"), version=2)), SILENCE),
    Scene("keepalived-v2-ah", (keepalived(150, *_AH, version=2), keepalived(100, *_AH, version=2)), STOP_AND_RETURN),
    Scene("keepalived-v2-wrong-password", (keepalived(150, *_pass("secret"), version=2), keepalived(100, *_pass("sekret"), version=2)),
          (BOTH, ("wait", 9))),
    Scene("keepalived-v3-ipv4", (keepalived(150), keepalived(100)), STOP_AND_RETURN),
    Scene("keepalived-v3-10ms", (keepalived(150, interval="0.01"), keepalived(100, interval="0.01")),
          (BOTH, ("wait", 0.3), ("kill", 1), ("wait", 0.3))),
    Scene("keepalived-v3-ipv6", (keepalived(150, addresses=V6), keepalived(100, addresses=V6)), STOP_AND_RETURN),
    Scene("keepalived-v3-virtual-mac", (keepalived(150, "use_vmac"), keepalived(100, "use_vmac")), SILENCE),
    Scene("keepalived-unicast", (keepalived(150, *_unicast(1, 2)), keepalived(100, *_unicast(2, 1))), STOP_AND_RETURN),
    Scene("keepalived-equal-priorities", (keepalived(100), keepalived(100)),
          (BOTH, ("wait", 6), ("partition", True), ("wait", 6), ("partition", False), ("wait", 4)), 1),
    Scene("keepalived-nopreempt", (keepalived(150, "nopreempt"), keepalived(100, "nopreempt")), STOP_AND_RETURN),
    Scene("keepalived-preempt-delay", (keepalived(150, "preempt_delay 4"), keepalived(100)),
          (("start", 2), ("wait", 5), ("start", 1), ("wait", 10)), 1),
    Scene("keepalived-owner", (keepalived(255, state="MASTER"), keepalived(100)), STOP_AND_RETURN),
    Scene("keepalived-two-intervals", (keepalived(150, interval="0.5"), keepalived(100, interval="1")), SILENCE),
    Scene("keepalived-split-healed", (keepalived(150), keepalived(100)),
          (BOTH, ("wait", 5), ("partition", True), ("wait", 6), ("partition", False), ("wait", 4)), 2),
    Scene("frr-v2", (frr(150, version=2), frr(100, version=2)), STOP_AND_RETURN),
    Scene("frr-v3-ipv4", (frr(150), frr(100)), SILENCE),
    Scene("frr-v3-ipv6", (frr(150, addresses=V6), frr(100, addresses=V6)), STOP_AND_RETURN),
    Scene("frr-keepalived-v3", (frr(150), keepalived(100)), STOP_AND_RETURN),
    Scene("keepalived-vlan", (keepalived(150), keepalived(100)), STOP_AND_RETURN, tag=5),
    # keepalived 2.2.7 and FRR 8.4.4 cannot send this form; newer ones and other vendors do.
    Scene("vigild-v3-message-checksum", (keepalived(150, "v3_checksum_as_v2", kind="vigild"), keepalived(100, "v3_checksum_as_v2", kind="vigild")),
          SILENCE),
    Scene("vigild-v3", (keepalived(150, kind="vigild"), keepalived(100, kind="vigild")), STOP_AND_RETURN),
)
