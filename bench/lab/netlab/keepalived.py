"""keepalived, and with it the configuration language that vigild shares."""
import os
import shutil
import signal
import subprocess

from .daemon import Daemon, descendants

# Real gateways give the daemon priority over batch work; so do we, because the tests share two cores with compilers.
NICE = -15


def instance_text(router):
    """One vrrp_instance block."""
    lines = ["    state BACKUP", f"    interface {router.interface}", f"    virtual_router_id {router.vrid}",
             f"    priority {router.priority}", f"    advert_int {router.interval:g}", f"    version {router.version}"]
    if router.authentication:
        kind, key = router.authentication
        lines += ["    authentication {", f"        auth_type {kind}", f"        auth_pass {key}", "    }"]
    if router.peers:
        lines += [f"    unicast_src_ip {router.source}", "    unicast_peer {"]
        lines += [f"        {peer}" for peer in router.peers] + ["    }"]
    if router.virtual_mac:
        lines.append("    use_vmac")
    if router.virtual_mac.endswith("base"):
        lines.append("    vmac_xmit_base")
    if not router.preempt:
        lines.append("    nopreempt")
    lines += ["    virtual_ipaddress {"] + [f"        {address}" for address in router.addresses] + ["    }"]
    if router.excluded:
        lines += ["    virtual_ipaddress_excluded {"] + [f"        {address}" for address in router.excluded] + ["    }"]
    return "\n".join([f"vrrp_instance {router.name} {{", *lines, "}", ""])


class Keepalived(Daemon):
    kind = "keepalived"

    def __init__(self, host, directory, virtual_routers=(), configuration=None):
        """Writes a file for `virtual_routers`, or runs the file `configuration` as it is."""
        super().__init__(host, directory, virtual_routers)
        self.exit_code = None
        self._run_directory = self.directory / f"{host.name}.run"
        self._run_directory.mkdir(exist_ok=True)
        self.configuration = configuration
        if configuration is None:
            self.configuration = self.directory / f"{host.name}.conf"
            self.configuration.write_text(self.configuration_text(virtual_routers), encoding="ascii")

    @staticmethod
    def configuration_text(virtual_routers):
        return "\n".join(instance_text(router) for router in virtual_routers)

    @classmethod
    def program(cls):
        return shutil.which("keepalived", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    @classmethod
    def why_not(cls, virtual_router=None):
        return None if cls.program() else "keepalived is not installed (packaging/install-dependencies peers)"

    def _command(self):
        pid_files = [self.directory / f"{self.host.name}.{name}.pid" for name in ("parent", "vrrp", "checkers")]
        return [self.program(), "-n", "-l", "-D", "-P", "-f", str(self.configuration),
                "-p", str(pid_files[0]), "-r", str(pid_files[1]), "-c", str(pid_files[2])]

    def _launch(self):
        with open(self.log, "ab") as log:
            self._process = self.host.namespace.popen(self._command(), nice=NICE, run_directory=self._run_directory,
                                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return [self._process.pid]

    def poll(self):
        """Exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def reload(self):
        self._process.send_signal(signal.SIGHUP)

    def kill_children(self):
        """kill -9 of all but the parent."""
        for pid in descendants(self._roots) - set(self._roots):
            os.kill(pid, signal.SIGKILL)

    def wait_gone(self, when):
        super().wait_gone(when)
        self.exit_code = self._process.wait()
