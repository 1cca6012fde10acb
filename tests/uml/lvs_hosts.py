"""The host that a keepalived.conf from somewhere is about: its interfaces, its real servers, its scripts, read from the file itself; in the guest (lvs_rig)."""
import re

from lvs_rig import Director
from lvs_servers import PageServer, make_certificate

OWN = "198.51.100.{}"     # of the director, one for each interface


def without_comments(text):
    return "\n".join(re.split("[#!]", line)[0] for line in text.splitlines())


class Needs:
    """What the file names, as far as a host must have it: found by looking for words, because the file may be broken."""

    def __init__(self, text):
        plain = without_comments(text)
        self.interfaces = self._words(plain, r"\b(?:interface|lvs_sync_daemon_interface|dev)\s+([\w.@-]+)") or ["eth0"]
        self.sources = self._words(plain, r"\b(?:mcast_src_ip|unicast_src_ip)\s+([\d.]+)")
        self.servers = self._words(plain, r"\b(?:real_server|connect_ip)\s+(\d+\.\d+\.\d+\.\d+)")
        self.ports = [int(port) for port in self._words(plain, r"\b(?:real_server\s+[\d.]+|connect_port|connect_ip\s+[\d.]+)\s+(\d+)")]
        self.scripts = self._words(plain, r"(?m)^\s*(?:script|notify\w*|misc_path|quorum_up|quorum_down)\s+\"?(/[^\s\"]+)")
        self.has_tls = "SSL_GET" in plain
        number = lambda word, default: max(map(int, re.findall(rf"\b{word}\s+(\d+)", plain)), default=default)
        # A check begins within the first loop, and is made again that often; each attempt against a port where nobody listens ends at once.
        self.seconds = 2 * number("delay_loop", 60) + (number("(?:nb_get_)?retry", 1) + 1) * (number("delay_before_retry", 3) + 1)

    @staticmethod
    def _words(text, pattern):
        return list(dict.fromkeys(re.findall(pattern, text)))


class Host(Director):
    """`program` on a host that has what `text` names. Whatever the file names as a real server is one machine behind the first interface."""

    def __init__(self, kind, program, directory, text):
        self.needs = Needs(text)
        self.text = text
        self.pages = []
        super().__init__(kind, program, directory)

    def _wire(self):
        needs = self.needs
        links = [f"link add {name} type veth peer name {name} netns {self.lan.path}" for name in needs.interfaces]
        own = [f"addr add {OWN.format(index + 1)}/32 dev {name}" for index, name in enumerate(needs.interfaces)]
        own += [f"addr add {address}/32 dev {needs.interfaces[index % len(needs.interfaces)]}" for index, address in enumerate(needs.sources)]
        ups = [f"link set {name} up" for name in ("lo", *needs.interfaces)]
        first = needs.interfaces[0]
        self.namespace.ip(*links, *own, *ups, f"route add default dev {first}")
        self.lan.ip(*ups, *(f"addr add {address}/32 dev {first}" for address in needs.servers), f"route add default dev {first}")

    def write_file(self):
        """The file as it is, but for scripts, which are all one that is content."""
        script = self._script("content", "exit 0")
        text = self.text
        for path in sorted(self.needs.scripts, key=len, reverse=True):
            text = text.replace(path, str(script))
        (self.directory / "conf").write_text(text, encoding="utf-8")

    def answer(self, is_answering):
        """On every port that the file names, at each of its real servers."""
        if is_answering and not self.pages:
            certificate = make_certificate(self.directory) if self.needs.has_tls else None
            self.pages = [PageServer(self.lan, address, port, certificate) for address in self.needs.servers for port in sorted(set(self.needs.ports))]
        for page in self.pages:
            page.set_alive(is_answering)

    def told(self):
        return []

    def close(self):
        self.answer(False)
        super().close()
