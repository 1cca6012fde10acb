"""What a LAN must look like for a given keepalived.conf: interfaces, networks and source addresses it names.

This is no parser of the language; the daemon is. It follows braces, comments, includes and simple `$NAME=value`
definitions, and picks the few words that decide the stage. What it misses, the daemon will complain about.
"""
import dataclasses
import glob
import ipaddress
import pathlib
import re

MAX_INCLUDE_DEPTH = 8


@dataclasses.dataclass
class Instance:
    name: str
    interface: str = ""
    vrid: int = 0
    source: str = ""
    peers: list = dataclasses.field(default_factory=list)
    addresses: list = dataclasses.field(default_factory=list)    # (ip_interface, interface name); excluded ones too
    tracked: list = dataclasses.field(default_factory=list)


class UnusableConfiguration(Exception):
    """The file cannot be put on a stage; the message says why and what to do."""


def _lines(path, depth=0):
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnusableConfiguration(f"cannot read {path}: {error.strerror}") from None
    for line in text.splitlines():
        words = re.sub(r"(^|\s)[#!].*", "", line).split()
        if words and re.fullmatch("include[a-z]*", words[0]) and len(words) > 1 and depth < MAX_INCLUDE_DEPTH:
            for included in sorted(glob.glob(str(pathlib.Path(path).parent / words[1]))):
                yield from _lines(included, depth + 1)
        elif words:
            yield " ".join(words)


def _tokens(path):
    """Lines as lists of words, with braces as lines of their own, and definitions put in."""
    definitions = {}
    for line in _lines(path):
        definition = re.fullmatch(r"\$(\w+)\s*=\s*(.*)", line)
        if definition:
            definitions[definition[1]] = definition[2]
            continue
        line = re.sub(r"\$\{?(\w+)\}?", lambda found: definitions.get(found[1], found[0]), line)
        for part in re.split(r"([{}])", line):
            if part.strip():
                yield part.replace('"', " ").split()


def _address(words, interface):
    """One line of a list of addresses: ADDRESS[/LENGTH] [dev NAME] ..."""
    try:
        address = ipaddress.ip_interface(words[0])
    except ValueError:
        return None
    device = words[words.index("dev") + 1] if "dev" in words[:-1] else interface
    return address, device


def read_instances(path):
    """Every vrrp_instance of a file."""
    instances, stack, last = [], [], []
    for words in _tokens(path):
        if words == ["{"]:
            stack.append(last)
            if last[:1] == ["vrrp_instance"]:
                instances.append(Instance(last[1] if len(last) > 1 else "?"))
        elif words == ["}"]:
            stack = stack[:-1]
        elif stack and stack[0][:1] == ["vrrp_instance"]:
            _take(instances[-1], stack, words)
        last = words
    for instance in instances:
        instance.addresses = [found for words in instance.addresses if (found := _address(words, instance.interface))]
    return instances


def _take(instance, stack, words):
    block = stack[-1][0]
    if block == "vrrp_instance":
        if words[0] == "interface" and len(words) > 1:
            instance.interface = words[1]
        elif words[0] == "virtual_router_id" and len(words) > 1 and words[1].isdigit():
            instance.vrid = int(words[1])
        elif words[0] in ("unicast_src_ip", "mcast_src_ip") and len(words) > 1:
            instance.source = words[1]
    elif block in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        instance.addresses.append(words)
    elif block == "unicast_peer":
        instance.peers.append(words[0])
    elif block == "track_interface":
        instance.tracked.append(words[0])


class Stage:
    """Interfaces and addresses for routers that run the given files (the last one serves for all further routers)."""

    def __init__(self, paths, router_count):
        files = [read_instances(path) for path in paths]
        self.instances = files[0]
        if not any(files):
            raise UnusableConfiguration(f"{paths[0]} has no vrrp_instance")
        self._files = [files[min(index, len(files) - 1)] for index in range(router_count)]
        self._refuse_one_sided_unicast(paths)
        everything = [instance for file in files for instance in file]
        names = {instance.interface for instance in everything} | {device for i in everything for _, device in i.addresses}
        names |= {name for instance in everything for name in instance.tracked}
        self.interfaces = sorted(name for name in names if name and name != "lo")
        if not self.interfaces:
            raise UnusableConfiguration(f"no vrrp_instance of {paths[0]} names an interface")
        if not any(instance.addresses for instance in self.instances):
            raise UnusableConfiguration(f"no vrrp_instance of {paths[0]} has a virtual address that a client could ping")
        self._taken = {address.ip for i in everything for address, _ in i.addresses}
        self._taken |= {ip for i in everything for text in (i.source, *i.peers) if (ip := _ip(text))}
        self._networks = {name: self._networks_of(name, everything) for name in self.interfaces}

    def _refuse_one_sided_unicast(self, paths):
        sources = [instance.source for instance in self._files[0] if instance.peers]
        if sources and self._files[0] is self._files[1]:
            raise UnusableConfiguration(
                f"{paths[0]} sends by unicast from {sources[0]}; two routers with one source cannot be. Give two files, "
                "the second with unicast_src_ip and unicast_peer the other way round")

    def _networks_of(self, name, instances):
        """Networks of the addresses on the interface. A host address (/32, /128) stands for the network around it."""
        found = set()
        for instance in instances:
            for address, device in instance.addresses:
                if device == name and not address.ip.is_link_local:
                    found.add(_around(address))
            if instance.interface == name:
                found.update(_around(ipaddress.ip_interface(text)) for text in (instance.source, *instance.peers) if _ip(text))
        found = {network for network in found if not any(other != network and other.version == network.version
                                                         and network.subnet_of(other) for other in found)}
        place = self.interfaces.index(name)
        return sorted(found, key=str) or [ipaddress.ip_network(f"198.18.{place}.0/24")]

    def addresses(self):
        """Host name -> interface -> addresses, as lan.Lan takes them."""
        hosts = {}
        for index, file in enumerate(self._files):
            sources = {i.interface: _ip(i.source) for i in file if _ip(i.source)}
            hosts[f"router-{index + 1}"] = {name: self._pick(name, sources.get(name)) for name in self.interfaces}
        hosts["client"] = {name: self._pick(name, None) for name in self.interfaces}
        return hosts

    def _pick(self, name, source):
        picked = []
        for network in self._networks[name]:
            ip = source if source and source in network else self._free(network)
            picked.append(f"{ip}/{network.prefixlen}")
        return picked

    def _free(self, network):
        for ip in network.hosts():
            if ip not in self._taken:
                self._taken.add(ip)
                return ip
        raise UnusableConfiguration(f"no free address in {network} for the routers and a client")

    def addresses_by_instance(self):
        """Virtual router name -> all its addresses, of the first file."""
        return {instance.name: [address.ip for address, _ in instance.addresses] for instance in self.instances}


def _ip(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _around(address):
    if address.network.prefixlen < address.max_prefixlen:
        return address.network
    return ipaddress.ip_network(f"{address.ip}/{24 if address.version == 4 else 64}", strict=False)
