"""A net-snmp master agent and a receiver of notifications on a host of the lab, with files and sockets of their own."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

from netlab.daemon import wait_for

PATIENCE = 30
AGENT, RECEIVER = "127.0.0.1:1161", "127.0.0.1:1162"
KEEPALIVED = ".1.3.6.1.4.1.9586.100.5"
RFC2787 = ".1.3.6.1.2.1.68"
RFC6527 = ".1.3.6.1.2.1.207"


def why_not():
    for program in ("snmpd", "snmptrapd", "snmpbulkwalk", "snmpget"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"{program} is not installed (packages snmpd, snmptrapd, snmp)"
    return ""


class Master:
    """Not started. `socket`: where AgentX subagents connect."""

    def __init__(self, host, directory):
        self.host = host
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = f"unix:{self.directory}/agentx"
        self.agent = self.receiver = None
        self._traps = self.directory / "traps"
        (self.directory / "snmpd.conf").write_text(
            f"agentAddress udp:{AGENT}\nmaster agentx\nagentXSocket {self.socket}\nagentXTimeout 5\nrocommunity public 127.0.0.1\n"
            f"trap2sink {RECEIVER} public\n", encoding="utf-8")
        (self.directory / "snmptrapd.conf").write_text("disableAuthorization yes\ndoNotLogTraps no\n", encoding="utf-8")
        host.namespace.ip("link set lo up")

    def _popen(self, *command, output=subprocess.DEVNULL):
        environment = os.environ | {"SNMPCONFPATH": str(self.directory), "SNMP_PERSISTENT_DIR": str(self.directory / "state"), "MIBS": ""}
        return self.host.namespace.popen([str(one) for one in command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment)

    def start(self):
        with open(self.directory / "snmpd.log", "ab") as log:
            self.agent = self._popen("/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", self.directory / "snmpd.conf", "-I", "-smux", "-p", self.directory / "snmpd.pid",
                                     output=log)
        wait_for(lambda: os.path.exists(self.socket.removeprefix("unix:")) and self.get(".1.3.6.1.2.1.1.3.0"), PATIENCE, f"snmpd answers (log: {self.directory}/snmpd.log)")

    def start_receiver(self):
        with open(self._traps, "ab") as log:
            self.receiver = self._popen("/usr/sbin/snmptrapd", "-f", "-Lo", "-n", "-On", "-C", "-c", self.directory / "snmptrapd.conf", "-p",
                                        self.directory / "snmptrapd.pid", "-F", "TRAP %v\n", f"udp:{RECEIVER}", output=log)
        wait_for(lambda: "NET-SNMP version" in self._traps.read_text(errors="replace"), PATIENCE, "snmptrapd listens")

    def stop(self):
        self._end(self.agent)
        self.agent = None

    def close(self):
        self._end(self.agent)
        self._end(self.receiver)

    @staticmethod
    def _end(process):
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)

    def freeze(self, frozen=True):
        os.kill(self.agent.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def _ask(self, program, *words):
        environment = os.environ | {"MIBS": "", "SNMPCONFPATH": str(self.directory), "SNMP_PERSISTENT_DIR": str(self.directory / "state")}
        process = self.host.namespace.popen([program, "-v2c", "-c", "public", "-On", "-t", "10", "-r", "0", *words[:-1], AGENT, words[-1]], stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, env=environment)
        return process.communicate(timeout=120)[0].decode("utf-8", "replace")

    @staticmethod
    def _objects(text):
        """{oid: "TYPE: value"}; what spans lines, as long octets do, is joined."""
        objects = {}
        last = None
        for line in text.splitlines():
            found = re.match(r"^(\.[\d.]+) = (.*)$", line)
            if found:
                last, value = found.groups()
                if not value.startswith("No "):   # No Such Object, No more variables
                    objects[last] = value.strip()
            elif last in objects:
                objects[last] += " " + line.strip()
        return objects

    def get(self, oid):
        return self._objects(self._ask("snmpget", oid)).get(oid)

    def walk(self, root=KEEPALIVED, bulk=True):
        return self._objects(self._ask("snmpbulkwalk", root) if bulk else self._ask("snmpwalk", root))

    def traps(self):
        """Each a {oid: value}."""
        text = self._traps.read_text(errors="replace")
        return [dict(re.findall(r"(\.[\d.]+) = (.*?)(?=\t\.|$)", line[5:])) for line in text.splitlines() if line.startswith("TRAP ")]
