"""How many of what: everything about a run that is known before it starts.

Interface i (0-255) is `ei` on both routers, with 198.18.i.1/24 on the first and 198.18.i.2/24 on the second. Virtual router v on it has the
addresses 10.i.v.1 to 10.i.v.N. The first router has the higher priority, so it is the Active whenever it runs.
"""
import dataclasses

from netlab.keepalived import instance_text
from netlab.router import VirtualRouter

from . import trouble

ACTIVE, BACKUP = 0, 1
PRIORITIES = (101, 100)
MAX_INTERFACES, MAX_VRIDS, MAX_ADDRESSES = 256, 255, 254
MODES = ("plain", "vmac", "vmac-set")
TOPOLOGIES = ("direct", "bridged")
# What a mode adds to a vrrp_instance. vmac-set: a virtual MAC for each VRID without a device for each.
MODE_LINES = {"plain": (), "vmac": ("use_vmac",), "vmac-set": ("use_vmac", "vmac_mode nftables")}
MODE_NEEDS_VIGIL = ("vmac-set",)


@dataclasses.dataclass(frozen=True)
class Setting:
    interfaces: int = 16
    vrids: int = 255
    addresses: int = 1        # of each virtual router
    interval: float = 1.0     # seconds
    topology: str = "direct"
    mode: str = "plain"
    backend: str = ""         # of vigild: uring, epoll, or its own choice
    global_defs: str = ""     # lines for global_defs of every daemon, separated by ';'
    stress: bool = False      # stress-ng works on CPUs and disc while adverts are measured
    reloads: bool = False     # both routers reload once a second meanwhile, with a router more or less
    blocked_log: bool = False  # nobody reads what the daemons log, and the pipe is full

    @property
    def routers(self):
        return self.interfaces * self.vrids

    @property
    def address_count(self):
        return self.routers * self.addresses

    @property
    def adverts_per_second(self):
        return self.routers / self.interval

    @property
    def has_trouble(self):
        return self.stress or self.reloads

    @property
    def is_disturbed(self):
        """Intervals are measured with a live Backup then, because that is whom late adverts would mislead."""
        return self.has_trouble or self.blocked_log

    def skew_seconds(self, seat=BACKUP):
        """RFC 9568 §6.1: Skew_Time."""
        return (256 - PRIORITIES[seat]) / 256 * self.interval

    def down_seconds(self, seat=BACKUP):
        """Active_Down_Interval."""
        return 3 * self.interval + self.skew_seconds(seat)

    def describe(self):
        text = f"{self.routers:,} routers ({self.interfaces} x {self.vrids})"
        if self.addresses > 1:
            text += f" x {self.addresses} addresses"
        text += f", adverts every {self.interval:g} s, {self.topology}"
        if self.mode != "plain":
            text += f", {self.mode}"
        text += f", backend {self.backend}" if self.backend else ""
        text += f", {self.global_defs}" if self.global_defs else ""
        text += ", beside stress-ng" if self.stress else ""
        text += ", reloading" if self.reloads else ""
        return text + (", log blocked" if self.blocked_log else "")


def interface_name(number):
    return f"e{number}"


def own_address(interface_number, seat):
    return f"198.18.{interface_number}.{seat + 1}"


def virtual_addresses(setting, interface_number, vrid):
    return [f"10.{interface_number}.{vrid}.{number + 1}" for number in range(setting.addresses)]


def virtual_routers(setting):
    """(interface number, VRID) of every virtual router."""
    return [(i, vrid) for i in range(setting.interfaces) for vrid in range(1, setting.vrids + 1)]


def _instance(setting, seat, interface_number, vrid):
    text = instance_text(VirtualRouter(
        name=f"I_{interface_number}_{vrid}", interface=interface_name(interface_number), vrid=vrid, priority=PRIORITIES[seat],
        interval=setting.interval, addresses=tuple(f"{a}/32" for a in virtual_addresses(setting, interface_number, vrid))))
    lines = "".join(f"    {line}\n" for line in MODE_LINES[setting.mode])
    return text.replace("    virtual_ipaddress {\n", lines + "    virtual_ipaddress {\n", 1)


def one_more(setting):
    """A router that a reload adds; there must be a VRID left for it."""
    return trouble.MORE.format(interface=interface_name(0), vrid=setting.vrids + 1, peer="198.18.0.99")


def with_a_new_router(setting, seat):
    """The file with one router more at its end, like the others; there must be a VRID left for it."""
    return configuration(setting, seat) + "\n" + _instance(setting, seat, 0, setting.vrids + 1)


def configuration(setting, seat):
    """The file of one seat; the same for every daemon."""
    lines = [f"    {line.strip()}\n" for line in setting.global_defs.split(";") if line.strip()]
    head = f"global_defs {{\n{''.join(lines)}}}\n" if lines else ""
    return head + "\n".join(_instance(setting, seat, *router) for router in virtual_routers(setting))
