"""The LANs of a density run.

direct: each interface of the first router is one end of a veth pair, the other end is the second router's. Nobody else is there, so what
arrives at a router is heard in its namespace. bridged: a switch with a bridge for each interface and a third port, where the listener is.
IPv6 is off: its own chatter would be in the figures.
"""
import contextlib

from netlab.netns import NetworkNamespace

from .ears import Ear
from .setting import ACTIVE, BACKUP, interface_name, own_address

SET_UP_SECONDS = 180
LEAST_ROOM = 10_000     # routers and addresses an observer has room for


class Seat:
    """One router's machine."""

    def __init__(self, number):
        self.number = number
        self.name = f"router-{number + 1}"
        self.namespace = NetworkNamespace(self.name)


def batch(namespace, lines, force=False):
    if lines:
        namespace.run(["ip", *(["-force"] if force else []), "-batch", "-"], "\n".join(lines) + "\n", timeout=SET_UP_SECONDS, check=not force)


class DensityLan:
    def __init__(self, setting, directory):
        self.setting = setting
        self._directory = directory
        self.seats = [Seat(number) for number in (ACTIVE, BACKUP)]
        self._others = []
        self.switch = self.listener = None
        try:
            self._wire()
        except BaseException:
            self.close()
            raise

    def close(self):
        """Takes the links away first and by command: left to the kernel, that work would go on during the next measurement."""
        namespaces = [seat.namespace for seat in self.seats] + self._others
        with contextlib.suppress(Exception):
            names = [interface_name(i) for i in range(self.setting.interfaces)]
            batch(self.seats[ACTIVE].namespace, [f"link delete {name}" for name in names], force=True)
            if self.switch:
                batch(self.seats[BACKUP].namespace, [f"link delete {name}" for name in names], force=True)
                batch(self.switch, [f"link delete br{i}" for i in range(self.setting.interfaces)], force=True)
        for namespace in namespaces:
            namespace.close()

    def _wire(self):
        for seat in self.seats:
            self._prepare(seat.namespace)
        if self.setting.topology == "bridged":
            self._wire_bridged()
        else:
            first, second = (seat.namespace for seat in self.seats)
            batch(first, [f"link add {interface_name(i)} type veth peer name {interface_name(i)} netns {second.path}"
                          for i in range(self.setting.interfaces)])
        for seat in self.seats:
            batch(seat.namespace, ["link set lo up"] + [
                line for i in range(self.setting.interfaces)
                for line in (f"address add {own_address(i, seat.number)}/24 dev {interface_name(i)}", f"link set {interface_name(i)} up")])

    @staticmethod
    def _prepare(namespace):
        for name in ("all", "default"):
            namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
            namespace.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 1, required=False)

    def _wire_bridged(self):
        self.switch, self.listener = NetworkNamespace("switch"), NetworkNamespace("listener")
        self._others = [self.switch, self.listener]
        for namespace in self._others:
            self._prepare(namespace)
        self.switch.sysctl("net.bridge.bridge-nf-call-iptables", 0, required=False)
        count = self.setting.interfaces
        batch(self.switch, [f"link add br{i} up type bridge stp_state 0 forward_delay 0 mcast_snooping 0" for i in range(count)])
        for number, namespace in enumerate([*(seat.namespace for seat in self.seats), self.listener]):
            batch(self.switch, [line for i in range(count) for line in (
                f"link add p{number}-{i} type veth peer name {interface_name(i)} netns {namespace.path}",
                f"link set p{number}-{i} master br{i} up")])
        batch(self.listener, [line for i in range(count) for line in (
            f"link set {interface_name(i)} promisc on", f"link set {interface_name(i)} up")])

    def ears(self, *heard_seats, **options):
        """Observers that together hear what the given seats send, each frame once. Closed by Ear.stop or Ear.kill."""
        if self.listener:
            places = [self.listener]
        else:
            places = [self.seats[1 - number].namespace for number in heard_seats]
        room = max(LEAST_ROOM, 2 * self.setting.address_count)
        return [Ear(namespace, self._directory, room, **options) for namespace in places]

    def take_link_down(self, seat, down=True):
        """The switch's ports go down, so that the router loses carrier and its neighbour does not. Only bridged."""
        state = "down" if down else "up"
        batch(self.switch, [f"link set p{seat.number}-{i} {state}" for i in range(self.setting.interfaces)])

    def remove_leftovers(self, seat):
        """What a killed daemon left goes away, as with its machine."""
        if self.setting.mode == "vmac-set":
            seat.namespace.run(["nft", "flush", "ruleset"], timeout=SET_UP_SECONDS)
        text = seat.namespace.run(["ip", "-o", "link", "show", "type", "macvlan"], timeout=SET_UP_SECONDS)
        names = [line.split(":")[1].split("@")[0].strip() for line in text.splitlines() if ":" in line]
        batch(seat.namespace, [f"link delete {name}" for name in names], force=True)
        text = seat.namespace.run(["ip", "-o", "-4", "address", "show", "to", "10.0.0.0/8"], timeout=SET_UP_SECONDS)
        fields = [line.split() for line in text.splitlines()]
        batch(seat.namespace, [f"address delete {words[3]} dev {words[1].split('@')[0]}" for words in fields], force=True)
