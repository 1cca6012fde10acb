"""Quick looks at the kernel's table of IPVS in the network namespace that the calling thread is in."""
import ctypes
import errno
import os
import socket
import struct

IP_VS_SO_GET_SERVICE = 64 + 1024 + 64 + 3
SERVICE = struct.Struct("=HxxI2sxxI16sIIII")   # struct ip_vs_service_entry before its statistics
WITH_STATISTICS = SERVICE.size + 56

_libc = ctypes.CDLL(None, use_errno=True)


class Probe:
    """One service, without reading the others: made in the namespace."""

    def __init__(self, address, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._address, self._port = socket.inet_aton(address), struct.pack("!H", port)

    def servers(self):
        """How many destinations it has; None: there is no such service."""
        wanted = SERVICE.pack(socket.IPPROTO_TCP, struct.unpack("=I", self._address)[0], self._port, 0, b"", 0, 0, 0, 0)
        buffer = ctypes.create_string_buffer(wanted, WITH_STATISTICS)
        length = ctypes.c_uint32(len(buffer))
        if _libc.getsockopt(self._socket.fileno(), socket.IPPROTO_IP, IP_VS_SO_GET_SERVICE, buffer, ctypes.byref(length)) != 0:
            number = ctypes.get_errno()
            if number in (errno.ESRCH, errno.ENOENT):
                return None
            raise OSError(number, os.strerror(number))
        return SERVICE.unpack_from(buffer)[8]

    def close(self):
        self._socket.close()


def read():
    """The set of "service server" of the whole table, and how many services there are."""
    service, servers, services = "", set(), 0
    with open("/proc/thread-self/net/ip_vs", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] in ("TCP", "UDP", "SCTP", "FWM"):
                service, services = words[1], services + 1
            elif words[0] == "->" and words[1] != "RemoteAddress:Port":
                servers.add(f"{service} {words[1]}")
    return servers, services
