"""What the commands that play the load balancer beside keepalived have in common: the programs, the guest and its modules."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

import guest

TOP = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
IS_GUEST = "VIGIL_IS_GUEST"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq")
MODULES = ["veth", "af_packet", "ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS), "ip_vs_pe_sip"]


def programs():
    build = pathlib.Path(os.environ.get("VIGIL_BUILD", TOP / "build"))
    return {"vigil": os.environ.get("VIGILD") or str(build / "bin" / "vigild"), "keepalived": shutil.which("keepalived", path=PATH)}


def keepalived_version():
    done = subprocess.run([programs()["keepalived"], "--version"], capture_output=True, text=True, check=False)
    return re.search(r"Keepalived v\S+", done.stderr)[0]


def why_not():
    if not os.access(programs()["vigil"], os.X_OK):
        return "vigild is not built (set VIGILD to its path)"
    if not programs()["keepalived"]:
        return "keepalived is not installed (packaging/install-dependencies peers)"
    if not shutil.which("ipvsadm", path=PATH):
        return "ipvsadm is not here (Debian package ipvsadm)"
    return guest.why_not()


def forget_name_servers():
    """In the guest, where none can be reached: who asks for a name learns at once that there is none."""
    pathlib.Path("/run/resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    subprocess.run(["mount", "--bind", "/run/resolv.conf", "/etc/resolv.conf"], check=True)


def run_and_exit(program, main, passed_on=(), seconds=1500):
    """Exits with the status of main(), run in the guest by starting this program there. `passed_on`: variables that it needs there."""
    if os.environ.get(IS_GUEST):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        sys.exit(main())
    if why_not():
        print(f"skipped: {why_not()}")
        sys.exit(SKIPPED)
    environment = {IS_GUEST: "1", "VIGILD": programs()["vigil"]} | {name: os.environ[name] for name in passed_on if name in os.environ}
    sys.exit(guest.run([sys.executable, os.path.abspath(program), *sys.argv[1:]], MODULES, environment, seconds=seconds))
