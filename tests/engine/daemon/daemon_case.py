"""What the tests of a running vigild have in common."""
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rig import Rig, instance  # noqa: E402
from netlab import sandbox  # noqa: E402
from netlab.vigild import Vigild  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402
from test_program import exit_with, run_tests  # noqa: E402


class DaemonTest(unittest.TestCase):
    workspace = None

    def rig(self, text=None, name=None, **options):
        """Not started. `name`: where a test has several."""
        rig = Rig(self.workspace.path / (name or self.id().rpartition(".")[2]), instance() if text is None else text, **options)
        self.addCleanup(rig.close)
        return rig

    def started(self, text=None, **options):
        """A rig whose daemon holds the virtual address."""
        rig = self.rig(text, **options)
        rig.start()
        rig.wait_holds()
        rig.wait_for_line("Entering MASTER STATE")   # which comes after the address
        return rig


def main():
    reason = sandbox.why_not() or Vigild.why_not()
    if reason:
        print(f"skipped: {reason}")
        return sandbox.SKIPPED
    sandbox.enter()
    workspace = Workspace("vigil-daemon-")
    DaemonTest.workspace = workspace
    return run_tests(workspace)


def run_and_exit():
    exit_with(main())
