"""A switch, routers and a client, each in a network namespace of its own, wired by veth pairs.

The switch is a namespace with one bridge per interface name, so that `eth0` of every router is one LAN and `eth1`
another. It has no addresses: whoever watches there is not part of the game. Hosts have fixed MACs and addresses:
router i has 192.0.2.i and 2001:db8::i, MAC 02:00:00:00:00:0i; the client is host 250.
"""
import ipaddress

from .netlink import Table
from .netns import NetworkNamespace

CLIENT_NUMBER = 250


def usual_addresses(interfaces, number):
    return {interface: [f"192.0.2.{number}/24", f"2001:db8::{number:x}/64"] for interface in interfaces}


class Host:
    """One machine of the LAN. `addresses` maps an interface name to the addresses with prefix it has from the start."""

    def __init__(self, name, number, addresses):
        self.name = name
        self.number = number
        self.addresses = addresses
        self.namespace = NetworkNamespace(name)
        self.table = Table(self.namespace)

    def close(self):
        self.table.close()
        self.namespace.close()

    def mac(self, interface):
        place = list(self.addresses).index(interface)
        return f"02:00:00:00:{place:02x}:{self.number:02x}"

    def own_addresses(self):
        """What the machine has by itself: configured addresses, loopback and link-locals made from its MACs."""
        own = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
        for interface, addresses in self.addresses.items():
            own.update(ipaddress.ip_interface(address).ip for address in addresses)
            octets = bytes.fromhex(self.mac(interface).replace(":", ""))
            own.add(ipaddress.ip_address(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]))
        return own

    def foreign_addresses(self):
        """Addresses that a daemon added, on links that work, with the device that has them."""
        own = self.own_addresses()
        macvlans = {link.name for link in self.table.links().values() if link.kind == "macvlan"}
        return [address for address in self.table.addresses()
                if address.running and address.ip not in own and not self._is_automatic(address, macvlans)]

    @staticmethod
    def _is_automatic(address, macvlans):
        """The kernel gives a macvlan a link-local made from the virtual MAC: fe80::200:5eff:fe00:xxx."""
        return address.device in macvlans and address.ip.packed[:13] == bytes.fromhex("fe8000000000000002005efffe")

    def remove_leftovers(self):
        """Takes away what a killed daemon left, as the death of the machine would have."""
        lines = [f"link delete {link.name}" for link in self.table.links().values() if link.kind == "macvlan"]
        self.namespace.ip(*lines)
        own = self.own_addresses()
        lines = [f"address delete {address.ip}/{address.prefix} dev {address.device}"
                 for address in self.table.addresses() if address.ip not in own]
        self.namespace.ip(*lines)

    def leftovers(self):
        """Names of what a daemon left: macvlan links and addresses."""
        own = self.own_addresses()
        found = [link.name for link in self.table.links().values() if link.kind == "macvlan"]
        return found + [str(address.ip) for address in self.table.addresses() if address.ip not in own]


class Lan:
    """`interfaces`: names that every host has. `addresses`: host name -> interface -> addresses with prefix; hosts are
    router-1, router-2 and so on, and client; without it they get the usual ones in 192.0.2.0/24 and 2001:db8::/64."""

    def __init__(self, router_count=2, interfaces=("eth0",), addresses=None, instant_neighbours=False):
        self.interfaces = tuple(interfaces)
        self._instant_neighbours = instant_neighbours
        self.switch = NetworkNamespace("switch")
        numbers = {f"router-{number}": number for number in range(1, router_count + 1)} | {"client": CLIENT_NUMBER}
        addresses = addresses or {name: usual_addresses(self.interfaces, number) for name, number in numbers.items()}
        self.hosts = [Host(name, number, addresses[name]) for name, number in numbers.items()]
        self.routers, self.client = self.hosts[:-1], self.hosts[-1]
        self._wire()
        self._ports = Table(self.switch)

    def close(self):
        for host in self.hosts:
            host.close()
        self._ports.close()
        self.switch.close()

    def bridge(self, interface):
        return f"br{self.interfaces.index(interface)}"

    def _port(self, host, interface):
        return f"p{host.number}-{self.interfaces.index(interface)}"

    def _wire(self):
        self.switch.sysctl("net.bridge.bridge-nf-call-iptables", 0, required=False)
        self.switch.sysctl("net.ipv6.conf.default.disable_ipv6", 1, required=False)
        # Without a forwarding delay a port forwards as soon as its link is up.
        self.switch.ip(*(f"link add {self.bridge(interface)} up type bridge stp_state 0 forward_delay 0"
                         for interface in self.interfaces))
        for host in self.hosts:
            for name in ("all", "default"):
                host.namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
                host.namespace.sysctl(f"net.ipv6.conf.{name}.accept_dad", 0, required=False)
                host.namespace.sysctl(f"net.ipv6.conf.{name}.accept_ra", 0, required=False)
            self.switch.ip(*(
                line for interface in self.interfaces for line in (
                    f"link add {self._port(host, interface)} type veth peer name {interface} "
                    f"address {host.mac(interface)} netns {host.namespace.path}",
                    f"link set {self._port(host, interface)} master {self.bridge(interface)} up")))
            host.namespace.ip("link set lo up", *(
                line for interface in self.interfaces for line in (
                    *(f"address add {address} dev {interface}" for address in host.addresses[interface]),
                    f"link set {interface} up")))
            for interface in self.interfaces if self._instant_neighbours else ():
                # Linux ignores gratuitous ARP for a second after an entry changed; tests move faster than that.
                host.namespace.sysctl(f"net/ipv4/neigh/{interface}/locktime", 0)

    def partition(self, apart, interfaces=None):
        """Routers no longer hear each other, without anybody losing the link; the client hears all. On some LANs alone, or on all."""
        state = "on" if apart else "off"
        self.switch.ip(*(f"link set {self._port(router, interface)} type bridge_slave isolated {state}"
                         for router in self.routers for interface in interfaces or self.interfaces))

    def unplug(self, router, out=True, interfaces=None):
        """Pulls the router's cables out of the switch, or puts them back. Some of them, or all."""
        for interface in interfaces or self.interfaces:
            self._ports.set_up(self._port(router, interface), up=not out)
