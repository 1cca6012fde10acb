"""FRR's vrrpd, with the zebra it needs.

FRR does not make its macvlan: the operator does, with the virtual address on it, and vrrpd sets it protodown (no
carrier) while it is Backup. So an address counts as held only while its link works. A stopped router takes the
macvlan away.
"""
import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess

from .daemon import Daemon, wait_for
from .keepalived import NICE

PROGRAMS = pathlib.Path("/usr/lib/frr")
# FRR insists on a directory per "pathspace" in these two places, even when everything in them is named explicitly.
PATHSPACES = (pathlib.Path("/var/run/frr"), pathlib.Path("/etc/frr"))


class Frr(Daemon):
    kind = "frr"

    def __init__(self, host, directory, virtual_routers):
        super().__init__(host, directory, virtual_routers)
        self._run = self.directory / f"{host.name}.frr"
        self._run.mkdir(exist_ok=True)
        self.log = self._run / "vrrpd.log"
        self._space = "vigil-lab-" + hashlib.sha1(str(self._run).encode()).hexdigest()[:12]

    @classmethod
    def why_not(cls, virtual_router=None):
        if not (PROGRAMS / "vrrpd").exists():
            return "FRR is not installed (packaging/install-dependencies peers)"
        if virtual_router and (virtual_router.authentication or virtual_router.peers or virtual_router.excluded):
            return "FRR has no authentication, unicast or excluded addresses"
        return None

    def _text(self):
        lines = [f"hostname {self.host.name}", f"log file {self.log} debugging", "debug vrrp protocol"]
        for router in self.virtual_routers:
            begin = f" vrrp {router.vrid}"
            lines += [f"interface {router.interface}", f"{begin} version {router.version}",
                      f"{begin} priority {router.priority}",
                      f"{begin} advertisement-interval {round(router.interval * 1000)}"]
            if not router.preempt:
                lines.append(f" no vrrp {router.vrid} preempt")
            word = "ip" if router.family == 4 else "ipv6"
            lines += [f"{begin} {word} {address.partition('/')[0]}" for address in router.addresses]
        return "\n".join(lines) + "\n"

    def _make_macvlans(self):
        # Linux answers ARP for an address on any interface unless told otherwise; FRR's Backup keeps its address.
        self.host.namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1)
        lines = []
        for router in self.virtual_routers:
            name = f"vrrp{router.vrid}"
            lines += [f"link add {name} link {router.interface} address {router.mac} type macvlan mode bridge",
                      *(f"address add {address} dev {name}" for address in router.addresses), f"link set {name} up"]
        self.host.namespace.ip(*lines)

    def _launch(self):
        user = pwd.getpwnam("frr")
        for place in PATHSPACES:
            (place / self._space).mkdir(parents=True, exist_ok=True)
            os.chown(place / self._space, user.pw_uid, user.pw_gid)
        os.chown(self._run, user.pw_uid, user.pw_gid)
        self._make_macvlans()
        (self._run / "zebra.conf").write_text(f"hostname {self.host.name}\nlog file {self._run}/zebra.log\n", encoding="ascii")
        (self._run / "vrrpd.conf").write_text(self._text(), encoding="ascii")
        return [self._start_program("zebra"), self._start_program("vrrpd")]

    def _start_program(self, name):
        pid_file, socket = self._run / f"{name}.pid", self._run / "zserv.sock"
        for old in (pid_file, socket) if name == "zebra" else (pid_file,):
            old.unlink(missing_ok=True)
        command = [str(PROGRAMS / name), "-N", self._space, "-d", "-f", str(self._run / f"{name}.conf"), "-i", str(pid_file),
                   "-z", str(socket), "--vty_socket", str(self._run), "-A", "127.0.0.1"]
        with open(self._run / f"{name}.out", "ab") as output:
            self.host.namespace.popen(command, nice=NICE, stdin=subprocess.DEVNULL, stdout=output, stderr=output).wait(20)
        wait_for(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii").strip(), 10, f"FRR's {name} writes {pid_file}")
        if name == "zebra":
            wait_for(socket.exists, 10, "FRR's zebra opens its socket")
        return int(pid_file.read_text(encoding="ascii"))

    def wait_gone(self, when):
        super().wait_gone(when)
        self.host.remove_leftovers()
        for place in PATHSPACES:
            shutil.rmtree(place / self._space, ignore_errors=True)
