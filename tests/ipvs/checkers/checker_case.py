"""What the tests of checkers have in common: a small network, real servers in it, and check_once."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "bench" / "lab")]
import servers  # noqa: E402
from netlab import netns, sandbox  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402
from servers import Talker  # noqa: E402

LIMIT_MIB = 1024 if os.environ.get("VIGIL_SANITIZED") else 32   # sanitizers have memory of their own
CHECK_ONCE = os.environ.get("CHECK_ONCE", str(HERE.parents[2] / "build" / "tests" / "check_once"))
UNUSED = 9   # discard: nobody listens there
VOID = "10.9.0.99"   # takes packets and never answers
OK_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def check_once(method, address, port, *words, timeout=300):
    """Makes one check. `timeout`: its connect_timeout, in milliseconds. The verdict, how long it took, and the most memory that the process had."""
    run = subprocess.run([CHECK_ONCE, method, address, str(port), f"timeout={timeout}", *words], capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        raise AssertionError(f"check_once {method} ends with {run.returncode}: {run.stderr}")
    answer = json.loads(run.stdout)
    if answer["rss_kib"] >= LIMIT_MIB * 1024:
        raise AssertionError(f"it took more memory than {LIMIT_MIB} MiB: {answer}")
    return answer


class CheckerTest(unittest.TestCase):
    directory = None
    authority = None
    certificates = {}

    def check(self, *arguments, **options):
        return check_once(*arguments, **options)

    def ok(self, *arguments, **options):
        answer = self.check(*arguments, **options)
        self.assertEqual((answer["outcome"], answer["cause"]), ("ok", ""))
        return answer

    def fails(self, cause, *arguments, outcome="failed", **options):
        answer = self.check(*arguments, **options)
        self.assertEqual((answer["outcome"], answer["cause"]), (outcome, cause))
        self.assertEqual(answer["timed_out"], bool(re.search(r"within [0-9.]+ m?s$|it took longer", cause)))
        return answer

    def http_fails(self, cause, talk, *words, **options):
        return self.fails(cause, "http", "127.0.0.1", Talker(talk).port, *(words or ("url=/",)), **options)


def why_not():
    if reason := sandbox.why_not():
        return reason
    missing = servers.missing_programs()
    return f"needs {', '.join(missing)}" if missing else None


def prepare_network():
    netns.unshare(netns.CLONE_NEWNET)
    ip("link", "set", "lo", "up")
    ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    for name in ("veth0", "veth1"):
        ip("link", "set", name, "up")
    ip("address", "add", "10.9.0.1/24", "dev", "veth0")
    ip("address", "add", "fe80::9/64", "dev", "veth0", "nodad")
    ip("neighbor", "add", VOID, "lladdr", "02:00:00:00:00:99", "dev", "veth0")


def prepare_certificates(directory):
    """The last one is of a server that wants one of its client, too."""
    authority = servers.Authority(directory)
    CheckerTest.directory, CheckerTest.authority = directory, authority
    CheckerTest.certificates = {8443: authority.issue("good"), 8444: authority.issue("expired", days=-1), 8445: authority.issue("other", "DNS:other.invalid"),
                                8446: authority.self_signed("alone"), 8447: authority.issue("strict")}


def start_nginx():
    return servers.Nginx(CheckerTest.directory, CheckerTest.certificates, CheckerTest.authority.ca)


def in_sandbox(work):
    """The exit code of a test: work(directory) says whether all was well. Its servers need not be stopped."""
    if reason := why_not():
        print(f"skipped: {reason}")
        return sandbox.SKIPPED
    sandbox.enter()
    prepare_network()
    workspace = Workspace("vigil-checkers-")
    succeeded = False
    try:
        prepare_certificates(str(workspace.path))
        succeeded = work(str(workspace.path))
    finally:
        workspace.finish(keep=not succeeded)
    return 0 if succeeded else 1


def run_and_exit(start_servers):
    """The cases of the program, while what start_servers() returns is running."""
    def work(_):
        running = start_servers()
        succeeded = unittest.main(exit=False, verbosity=2).result.wasSuccessful()
        del running
        return succeeded
    exit_with(in_sandbox(work))


def exit_with(status):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)   # threads of servers are waiting for clients that do not come
