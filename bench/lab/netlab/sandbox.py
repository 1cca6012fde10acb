"""A process namespace and a mount namespace around one command.

The command runs three processes deep: the one that the user started waits and passes signals on; an init reaps
orphans; the worker does everything else. When the worker ends, or the first process dies (even by kill -9), the
kernel kills every process in the namespace, and with them go network namespaces, sockets and mounts. No list of
things to undo is needed for that; only files outside are the worker's to remove.
"""
import os
import signal
import sys

from . import netns

SKIPPED = 77
TIDY_SECONDS = 10


def why_not():
    """Why this machine cannot run a lab, or None."""
    if os.geteuid() != 0:
        return "needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN) to make network namespaces"
    child = os.fork()
    if child == 0:
        status = 0
        try:
            netns.unshare(netns.CLONE_NEWNET | netns.CLONE_NEWNS | netns.CLONE_NEWPID)
            netns.mount_fresh("proc", "/proc")
        except OSError as error:
            status = error.errno or 1
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        return f"cannot make namespaces with a /proc of their own here ({os.strerror(status)}); a container needs --privileged"
    return None


def enter():
    """Returns in the worker; the calling process never returns from here but exits with the worker's status."""
    netns.unshare(netns.CLONE_NEWNS | netns.CLONE_NEWPID)
    sys.stdout.flush()
    sys.stderr.flush()
    init = os.fork()
    if init != 0:
        _wait_outside(init)
    netns.die_with_parent(signal.SIGKILL)
    os.setsid()  # Ctrl-C reaches the outer process alone, and is passed on once
    netns.mount_fresh("proc", "/proc")
    worker = os.fork()
    if worker != 0:
        _reap(worker)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)


def _interrupt(*_):
    """The first signal ends the work; later ones do not disturb the tidying up that follows."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _wait_outside(init):
    """Passes TERM, INT and HUP on, so that the worker can end in order; kills all when that takes too long."""
    def pass_on(received, _):
        os.kill(init, received)
        signal.alarm(TIDY_SECONDS)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, pass_on)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(init, signal.SIGKILL))
    _exit_like(os.waitpid(init, 0)[1])


def _reap(worker):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda received, _: os.kill(worker, received))
    while True:
        pid, status = os.wait()
        if pid == worker:
            _exit_like(status)


def _exit_like(status):
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
