"""Servers for the checkers: real ones (nginx, dnsmasq, aiosmtpd) and such as nobody wishes to meet."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time

from netlab.daemon import descendants

PATIENCE = 30
LARGE_PAGE = b"0123456789abcde\n" * 65536


def wait_for_port(port, family=socket.AF_INET, address="127.0.0.1"):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.connect((address, port))
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


class Authority:
    """A test CA and certificates of it, made by openssl."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.ca = self._self_signed("ca")

    def _run(self, *words):
        subprocess.run(["openssl", *words], check=True, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE)

    def _self_signed(self, name, *extra):
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                  "-subj", f"/CN={name}", "-days", "30", *extra)
        return self.directory / f"{name}.pem"

    def self_signed(self, name):
        """Certificate and key, by nobody that is known."""
        return self._self_signed(name, "-addext", "subjectAltName=DNS:good.example,IP:127.0.0.1"), self.directory / f"{name}.key"

    def issue(self, name, alternatives="DNS:good.example,IP:127.0.0.1", days=30):
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                  f"/CN={name}", "-addext", f"subjectAltName={alternatives}")
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-copy_extensions", "copy",
                  "-out", f"{name}.pem")
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"


class Talker:
    """A TCP server that does with each connection what `talk` says, in a thread of its own."""

    def __init__(self, talk, certificate=None, backlog=5, protocols=(), prepare=None):
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if protocols:
                context.set_alpn_protocols(protocols)
            if prepare:
                prepare(context)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                connection = self.request
                with contextlib.suppress(OSError):
                    with contextlib.ExitStack() as stack:
                        if context:
                            connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
                        talk(connection)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = backlog

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class DatagramTalker:
    """A UDP server: `answer` makes a list of datagrams of one."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, args=(answer,), daemon=True).start()

    def _serve(self, answer):
        while True:
            datagram, peer = self.socket.recvfrom(65536)
            for reply in answer(datagram):
                self.socket.sendto(reply, peer)


class FullBacklog:
    """Listens, and its queue has no place for one more: the kernel lets nobody in."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.port = self.socket.getsockname()[1]
        self.clients = [socket.socket() for _ in range(4)]
        for client in self.clients:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", self.port))


def printable_line(start, octets):
    """How a cause begins with `start` and shows what a server has sent, up to the end of the line."""
    line = octets.split(b"\n")[0].removesuffix(b"\r")
    return start + bytes(octet if 32 <= octet <= 126 else ord(".") for octet in line[:80]).decode("ascii") + ("..." if len(line) > 80 else "")


def say(octets, then_wait=False):
    """Sends and closes, or keeps silent then."""
    def talk(connection):
        connection.settimeout(0.2)
        with contextlib.suppress(OSError):
            connection.recv(4096)   # an answer to a request; a greeting does not wait for one
        connection.settimeout(None)
        connection.sendall(octets)
        if then_wait:
            hang(connection)
    return talk


def greet(octets, then_wait=True):
    def talk(connection):
        connection.sendall(octets)
        if then_wait:
            hang(connection)
    return talk


def hang(connection):
    """Reads and is silent, until the other side goes."""
    while connection.recv(65536):
        pass


def drip(octets, seconds=0.1):
    """One octet at a time."""
    def talk(connection):
        for octet in octets:
            connection.sendall(bytes([octet]))
            time.sleep(seconds)
        hang(connection)
    return talk


def endless(start, more):
    """Sends `more` again and again."""
    def talk(connection):
        connection.recv(4096)
        connection.sendall(start)
        while True:
            connection.sendall(more)
    return talk


def smtp(greeting, *answers):
    """Answers line by line."""
    def talk(connection):
        connection.sendall(greeting)
        stream = connection.makefile("rb")
        for answer in answers:
            if not stream.readline():
                return
            connection.sendall(answer)
        hang(connection)
    return talk


class Program:
    """A real server with all its processes, `process` being the first."""
    process = None

    def _signal(self, number):
        for pid in descendants([self.process.pid]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self):
        """Its kernel goes on taking connections and datagrams for it."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def kill(self):
        self.pause()   # so that none starts another meanwhile
        self._signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


class Nginx(Program):
    """HTTP, and HTTPS with one certificate for each port; on the last one the client needs one as well."""

    def __init__(self, directory, certificates, ca):
        self.directory = pathlib.Path(directory)
        (self.directory / "html").mkdir()
        (self.directory / "html" / "index.html").write_text("<h1>it works</h1>\n", encoding="ascii")
        (self.directory / "html" / "large").write_bytes(LARGE_PAGE)
        servers = [self._server("8080", "", "good.example"), self._server("8080 default_server", "", "_", "location / { return 503; }")]
        for port, (certificate, key) in certificates.items():
            tls = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
            if port == max(certificates):
                tls += f" ssl_verify_client on; ssl_client_certificate {ca};"
            servers.append(self._server(f"{port} ssl http2", tls, "good.example"))
        configuration = self.directory / "nginx.conf"
        configuration.write_text(
            f"worker_processes 1; daemon off; pid {self.directory}/pid; error_log {self.directory}/error.log; user root;\n"
            f"events {{ worker_connections 512; }}\nhttp {{ access_log {self.directory}/access.log; root {self.directory}/html;\n"
            + "".join(f"{kind}_temp_path {self.directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + "\n".join(servers) + "\n}\n", encoding="ascii")
        self.process = subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(self.directory / "error.log")], stdout=subprocess.DEVNULL)
        wait_for_port(8080)

    @staticmethod
    def _server(listen, tls, name, more="location = /moved { return 301 /; } location = /gone { return 410; }"):
        return f"server {{ listen {listen}; {tls} server_name {name}; {more} }}"


class Dnsmasq(Program):
    port = 5353

    def __init__(self):
        self.process = subprocess.Popen(
            ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root",
             "--conf-file=/dev/null", "--pid-file=", "--address=/good.example/192.0.2.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


def missing_programs():
    """Names of what this machine lacks."""
    missing = [name for name in ("nginx", "dnsmasq", "openssl", "ip") if not shutil.which(name)]
    if not _python_with_aiosmtpd():
        missing.append("python3-aiosmtpd")
    return missing


def _python_with_aiosmtpd():
    """Debian's package is for Debian's interpreter, which need not be the one that runs the tests."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-c", "import aiosmtpd"], stderr=subprocess.DEVNULL).returncode == 0:
                return python
    return None


class MailServer(Program):
    name = "aiosmtpd"
    port = 8025

    def __init__(self):
        self.process = subprocess.Popen([_python_with_aiosmtpd(), "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}", "-c", "aiosmtpd.handlers.Sink"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


class Exim(Program):
    """Debian's mail server, where it is installed."""
    name = "Exim"
    port = 8026
    is_here = shutil.which("exim4") is not None

    def __init__(self, directory):
        home = pathlib.Path(directory) / "exim"
        home.mkdir()
        shutil.chown(home, "Debian-exim")
        configuration = home / "conf"
        configuration.write_text(
            f"keep_environment =\nspool_directory = {home}/spool\nlog_file_path = {home}/%slog\npid_file_path = {home}/pid\ndaemon_smtp_ports = {self.port}\n"
            "local_interfaces = 127.0.0.1\nprimary_hostname = mail.example\ndisable_ipv6 = true\nhost_lookup =\nrfc1413_query_timeout = 0s\nbegin acl\n",
            encoding="ascii")
        self.process = subprocess.Popen(["exim4", "-C", str(configuration), "-bdf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)


class UdpEcho(Program):
    port = 7007

    def __init__(self):
        code = ("import socket\n"
                f"own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nown.bind(('127.0.0.1', {self.port}))\nprint(flush=True)\n"
                "while True: own.sendto(*own.recvfrom(65536))\n")
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        self.process.stdout.readline()
