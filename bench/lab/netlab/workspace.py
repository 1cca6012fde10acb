"""A directory for configurations, logs and pid files that is gone afterwards.

It is locked while its owner lives. A directory whose owner was killed is found unlocked by the next run, and removed.
"""
import fcntl
import os
import pathlib
import shutil
import tempfile

LOCK, KEPT = ".in-use", ".kept"


class Workspace:
    def __init__(self, prefix):
        self._sweep(prefix)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.path.chmod(0o755)  # FRR's processes run as another user
        self._lock = os.open(self.path / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    @staticmethod
    def _sweep(prefix):
        for old in pathlib.Path(tempfile.gettempdir()).glob(prefix + "*"):
            if (old / KEPT).exists() or not (old / LOCK).exists():
                continue
            try:
                fd = os.open(old / LOCK, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
            except OSError:
                pass  # in use
            finally:
                os.close(fd)

    def finish(self, keep):
        if keep:
            (self.path / KEPT).touch()
            print(f"configurations and logs: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)
