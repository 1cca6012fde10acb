"""Addresses and links of one namespace, asked from the kernel by rtnetlink; and a socket that says when they change.

A dump takes a fraction of a millisecond where an `ip -j addr` process takes several, so many labs can be watched at once.
"""
import collections
import ipaddress
import socket
import struct

RTM_NEWLINK, RTM_GETLINK = 16, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 1, 3, 18, 1
IFF_UP, IFF_RUNNING = 0x1, 0x40
NLM_F_REQUEST_ACK = 0x5

Link = collections.namedtuple("Link", "index name mac running kind")
Address = collections.namedtuple("Address", "ip prefix device running")


def _attributes(data):
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4:offset + length]
        offset += (length + 3) & ~3


def _dump(sock, request, body, answer):
    sock.send(struct.pack("=IHHII", 16 + len(body), request, NLM_F_REQUEST_DUMP, 1, 0) + body)
    while True:
        data = sock.recv(1 << 17)
        offset = 0
        while offset + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, offset)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                raise OSError("netlink refused the question")
            if kind == answer:
                yield data[offset + 16:offset + length]
            offset += (length + 3) & ~3


class Table:
    """Links and addresses of one namespace."""

    def __init__(self, namespace):
        self._sock = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._sock.settimeout(5)

    def close(self):
        self._sock.close()

    def set_up(self, name, up):
        """Turns a link on or off at once; `ip link set` takes several milliseconds to start."""
        index = next(link.index for link in self.links().values() if link.name == name)
        body = struct.pack("=BBHiII", 0, 0, 0, index, IFF_UP if up else 0, IFF_UP)
        self._sock.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, NLM_F_REQUEST_ACK, 1, 0) + body)
        error, = struct.unpack_from("=i", self._sock.recv(4096), 16)
        if error:
            raise OSError(-error, f"setting {name} {'up' if up else 'down'}")

    def links(self):
        found = {}
        for message in _dump(self._sock, RTM_GETLINK, struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0), RTM_NEWLINK):
            index, flags = struct.unpack_from("=iI", message, 4)
            name, mac, kind = "", b"", ""
            for attribute, value in _attributes(message[16:]):
                if attribute == IFLA_IFNAME:
                    name = value.rstrip(b"\0").decode()
                elif attribute == IFLA_ADDRESS:
                    mac = value
                elif attribute == IFLA_LINKINFO:
                    kind = dict(_attributes(value)).get(IFLA_INFO_KIND, b"").rstrip(b"\0").decode()
            found[index] = Link(index, name, mac.hex(":"), bool(flags & IFF_RUNNING), kind)
        return found

    def addresses(self):
        links = self.links()
        found = []
        for message in _dump(self._sock, RTM_GETADDR, struct.pack("=BBBBI", 0, 0, 0, 0, 0), RTM_NEWADDR):
            _, prefix, _, _, index = struct.unpack_from("=BBBBI", message)
            values = dict(_attributes(message[8:]))
            raw = values.get(IFA_LOCAL) or values.get(IFA_ADDRESS)
            link = links.get(index)
            if raw and link:
                found.append(Address(ipaddress.ip_address(raw), prefix, link.name, link.running))
        return found


def change_socket(namespace):
    """A socket that becomes readable when a link or an address of the namespace changes."""
    sock = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    sock.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
    sock.setblocking(False)
    return sock
