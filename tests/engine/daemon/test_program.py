"""How a program of tests runs and ends."""
import os
import sys
import unittest


def run_tests(workspace):
    """Those of the program. Its files stay for whoever wants to know why one failed. The exit status."""
    succeeded = False
    try:
        succeeded = unittest.main(module="__main__", exit=False, verbosity=2).result.wasSuccessful()
    finally:
        workspace.finish(keep=not succeeded)
    return 0 if succeeded else 1


def exit_with(status):
    """Threads of servers may still be waiting for clients that do not come: nobody waits for them."""
    sys.stdout.flush()
    os._exit(status)
