"""One network namespace, held by an open file descriptor.

There is no name under /run/netns: the namespace goes away with the last process and descriptor in it, so a command
that dies leaves nothing to delete. Programs that take a namespace by path get /proc/PID/fd/N.
"""
import contextlib
import ctypes
import os
import socket
import subprocess

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
CLONE_NEWPID = 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, kind, flags):
    encode = lambda text: text.encode() if text is not None else None
    _check(_libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), None), f"mount {target}")


def die_with_parent(signal_number):
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def mount_fresh(kind, target):
    """Mounts a new proc or sysfs over `target` in this mount namespace alone.

    Inside a plain chroot "/" is no mount point and cannot be made private; the target itself always can.
    """
    try:
        mount(None, "/", None, MS_REC | MS_PRIVATE)
    except OSError:
        mount(None, target, None, MS_REC | MS_PRIVATE)
    mount(kind, target, kind, MS_NOSUID | MS_NODEV | MS_NOEXEC)


def become_machine(run_directory):
    """In a mount namespace of its own the calling process sees its network namespace's devices under /sys, as after
    `ip netns exec`, and `run_directory` as /run: what one router remembers there is no other's."""
    unshare(CLONE_NEWNS)
    with contextlib.suppress(OSError):  # in a chroot without /sys there is nothing to replace
        mount_fresh("sysfs", "/sys")
    with contextlib.suppress(OSError):  # nor where "/" cannot be made private: the mount would be everybody's
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        mount(str(run_directory), "/run", None, MS_BIND)


def why_no_machine():
    """Why become_machine() gives nobody a /run of its own here, or None."""
    child = os.fork()
    if child == 0:
        try:
            unshare(CLONE_NEWNS)
            mount(None, "/", None, MS_REC | MS_PRIVATE)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"there can be no /run of its own here: \"/\" cannot be made private ({os.strerror(status)}), as in a plain chroot" if status else None


class NetworkNamespace:
    def __init__(self, name):
        self.name = name
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            unshare(CLONE_NEWNET)
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            setns(before, CLONE_NEWNET)
        finally:
            os.close(before)

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside the namespace for the duration of the block."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(self._fd, CLONE_NEWNET)
            yield self
        finally:
            setns(before, CLONE_NEWNET)
            os.close(before)

    def socket(self, *arguments):
        with self.entered():
            return socket.socket(*arguments)

    def sysctl(self, name, value, required=True):
        """`name` with dots, or with slashes where an interface name may have dots."""
        path = "/proc/sys/" + (name if "/" in name else name.replace(".", "/"))
        with self.entered():
            try:
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(value))
            except OSError:
                if required:
                    raise

    def popen(self, command, nice=0, run_directory=None, **options):
        """Starts a program inside; with run_directory, as on a machine of its own (see become_machine)."""
        fd = self._fd

        def prepare():
            setns(fd, CLONE_NEWNET)
            if run_directory:
                become_machine(run_directory)
            if nice:
                os.nice(nice)

        return subprocess.Popen(command, preexec_fn=prepare, start_new_session=True, **options)

    def run(self, command, input_text=None, check=True, timeout=20):
        """Runs a short command inside and returns its standard output; a failure is an error that quotes it."""
        process = self.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            output, complaint = process.communicate(input_text, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        if check and process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} in {self.name}: {complaint.strip() or output.strip()}")
        return output

    def ip(self, *lines):
        """Runs `ip` with each line as one command of a batch."""
        if lines:
            self.run(["ip", "-batch", "-"], "\n".join(lines) + "\n")
