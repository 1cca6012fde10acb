"""The site: a client, two directors and two real servers on one LAN of network namespaces (IPVS, its tables and its sync daemon are a namespace's own).

The directors run the same daemon with the same file but for the priority. Direct routing: the virtual address is on the loopback of the real servers, which
say nothing of it on the LAN. The sorry server runs on the directors themselves.
"""
import contextlib
import re
import signal
import subprocess
import sys
import pathlib
import time

from netlab.daemon import DaemonError
from netlab.keepalived import Keepalived
from netlab.lan import Lan
from netlab.vigild import Vigild

from . import records

VIP = "192.0.2.100"
PORT = 80
SORRY = "127.0.0.1"
HERE = pathlib.Path(__file__).resolve().parent
POLL = 0.2       # seconds between two looks
PATIENCE = 90    # longest wait for a state; what takes longer is a failure

CONFIGURATION = """global_defs {{
    lvs_sync_daemon eth0 VI_1
}}
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    preempt_delay 5
    virtual_ipaddress {{
        {vip}/32
    }}
}}
virtual_server {vip} {port} {{
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    sorry_server {sorry} {port}
{servers}}}
"""
REAL_SERVER = """    real_server {address} {port} {{
        HTTP_GET {{
            url {{
                path /
                status_code 200
            }}
            connect_timeout {timeout}
            retry {retries}
            delay_before_retry 0.5
        }}
    }}
"""


def whole(kind):
    """-P would leave the health checkers out."""
    class WithCheckers(kind):
        def _command(self):
            return [word for word in super()._command() if word != "-P"]
    return WithCheckers


KINDS = {"vigil": whole(Vigild), "keepalived": whole(Keepalived)}


def wait_until(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DaemonError(f"{what}: not within {seconds} s")
        time.sleep(POLL)


class Site:
    """`load`: (workers, long-lived connections, seconds between two requests of each, patience with a long-lived connection in seconds).
    `check`: (seconds that a health check waits, how often it is repeated)."""

    def __init__(self, kind, directory, load, check=(1, 1)):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.workers, self.long_count, self.interval, self.patience = load
        self._check = dict(zip(("timeout", "retries"), check))
        self._exits = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            self.lan = self._exits.enter_context(contextlib.closing(Lan(router_count=4)))
            self.hosts, self.real = self.lan.routers[:2], self.lan.routers[2:]
            for name, hosts in (("director", self.hosts), ("server", self.real)):
                for number, host in enumerate(hosts, 1):
                    host.name = f"{name}-{number}"
            self.address = {host.name: f"192.0.2.{host.number}" for host in self.real} | {"sorry": SORRY}
            self._pages = {}
            self._prepare()
            self.directors = [KINDS[kind](host, directory, configuration=self._write(host, priority)) for host, priority in zip(self.hosts, (150, 100))]
            for director in self.directors:
                self.start_director(director)
            self._start_client()
            stack.pop_all()

    def close(self):
        self._exits.close()

    def _prepare(self):
        for host in self.real:
            host.namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1)
            host.namespace.sysctl("net.ipv4.conf.all.arp_announce", 2)
            host.namespace.ip(f"address add {VIP}/32 dev lo")
            self.start_page(host)
        for host in self.hosts:
            self.start_page(host, "sorry")

    def _write(self, host, priority):
        path = self.directory / f"{host.name}.conf"
        servers = "".join(REAL_SERVER.format(address=self.address[real.name], port=PORT, **self._check) for real in self.real)
        path.write_text(CONFIGURATION.format(priority=priority, vip=VIP, port=PORT, sorry=SORRY, servers=servers), encoding="ascii")
        return path

    def _spawn(self, host, program, *arguments):
        with open(self.directory / f"{host.name}.{program}.log", "ab") as log:
            process = host.namespace.popen([sys.executable, "-B", str(HERE / f"{program}.py"), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log)
        self._exits.callback(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.kill()
        process.wait()

    def _start_client(self):
        path = self.directory / "requests"
        self.records = records.Records(path)
        self._client = self._spawn(self.lan.client, "traffic", VIP, PORT, self.workers, self.long_count, self.interval, self.patience, path)

    def start_page(self, host, name=None):
        self._pages[host.name] = self._spawn(host, "page_server", name or host.name, PORT)

    def kill_page(self, host):
        self._end(self._pages[host.name])

    def start_director(self, director):
        director.start()
        self._exits.callback(lambda: director.running and director.kill())

    def machine_dies(self, director):
        director.strike()
        self.lan.unplug(director.host)
        director.wait_gone("after kill -9")

    def machine_returns(self, director):
        """Booted: nothing of before is left."""
        director.host.remove_leftovers()
        for words in (["-C"], ["--stop-daemon", "master"], ["--stop-daemon", "backup"]):
            director.host.namespace.run(["ipvsadm", *words], check=False)
        self.lan.unplug(director.host, out=False)
        self.start_director(director)

    def renew(self):
        """All long-lived connections are closed in order and opened anew."""
        before = dict(self.records.read().ports)
        self._client.send_signal(signal.SIGUSR1)

        def renewed():
            now = self.records.read().ports
            return len(now) == self.long_count and not set(now.items()) & set(before.items())
        wait_until(renewed, "the long-lived connections are renewed")

    def holds_address(self, director):
        return any(str(address.ip) == VIP for address in director.host.table.addresses())

    def table(self, director):
        """Addresses of the real servers that get connections."""
        text = director.host.namespace.run(["ipvsadm", "-Ln"])
        return {address for address, weight in re.findall(rf"-> ([\d.]+):{PORT}\s+\S+\s+(\d+)", text) if int(weight) > 0}

    def known_ports(self, director):
        """The client's ports of the connections that a director knows as established."""
        text = director.host.namespace.run(["ipvsadm", "-Lnc"])
        return {int(port) for port in re.findall(rf"ESTABLISHED [\d.]+:(\d+)\s+{re.escape(VIP)}:{PORT}", text)}

    def wait_directors(self, active, servers):
        """That director alone holds the address, and each one that runs sends connections to exactly those servers."""
        expected = {self.address[name] for name in servers}

        def look():
            return all((not director.running or (self.table(director) == expected and self.holds_address(director) == (director is active)))
                       for director in self.directors)
        wait_until(look, f"{active.host.name} is Active, and every director has {', '.join(sorted(servers))}")

    def wait_calm(self, count, servers):
        since = time.monotonic()
        wait_until(lambda: self.records.read().is_calm(since, count, servers, self.long_count),
                   f"{count} requests in a row are answered by {', '.join(sorted(servers))}, and the long-lived connections")

    def wait_synchronized(self):
        """Every director that runs knows the long-lived connections."""
        wait_until(lambda: all(set(self.records.read().ports.values()) <= self.known_ports(director) for director in self.directors if director.running),
                   "the long-lived connections are known to both directors")
