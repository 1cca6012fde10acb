"""A load balancer's daemon in one network namespace and its servers in another, for tests of what checkers do on the wire.

Every row of a test has a real server with an address of its own, so that one daemon serves hundreds of rows; nftables counts the packets that begin a check (a SYN,
a datagram, an Echo Request), and fails as many of them as a test wishes. The daemon needs no IPVS: what it finds it tells by lvs_notify_fifo.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "bench" / "lab"), str(TOP / "tests" / "ipvs" / "checkers"), str(TOP / "tests" / "engine" / "daemon")]
from netlab import sandbox  # noqa: E402
from netlab.daemon import descendants, is_alive, wait_for  # noqa: E402
from netlab.netns import NetworkNamespace  # noqa: E402
from netlab.vigild import Vigild  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402
from servers import Authority  # noqa: E402
from test_program import exit_with, run_tests  # noqa: E402

PATIENCE = 60
workspace = None   # while run_and_exit() runs
OWN, OTHER_OWN, OTHER_LINK = "10.2.255.254", "10.2.255.252", "10.2.255.253"   # the director's addresses; the last is that of eth1
IP_PKTINFO = 8
ECHO_PORT, DNS_PORT, MAIL_PORT, PLAIN_PORT, WEB_PORT = 7, 53, 25, 9000, 80
TLS_PORT, UNKNOWN_TLS_PORT, STRICT_TLS_PORT = 443, 444, 445   # certificates of the test's CA, of nobody; the last wants one of the client, too
BESIDE = 10000   # each server listens at this distance above its port, too

# First packets of a check, in the words of nftables.
FIRST = {"tcp": "tcp flags & (syn | ack) == syn", "udp": "meta l4proto udp", "icmp": "icmp type echo-request"}


def server_address(number, other=False):
    return f"10.{3 if other else 2}.{number // 200}.{1 + number % 200}"


class Servers:
    """Listen on every address of 10.2.0.0/17 and 10.3.0.0/17. `asked`: address -> what was asked there, as each kind has it."""

    def __init__(self, namespace, directory):
        self.namespace = namespace
        self.asked = {}
        self._lock = threading.Lock()
        authority = Authority(directory)
        self.authority_file = authority.ca
        self.client_certificate, open_key = authority.issue("client", "DNS:client.example")
        self.client_key = open_key.with_suffix(".locked")   # by the password "secret"
        subprocess.run(["openssl", "pkey", "-in", open_key, "-aes256", "-passout", "pass:secret", "-out", self.client_key], check=True, timeout=PATIENCE)
        for beside in (0, BESIDE):
            self._listen(PLAIN_PORT + beside, lambda connection, address: None)
            self._listen(MAIL_PORT + beside, self._mail)
            self._listen(WEB_PORT + beside, self._web)
            self._listen(TLS_PORT + beside, self._web, authority.issue(f"good{beside}", "DNS:good.example"))
            self._datagrams(ECHO_PORT + beside, self._echo)
            self._datagrams(DNS_PORT + beside, self._name)
        self._listen(UNKNOWN_TLS_PORT, self._web, authority.self_signed("alone"))
        self._listen(STRICT_TLS_PORT, self._web, authority.issue("strict", "DNS:good.example"), authority.ca)

    def note(self, address, what):
        with self._lock:
            self.asked.setdefault(address, []).append(what)

    def _listen(self, port, talk, certificate=None, client_authority=None):
        listener = self.namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))
        listener.listen(512)
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)   # an end without close_notify is to be told from one with it
            context.load_cert_chain(*certificate)
            context.sni_callback = lambda connection, name, _: setattr(connection, "asked_name", name)
            if client_authority:
                context.load_verify_locations(client_authority)
                context.verify_mode = ssl.CERT_REQUIRED

        def serve(connection):
            address = connection.getsockname()[0]
            with contextlib.suppress(OSError), connection:
                connection.settimeout(PATIENCE)
                if not context:
                    return talk(connection, address)
                with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as wrapped:
                    talk(wrapped, address)

        def accept():
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def _web(self, connection, address):
        """/echo/TEXT answers with the text, /status/NUMBER with that status."""
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        first, *headers = request.split(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
        method, path, version = first.split(" ")
        asked = {"method": method, "path": path, "version": version} | {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
        asked["sni"] = getattr(connection, "asked_name", None)
        self.note(address, asked)
        body = path.removeprefix("/echo/").encode() if path.startswith("/echo/") else b"body"
        status = path.removeprefix("/status/") if path.startswith("/status/") else "200"
        connection.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        if isinstance(connection, ssl.SSLSocket):
            asked["end"] = self._end_of(connection)

    @staticmethod
    def _end_of(connection):
        """How TLS ends: with a close_notify, or just so."""
        try:
            while connection.recv(4096):
                pass
            return "said"
        except OSError:
            return "cut"

    def _mail(self, connection, address):
        connection.sendall(b"220 mail.example ESMTP\r\n")
        kept = b""
        while more := connection.recv(4096):
            *lines, kept = (kept + more).split(b"\r\n")
            for line in lines:
                self.note(address, line.decode("ascii"))
                connection.sendall(b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n")

    def _datagrams(self, port, answer):
        own = self.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        own.bind(("0.0.0.0", port))

        def serve():
            while True:
                data, ancillary, _, peer = own.recvmsg(65535, socket.CMSG_SPACE(12))
                packed = ancillary[0][2][8:12]
                reply = answer(data, socket.inet_ntoa(packed))
                with contextlib.suppress(OSError):
                    own.sendmsg([reply], [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=i4s4s", 0, packed, bytes(4)))], 0, peer)

        threading.Thread(target=serve, daemon=True).start()

    def _echo(self, data, address):
        self.note(address, data)
        return data[:16]

    def _name(self, data, address):
        """Answers with nothing and no error."""
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("ascii"))
            at += 1 + data[at]
        self.note(address, (".".join(labels) or ".", struct.unpack_from("!H", data, at + 1)[0]))
        return data[:2] + b"\x84\x00" + data[4:]


class CheckerRig:
    """`text` of start() is the configuration without lvs_notify_fifo; `globals`: lines of global_defs."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.namespace, self.lan = NetworkNamespace("director"), NetworkNamespace("servers")
        self._wire()
        self.servers = Servers(self.lan, self.directory)
        self.log = self.directory / "log"
        self.log.touch()
        self.fifo = self.directory / "fifo"
        os.mkfifo(self.fifo)
        self._reader = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        self._read = b""
        self.process = None

    def _wire(self):
        for namespace in (self.namespace, self.lan):
            namespace.sysctl("net.ipv4.conf.all.rp_filter", 0)
            namespace.sysctl("net.ipv4.conf.default.rp_filter", 0)
        self.namespace.ip("link set lo up", *(f"link add {name} type veth peer name {name} netns {self.lan.path}" for name in ("eth0", "eth1")))
        self.lan.ip("link set lo up", "addr add 10.2.255.1/15 dev eth0", "link set eth0 up", "link set eth1 up", f"route add {OTHER_LINK}/32 dev eth1",
                    "route add local 10.2.0.0/17 dev lo", "route add local 10.3.0.0/17 dev lo")
        self.lan.sysctl("net.ipv4.icmp_ratelimit", 0)   # each datagram of a closed port gets its error
        self.namespace.ip(f"addr add {OWN}/15 dev eth0", f"addr add {OTHER_OWN}/15 dev eth0", "link set eth0 up", f"addr add {OTHER_LINK}/32 dev eth1", "link set eth1 up",
                          "route add 10.2.0.0/15 dev eth1 metric 100")

    def start(self, text, globals_text=""):
        configuration = self.directory / "keepalived.conf"
        configuration.write_text(f"global_defs {{\n router_id LVS_1\n script_user root\n lvs_notify_fifo {self.fifo}\n{globals_text}}}\n{text}", encoding="ascii")
        run_directory = self.directory / "run"
        run_directory.mkdir(exist_ok=True)
        pids = [word for option in "prcb" for word in (f"-{option}", str(self.directory / f"{option}.pid"))]
        with open(self.log, "ab") as log:
            self.process = self.namespace.popen([Vigild.program(), "-n", "-l", "-D", "-C", "-f", str(configuration), *pids], run_directory=run_directory,
                                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(self.directory)})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            family = descendants([self.process.pid])
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
            wait_for(lambda: not any(map(is_alive, family)), PATIENCE, "every process is dead")
        os.close(self._reader)
        self.namespace.close()
        self.lan.close()
        crash = re.search(r".*(Sanitizer|runtime error|signal (4|6|7|8|11) ).*", self.log.read_text(encoding="utf-8", errors="replace"))
        if crash:
            raise AssertionError(f"{crash[0]} (log: {self.log})")

    # --- what it tells ---

    def told(self):
        """Lines of the FIFO."""
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self._reader, 65536):
                self._read += more
        return self._read.decode("ascii").splitlines()

    def states(self):
        """Address of a real server -> what was told of it, in order: ["UP", "DOWN"]."""
        states = {}
        for line in self.told():
            if found := re.match(r"RS \[(\S+?)\]:\S+ .* (UP|DOWN)$", line):
                states.setdefault(found[1], []).append(found[2])
        return states

    def wait_told(self, *lines):
        wait_for(lambda: set(lines) <= set(self.told()), PATIENCE, f"FIFO lines {lines}, there are {self.told()} (log: {self.log})")

    def lines(self, words):
        """Log lines with these words."""
        return [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines() if words in line]

    # --- packets ---

    def count_packets(self, rules):
        """`rules`: name of a counter -> what it counts, in the director's output."""
        self._add_table(self.namespace, "count", "output", {name: f"{match} counter name \"{name}\"" for name, match in rules.items()})

    def treat_packets(self, table, rules):
        """`rules`: name of a counter -> what it counts, and what is done to that (put in place of @), where packets come to the servers."""
        self._add_table(self.lan, table, "input", {name: rule.replace("@", f"counter name \"{name}\"") for name, rule in rules.items()})

    def refuse(self, *addresses):
        """Whatever TCP comes to them, until recover()."""
        for address in addresses:
            self.treat_packets(f"refusal_{address.replace('.', '_')}", {f"refused_{address.replace('.', '_')}": f"ip daddr {address} meta l4proto tcp @ {refuse('tcp')}"})

    def recover(self, *addresses):
        for address in addresses:
            self.lan.run(["nft", "delete", "table", "ip", f"refusal_{address.replace('.', '_')}"])

    @staticmethod
    def _add_table(namespace, table, hook, rules):
        counters = "".join(f" counter {name} {{\n }}\n" for name in rules)
        lines = "".join(f"  {rule}\n" for rule in rules.values())
        namespace.run(["nft", "-f", "-"], f"table ip {table} {{\n{counters} chain c {{\n  type filter hook {hook} priority 0;\n{lines} }}\n}}\n")

    def counts(self, of_servers=False):
        """Name of a counter -> packets."""
        text = (self.lan if of_servers else self.namespace).run(["nft", "list", "counters"])
        return {name: int(count) for name, count in re.findall(r"counter (\w+) \{\s+packets (\d+)", text)}


def refuse(protocol):
    return "reject with tcp reset" if protocol == "tcp" else "reject with icmp port-unreachable"


def why_not():
    missing = [name for name in ("nft", "openssl") if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    if missing:
        return f"needs {', '.join(missing)} (packaging/install-dependencies test)"
    return sandbox.why_not() or Vigild.why_not()


def lacks():
    """What the kernel's nftables cannot do, or None."""
    namespace = NetworkNamespace("probe")
    try:
        rule = f"ip daddr 10.2.0.1 {FIRST['tcp']} meta mark 0 limit rate 1/day burst 1 packets counter"
        namespace.run(["nft", "-f", "-"], f"table ip probe {{\n chain c {{\n  type filter hook input priority 0;\n  {rule} {refuse('tcp')}\n  meta l4proto udp {refuse('udp')}\n }}\n}}\n")
    except RuntimeError as error:
        return f"this kernel's nftables lack counters, limits or rejection (CONFIG_NFT_LIMIT, CONFIG_NFT_REJECT_IPV4): {error}"
    finally:
        namespace.close()
    return None


def main():
    global workspace
    if reason := why_not():
        print(f"skipped: {reason}")
        return sandbox.SKIPPED
    sandbox.enter()
    if reason := lacks():
        print(f"skipped: {reason}")
        return sandbox.SKIPPED
    workspace = Workspace("vigil-checkers-")
    return run_tests(workspace)


def run_and_exit():
    """All tests of the program."""
    exit_with(main())
