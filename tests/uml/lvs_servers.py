"""What answers in the guest when real servers are alive."""
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from netlab.netns import NetworkNamespace

PATIENCE = 60
BFD_TIMES = " min_rx 500\n min_tx 500\n idle_tx 1000\n multiplier 6\n"   # the guest has one processor, and stands still at times
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nok\n"


class Server:
    """Answers on one address and port while it is alive: TCP takes connections, UDP sends everything back."""

    def __init__(self, namespace, kind, address, port):
        self.namespace, self.kind, self.place = namespace, kind, (address, port)
        self.socket = None

    def set_alive(self, is_alive):
        if is_alive and self.socket is None:
            family = socket.AF_INET6 if ":" in self.place[0] else socket.AF_INET
            self.socket = self.namespace.socket(family, socket.SOCK_DGRAM if self.kind == "udp" else socket.SOCK_STREAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.place)
            if self.kind != "udp":
                self.socket.listen(64)
            threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()
        elif not is_alive and self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)   # wakes whoever waits in accept()
            self.socket.close()
            self.socket = None

    def close(self):
        """After its death."""

    def _serve(self, own):
        while True:
            try:
                if self.kind == "udp":
                    data, peer = own.recvfrom(2048)
                    if peer is None:
                        return   # shut down
                    own.sendto(data, peer)
                else:
                    self.talk(own.accept()[0])
            except OSError:
                if own.fileno() < 0 or self.socket is not own:
                    return

    def talk(self, connection):
        connection.close()


class PageServer(Server):
    """Answers whatever is asked with a page; by TLS when it has a certificate and the client begins so."""

    def __init__(self, namespace, address, port, certificate=None):
        super().__init__(namespace, "tcp", address, port)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)

    def talk(self, connection):
        threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            connection.settimeout(PATIENCE)
            first = connection.recv(1, socket.MSG_PEEK)
            if first == b"\x16" and self.context:
                connection = stack.enter_context(self.context.wrap_socket(connection, server_side=True))
            if first and connection.recv(65536):
                connection.sendall(ANSWER)


def make_certificate(directory):
    """A file with a key and a certificate of nobody that is known."""
    path = directory / "server.pem"
    if not path.exists():
        names = [str(directory / name) for name in ("key", "certificate")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", names[0], "-out", names[1], "-subj",
                        "/CN=server", "-days", "30"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE)
        path.write_text("".join((directory / name).read_text(encoding="ascii") for name in ("key", "certificate")), encoding="ascii")
    return path


class BfdPeer:
    """keepalived's BFD process on a machine of its own, because there can be one on each; it has a session with the director while it is alive, and dies without a word.
    It is 10.2.N.2, the director 10.2.N.1."""

    def __init__(self, director, directory, number):
        self.directory = directory
        self.namespace = NetworkNamespace(f"peer-{number}")
        self.process = None
        director.ip(f"link add bfd{number} type veth peer name eth0 netns {self.namespace.path}", f"addr add 10.2.{number}.1/24 dev bfd{number}", f"link set bfd{number} up")
        self.namespace.ip("link set lo up", f"addr add 10.2.{number}.2/24 dev eth0", "link set eth0 up")
        (directory / "run").mkdir(parents=True)
        (directory / "conf").write_text(f"bfd_instance director {{\n source_ip 10.2.{number}.2\n neighbor_ip 10.2.{number}.1\n{BFD_TIMES}}}\n", encoding="ascii")

    def set_alive(self, is_alive):
        if is_alive and self.process is None:
            files = [word for option, name in (("-p", "parent"), ("-c", "checkers"), ("-r", "vrrp"), ("-b", "bfd")) for word in (option, str(self.directory / f"{name}.pid"))]
            program = shutil.which("keepalived", path=os.environ["PATH"] + ":/usr/sbin")
            self.process = self.namespace.popen([program, "-n", "-l", "-f", str(self.directory / "conf"), *files], run_directory=self.directory / "run",
                                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elif not is_alive and self.process is not None:
            self.process.send_signal(signal.SIGSTOP)   # or it would start its child again, or tell it to take its leave
            with contextlib.suppress(OSError):   # it has not begun yet
                os.kill(int((self.directory / "bfd.pid").read_text(encoding="ascii")), signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self):
        self.namespace.close()
