"""A kernel that has everything, for tests whose machine lacks VRF, VLAN, bond, dummy or IPVS.

User-mode Linux (Debian package user-mode-linux) is a whole kernel in an ordinary process: it boots in three seconds with this machine's files as
its root, so programs and tests run in it as they are. It has one processor and a clock in real time.

    status = guest.run(["python3", "some_test"], modules=["vrf"], environment={...}, seconds=300)

The command is a child of the guest's first process (guest_init.py). It has /tmp, /run, /proc and /sys of its own; everything else is the host's, writes
included. What it prints appears here when it has ended.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

MODULES = pathlib.Path("/usr/lib/uml/modules")
INIT = pathlib.Path(__file__).resolve().with_name("guest_init.py")
MEMORY = "512M"


def program():
    return shutil.which("linux.uml", path=os.environ.get("PATH", "") + ":/usr/bin")


def why_not():
    """Why there can be no guest here, or None."""
    if not program() or not MODULES.is_dir():
        return "user-mode Linux is not here (Debian package user-mode-linux, amd64 and i386)"
    if os.geteuid() != 0:
        return "user-mode Linux needs root here, because what runs in it does"
    return None


def run(command, modules=(), environment=None, seconds=300, memory=MEMORY):
    """Exit status of the command; an exception when the guest did not come to it, or took too long. `memory`: as the kernel's option mem= has it."""
    # Not below /tmp, which the guest has of its own.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="vigil-uml-", dir="/var/tmp"))
    try:
        return _run(scratch, command, modules, environment or {}, seconds, memory)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(scratch, command, modules, environment, seconds, memory):
    job = {"command": [str(word) for word in command], "modules": list(modules), "directory": os.getcwd(),
           "environment": {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")} | environment}
    (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
    console = scratch / "console"
    with open(console, "wb") as out:
        guest = subprocess.Popen(
            [program(), f"mem={memory}", "rootfstype=hostfs", "rootflags=/", "root=/dev/root", "rw", f"init={INIT}", f"uml_dir={scratch}", "umid=guest",
             "con0=null,fd:1", "con=null", "quiet", f"VIGIL_SCRATCH={scratch}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=os.environ | {"TMPDIR": str(scratch)}, start_new_session=True)
        try:
            guest.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if guest.poll() is None:
                os.killpg(guest.pid, signal.SIGKILL)   # its own session: nothing but the guest's processes is in it
                guest.wait()
    output, status = scratch / "output", scratch / "status"
    if output.exists():
        sys.stdout.write(output.read_text(encoding="utf-8", errors="replace"))
        sys.stdout.flush()
    if not status.exists():
        tail = console.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"the guest did not finish its job within {seconds} s; its console ends with:\n{tail}")
    return int(status.read_text(encoding="ascii"))
