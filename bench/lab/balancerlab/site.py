"""The site: a director, and one nginx that has the addresses of all real servers, in two network namespaces of the guest."""
import os
import re
import resource
import signal
import subprocess
import time
import urllib.request

from netlab.daemon import DaemonError, descendants
from netlab.netns import NetworkNamespace

from . import kernel_table
from .setting import PORT, SERVER_NETWORK, SILENT_NETWORK

TICKS = os.sysconf("SC_CLK_TCK")
STATUS_PORT = 8081
NGINX = """worker_processes 1;
worker_rlimit_nofile 65536;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 32768; multi_accept on; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{ listen {port} backlog=16384; location / {{ return 200 "page\\n"; }} }}
    server {{ listen {status}; location / {{ stub_status; }} }}
}}
"""


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            words = file.read().rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
    return total / TICKS


def proportional_memory(pids):
    """Octets."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M)[1]) << 10
    return total


class Site:
    def __init__(self, kind, directory, setting, patience):
        self.kind, self.directory, self.setting, self.patience = kind, directory, setting, patience
        directory.mkdir(parents=True)
        (directory / "run").mkdir()
        self.configuration = directory / "conf"
        self.log = directory / "log"
        self.director, self.lan = NetworkNamespace("director"), NetworkNamespace("servers")
        self.process = None
        self._wire()
        (directory / "nginx.conf").write_text(NGINX.format(directory=directory, port=PORT, status=STATUS_PORT), encoding="ascii")
        self.nginx = self.lan.popen(["nginx", "-c", str(directory / "nginx.conf")], stdin=subprocess.DEVNULL)
        self.wait(lambda: self.accepted() >= 0, "nginx")

    def _wire(self):
        self.director.ip("link set lo up", f"link add eth0 type veth peer name eth0 netns {self.lan.path}", "addr add 10.0.0.1/24 dev eth0", "link set eth0 up",
                         f"route add {SERVER_NETWORK} via 10.0.0.2")
        self.lan.ip("link set lo up", "addr add 10.0.0.2/24 dev eth0", "link set eth0 up", f"route add local {SERVER_NETWORK} dev lo")
        self.lan.sysctl("net/core/somaxconn", 16384)
        self.lan.sysctl("net/ipv4/tcp_max_syn_backlog", 16384)

    def wait(self, condition, what, pause=0.1):
        """Seconds until then; an exception when the patience ends or the daemon."""
        begin = time.monotonic()
        while True:
            try:
                if condition():
                    return time.monotonic() - begin
            except OSError:
                pass
            if time.monotonic() - begin > self.patience:
                raise DaemonError(f"{what}: not within {self.patience:g} s")
            if self.process and self.process.poll() is not None:
                raise DaemonError(f"{what}: the daemon ended with status {self.process.returncode}")
            time.sleep(pause)

    def accepted(self):
        """Connections that the real servers have taken so far."""
        with self.lan.entered():
            with urllib.request.urlopen(f"http://10.0.0.2:{STATUS_PORT}/", timeout=20) as answer:
                text = answer.read().decode("ascii")
        return int(text.splitlines()[2].split()[0])

    def silence(self, is_silent):
        """A part of the servers answers nothing at all."""
        self.lan.ip(f"route {'add' if is_silent else 'del'} blackhole {SILENT_NETWORK} table local")

    def _probe(self):
        """Of the last service."""
        with self.director.entered():
            return kernel_table.Probe(self.setting.service_address(self.setting.services - 1), PORT)

    def wait_for_whole_table(self):
        probe, size = self._probe(), len(self.setting.share(self.setting.services - 1))
        self.wait(lambda: probe.servers() == size, "the last service after the start", 0.02)
        self.wait(lambda: not self.missing(), "the whole table after the start", 0.2)

    def reload_and_wait(self, pause):
        """Seconds until the kernel has the one server more."""
        probe, size = self._probe(), len(self.setting.share(self.setting.services - 1))
        self.reload()
        return self.wait(lambda: probe.servers() == size + 1, "one server more after the reload", pause)

    def table(self):
        """The set of "service server"."""
        with self.director.entered():
            return kernel_table.read()[0]

    def services(self):
        with self.director.entered():
            return kernel_table.read()[1]

    def missing(self):
        return self.setting.whole_table() - self.table()

    def command(self, *options):
        pids = [word for option, name in (("-p", "parent"), ("-c", "checkers"), ("-r", "vrrp"), ("-b", "bfd")) for word in (option, str(self.directory / f"{name}.pid"))]
        return [self.kind.program(), *options, "-n", "-l", "-C", "-f", str(self.configuration), *pids]

    def write(self, extra=0):
        self.configuration.write_text(self.setting.configuration(extra), encoding="ascii")

    def config_test(self):
        """Seconds, and seconds of processor."""
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with open(self.log, "ab") as log:
            process = self.director.popen(self.command("-t"), run_directory=self.directory / "run", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if process.wait(self.patience) != 0:
                raise DaemonError(f"-t: status {process.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def start(self):
        with open(self.log, "ab") as log:
            self.process = self.director.popen(self.command(), run_directory=self.directory / "run", stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def pids(self):
        return descendants([self.process.pid]) | {self.process.pid}

    def cpu(self):
        return cpu_seconds(self.pids())

    def memory(self):
        return proportional_memory(self.pids())

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self.patience)

    def close(self):
        for process in (self.process, self.nginx):
            if process and process.poll() is None:
                for pid in descendants([process.pid]) | {process.pid}:
                    os.kill(pid, signal.SIGKILL)
                process.wait()
        self.director.close()
        self.lan.close()


class SiteWithoutTable(Site):
    """On the kernel of this machine, which need not have IPVS: what the log says stands for the table."""

    def _count(self, words):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return sum(1 for line in file if words in line)

    def wait_for_whole_table(self):
        self.wait(lambda: self._count("carried out") == 1, "the start", 0.02)

    def reload_and_wait(self, pause):
        known = self._count("carried out")
        self.reload()
        return self.wait(lambda: self._count("carried out") > known, "the reload", pause)

    def table(self):
        return None

    def services(self):
        return None

    def missing(self):
        return range(self._count(" failed: ") - self._count(" success"))
