#!/usr/bin/python3
"""The first process of a user-mode Linux guest (guest.py): mounts, loads modules, runs one command, writes its exit status, turns the guest off.

The host's files stay as they are: what is mounted here is the guest's. Modules are looked for below /run, so that no directory has to be made on the
host."""
import contextlib
import ctypes
import json
import os
import pathlib
import subprocess
import sys

LINUX_REBOOT_CMD_POWER_OFF = 0x4321FEDC
libc = ctypes.CDLL(None, use_errno=True)


def mount(kind, target, options=""):
    if libc.mount(kind.encode(), target.encode(), kind.encode(), 0, options.encode()) != 0:
        print(f"guest: cannot mount {kind} on {target}: {os.strerror(ctypes.get_errno())}", flush=True)


def load_modules(names):
    top = pathlib.Path("/run/vigil-modules")
    directory = top / "lib" / "modules"
    directory.mkdir(parents=True)
    release = os.uname().release
    (directory / release).symlink_to(f"/usr/lib/uml/modules/{release}")
    for name in names:
        done = subprocess.run(["modprobe", "-d", str(top), name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            print(f"guest: cannot load {name}: {done.stdout.decode(errors='replace').strip()}", flush=True)


def run(job):
    """As the first process, it also reaps whoever lost its parent."""
    child = subprocess.Popen(job["command"], stdin=subprocess.DEVNULL, cwd=job["directory"], env=job["environment"])
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def main():
    scratch = pathlib.Path(os.environ["VIGIL_SCRATCH"])
    output = os.open(scratch / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    mount("proc", "/proc")
    mount("sysfs", "/sys")
    for directory in ("/run", "/tmp"):
        mount("tmpfs", directory, "mode=1777")
    job = json.loads((scratch / "job.json").read_text(encoding="utf-8"))
    os.environ["PATH"] = job["environment"]["PATH"] + ":/usr/sbin:/sbin"
    load_modules(job["modules"])
    status = run(job)
    (scratch / "status").write_text(str(status), encoding="ascii")


try:
    main()
except BaseException as error:   # an init that ends is a kernel panic
    print(f"guest: {error!r}", flush=True)
finally:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os.sync()
    libc.reboot(LINUX_REBOOT_CMD_POWER_OFF)
