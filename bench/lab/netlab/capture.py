"""Records what crosses the switch into a pcap file, by tcpdump."""
import shutil
import signal
import subprocess

from .daemon import wait_for


class Capture:
    """`start` returns when tcpdump listens, `stop` when the file is complete."""

    def __init__(self, path, expression="not icmp"):
        self.path = path
        self._expression = expression
        self._process = None

    @staticmethod
    def why_not():
        return None if shutil.which("tcpdump") else "tcpdump is not installed (packaging/install-dependencies test)"

    def start(self, lan, interface="eth0"):
        notes = self.path.with_suffix(".tcpdump")
        with open(notes, "wb") as file:
            self._process = lan.switch.popen(
                ["tcpdump", "-i", lan.bridge(interface), "-U", "-n", "-s", "0", "-Z", "root", "-w", str(self.path),
                 self._expression], stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        wait_for(lambda: b"listening on" in notes.read_bytes(), 10, "tcpdump listens")
        notes.unlink()

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
