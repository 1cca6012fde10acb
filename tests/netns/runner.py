"""Plays matches in parallel, each in a process of its own, and prints what came out."""
import os
import pickle
import selectors
import signal
import time

from netlab.daemon import descendants

MATCH_SECONDS = 150     # a match that takes longer is stuck


class _Playing:
    """One match in a child process; its result comes through a pipe."""

    def __init__(self, match):
        self.match = match
        self.deadline = time.monotonic() + MATCH_SECONDS
        self.pipe, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self.pipe)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                result = match.play()
                with os.fdopen(writer, "wb") as file:
                    pickle.dump(result, file)
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        self._data = b""

    def read(self):
        """True when the match is over."""
        part = os.read(self.pipe, 65536)
        self._data += part
        return not part

    def finish(self):
        os.close(self.pipe)
        for pid in descendants([self.pid]):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        if self._data:
            return pickle.loads(self._data)
        result = self.match.result
        result.failed, result.reason = "whole", f"no result within {MATCH_SECONDS} s, or the match's process died"
        return result


def play_all(matches, jobs):
    """Results in the order of `matches`, slowest scenarios started first.

    A match that failed where the machine may be to blame is played again when all others are over, alone, and that counts."""
    results = _play(sorted(matches, key=lambda match: -match.scenario.router.interval), jobs)
    for match, result in _play([match for match in matches if results[match].is_doubtful], 1).items():
        result.is_second = True
        results[match] = result
    return [results[match] for match in matches]


def _play(matches, jobs):
    """match -> its result"""
    waiting, playing, results = list(matches), {}, {}
    with selectors.DefaultSelector() as selector:
        while waiting or playing:
            while waiting and len(playing) < jobs:
                now = _Playing(waiting.pop(0))
                playing[now.pipe] = now
                selector.register(now.pipe, selectors.EVENT_READ)
            ready = {key.fd for key, _ in selector.select(1)}
            over = [one for fd, one in playing.items()
                    if (fd in ready and one.read()) or time.monotonic() > one.deadline]
            for one in over:
                selector.unregister(one.pipe)
                del playing[one.pipe]
                results[one.match] = one.finish()
    return results


def print_table(results):
    """One line per match: seconds of each phase as it passed, or where and why it failed."""
    print("\nseconds: elect = start to holder; stop = priority 0 to the other's first advert; kill -9 = to the other's address;"
          "\nreturn = until it takes back, or while it must stay Backup; partition = heal to one holder\n")
    columns = list(dict.fromkeys(phase for result in results for phase in result.phases if phase != "end")) + ["end"]
    widths = [max(8, len(column) + 2) for column in columns]
    print(f"{'scenario':19}{'A:B':24}" + "".join(f"{column:>{width}}" for column, width in zip(columns, widths)))
    for result in results:
        cells = [f"{result.seconds[phase]:.3f}" if phase in result.seconds
                 else "FAILED" if phase == result.failed else "" for phase in columns]
        line = f"{result.scenario:19}{result.pair:24}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))
        print(line.rstrip() + (f"   ({result.stalls} stalls of the machine)" if result.stalls else "") + ("   (second time, alone)" if result.is_second else ""))
    failed = [result for result in results if result.failed]
    reasons = {}
    for result in failed:
        reasons.setdefault(result.reason, []).append(f"{result.scenario} {result.pair}, {result.failed}")
    for reason, where in reasons.items():
        print("\n" + "\n".join(where) + f":\n    {reason.strip()}")
    print(f"\n{len(results)} matches, {len(results) - len(failed)} passed, {len(failed)} failed")
