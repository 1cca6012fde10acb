"""One director with its real servers, in the guest: two network namespaces, a daemon (vigild or keepalived) in the one, servers that can die in the other."""
import contextlib
import itertools
import os
import pathlib
import re
import signal
import subprocess
import time

from lvs_servers import PATIENCE, BfdPeer, PageServer, Server, make_certificate
from netlab.netns import NetworkNamespace

NUMBERS = range(1, 10)
BFD_NUMBERS = range(1, 5)


class Director:
    """`program` with `text` as its configuration. Real server N is 10.1.0.N and fd00:1::N, the director 10.1.0.254 and fd00:1::fe."""

    def __init__(self, kind, program, directory, extras=()):
        """`extras`: "page", what SSL_GET needs, on port 443; "bfd", neighbours for BFD_CHECK."""
        self.kind, self.program, self.extras = kind, program, extras
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.run_directory = self.directory / "run"
        self.run_directory.mkdir()
        self.states = self.directory / "states"   # what MISC_CHECK finds: the exit code of server N
        self.states.mkdir()
        self.log = self.directory / "log"
        self.calls = self.directory / "calls"     # what notify scripts write
        self.fifo = self.directory / "fifo"
        os.mkfifo(self.fifo)
        self._reader = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        self._read = b""
        self.notify = self._script("notify", f"echo script \"$@\" >> {self.calls}")
        self.check = self._script("check", f"exit $(cat {self.states}/$1)")
        self.namespace = NetworkNamespace(kind)
        self.lan = NetworkNamespace(kind + "-servers")
        self.table_namespace = self.namespace
        self.servers = {}
        self.process = None
        self._seen, self._table = None, []
        self._wire()

    def _script(self, name, command):
        """A program that nobody can have open for writing when it is to run (ETXTBSY): what this process writes, each program that another thread starts just then has
        open too until it is another program."""
        draft = self.directory / f"{name}.draft"
        draft.write_text(f"#!/bin/sh\n{command}\n", encoding="ascii")
        path = self.directory / name
        subprocess.run(["install", "-m", "755", str(draft), str(path)], check=True)
        return path

    def _wire(self):
        self.namespace.ip("link set lo up", f"link add eth0 type veth peer name eth0 netns {self.lan.path}")
        self.namespace.sysctl("net/ipv6/conf/eth0/accept_dad", 0, required=False)
        self.lan.sysctl("net/ipv6/conf/eth0/accept_dad", 0, required=False)
        self.namespace.ip("addr add 10.1.0.254/24 dev eth0", "addr add fd00:1::fe/64 dev eth0 nodad", "link set eth0 up")
        self.lan.ip("link set lo up", *(f"addr add 10.1.0.{n}/24 dev eth0" for n in NUMBERS), *(f"addr add fd00:1::{n}/64 dev eth0 nodad" for n in NUMBERS),
                    "link set eth0 up")
        for family in ("net/ipv4/icmp_ratelimit", "net/ipv6/icmp/ratelimit"):   # that nobody listens on a port of UDP is told each time
            self.lan.sysctl(family, 0)
        for number in NUMBERS:
            self.set_exit_code(number, 0)
            self.set_file(0)
            self.servers[number] = list(self._make_servers(number))
        self.set_alive(NUMBERS, True)

    def _make_servers(self, number):
        """What is one machine, as far as it may be dead or alive."""
        for address in (f"10.1.0.{number}", f"fd00:1::{number}"):
            yield Server(self.lan, "tcp", address, 80)
            yield Server(self.lan, "udp", address, 80)
            if "page" in self.extras:
                yield PageServer(self.lan, address, 443, make_certificate(self.directory))
        if "bfd" in self.extras and number in BFD_NUMBERS:
            yield BfdPeer(self.namespace, self.directory / f"peer-{number}", number)

    def set_alive(self, numbers, is_alive):
        for number in numbers:
            for server in self.servers[number]:
                server.set_alive(is_alive)
            self.set_exit_code(number, 0 if is_alive else 1)

    def set_exit_code(self, number, code):
        beside = self.states / f"{number}.new"
        beside.write_text(f"{code}\n", encoding="ascii")
        beside.rename(self.states / str(number))

    def _lines(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self._read += os.read(self._reader, 65536)
        lines = [line.strip("\0") for line in self._read.decode("ascii").split("\n")]
        calls = self.calls.read_text(encoding="ascii").splitlines() if self.calls.exists() else []
        return [line for line in lines if line], calls

    def set_file(self, number):
        """The file of FILE_CHECK."""
        beside = self.directory / "number.new"
        beside.write_text(f"{number}\n", encoding="ascii")
        beside.rename(self.directory / "number")

    def told(self):
        """What came to the FIFO and what notify scripts were called for, sorted: servers that change together do so in any order. Scripts take their time, but
        there is one for each line of the FIFO."""
        deadline = time.monotonic() + PATIENCE
        while True:
            lines, calls = self._lines()
            if len(lines) == len(calls) or time.monotonic() > deadline:
                return sorted(lines) + sorted(calls)
            time.sleep(0.1)

    def write(self, text):
        (self.directory / "conf").write_text(text.replace("@CHECK@", str(self.check)).replace("@NOTIFY@", str(self.notify)).replace("@DIR@", str(self.directory)),
                                             encoding="ascii")

    def start(self, *options):
        pids = [word for option, name in (("-p", "parent"), ("-c", "checkers"), ("-r", "vrrp"), ("-b", "bfd")) for word in (option, str(self.directory / f"{name}.pid"))]
        with open(self.log, "ab") as log:
            self.process = self.namespace.popen([self.program, "-n", "-l", "-D", "-G", *options, "-f", str(self.directory / "conf"), *pids],
                                                run_directory=self.run_directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def move_table(self):
        """The table is to be in a namespace of its own, /run/netns/table, which has a device s0. The kernel wants routes to the servers there."""
        self.table_namespace = NetworkNamespace(self.kind + "-table")
        self.table_namespace.ip("link add s0 type veth peer name s1", "addr add 10.3.0.1/24 dev s0", "link set s0 up", "link set s1 up",
                                "route add default dev s0")
        (self.run_directory / "netns").mkdir()
        (self.run_directory / "netns" / "table").symlink_to(self.table_namespace.path)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self._wait_for_rest()
        self.told()   # a stop would end scripts that run
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)

    def _pid(self):
        return int((self.directory / "checkers.pid").read_text(encoding="ascii"))

    def _wait_for_rest(self):
        """Whoever changes the table tells of it next, in the same breath: then it sleeps."""
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):   # it has ended, or did not begin
            while pathlib.Path(f"/proc/{self._pid()}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "S" and time.monotonic() < deadline:
                time.sleep(0.05)

    def kill_child(self):
        """kill -9 of the checkers process; the parent starts another one."""
        os.kill(self._pid(), signal.SIGKILL)

    def log_end(self):
        return "".join(self.log.read_text(errors="replace").splitlines(True)[-12:])

    def table(self):
        """Lines of `ipvsadm -Sn`, sorted."""
        return sorted(self.table_namespace.run(["ipvsadm", "-Sn"]).splitlines())

    def glance(self):
        """The same, as long as servers and weights are what they were. To start a program is dear in the guest."""
        with self.table_namespace.entered(), open("/proc/thread-self/net/ip_vs", encoding="ascii") as file:
            seen = file.read()
        if seen != self._seen:
            self._seen, self._table = seen, self.table()
        return self._table

    def add_foreign(self, number):
        """A service that somebody else has made."""
        self.table_namespace.run(["ipvsadm", "-A", "-t", f"10.8.9.{number}:80", "-s", "rr"])

    def thresholds(self):
        return sorted(line for line in self.table_namespace.run(["ipvsadm", "-Ln", "--thresholds"]).splitlines() if "->" in line)

    def timeouts(self):
        return self.table_namespace.run(["ipvsadm", "-L", "--timeout"]).splitlines()

    def daemons(self):
        """Lines of `ipvsadm -L --daemon`: the threads that send and receive connections."""
        return sorted(self.table_namespace.run(["ipvsadm", "-L", "--daemon"]).splitlines())

    def wait_for_sessions(self):
        deadline = time.monotonic() + PATIENCE
        while any(not re.search(rf"\(b{number}\).* UP state", self.log.read_text(errors="replace")) for number in BFD_NUMBERS) and time.monotonic() < deadline:
            time.sleep(0.1)

    def wait_for_daemon(self, words):
        """A line with these words; no words: no line."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = self.daemons()
            if any(words in line for line in lines) if words else not lines:
                return
            time.sleep(0.1)

    def servers_in(self, table):
        """"1=1 2=0": last part of the address and weight of each destination, for each service the same; else what there is, service by service. Services of 10.8.0.0/16,
        fd08::/16 and marks from 800 are not looked at: they are there to be compared line by line."""
        services = {}
        for line in table:
            if re.match(r"-[Aa] \S+ (10\.8\.|\[fd08:|8\d\d )", line):
                continue
            service = re.match(r"-A (\S+ \S+( -6)?)", line)
            if service:
                services.setdefault(service[1], set())
            found = re.match(r"-a (\S+ \S+(?: -6)?) -r \[?(\S+?)\]?:\d+ .*-w (\d+)", line)
            if found:
                services.setdefault(found[1], set()).add(f"{re.split('[.:]', found[2])[-1]}={found[3]}")
        texts = {" ".join(sorted(servers)) for servers in services.values()}
        return texts.pop() if len(texts) == 1 else "no service" if not texts else repr(services)

    def wait_for_servers(self, wanted):
        """The table once its servers are `wanted`; also when they are not, after a while."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self.servers_in(self.glance()) == wanted or time.monotonic() > deadline:
                return self.table()
            time.sleep(0.2)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.set_alive(self.servers, False)
        for server in itertools.chain(*self.servers.values()):
            server.close()
        os.close(self._reader)
        for namespace in {self.lan, self.namespace, self.table_namespace}:
            namespace.close()
