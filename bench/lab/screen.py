"""A terminal with a block of lines that is drawn anew in place, and events that scroll away above it.

When the output is no terminal there is no block: only the events are printed, one line each.
"""
import shutil
import sys
import time

REDRAW_SECONDS = 0.1


class Screen:
    def __init__(self, stream=sys.stdout):
        self._stream = stream
        self._live = stream.isatty()
        self._drawn = 0
        self._drawn_at = 0.0

    def _erase(self):
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def say(self, *lines):
        self._erase()
        for line in lines:
            self._stream.write(line + "\n")
        self._stream.flush()

    def show(self, lines):
        """Draws the block; a line longer than the terminal is wide is cut, because a wrapped one cannot be erased."""
        if not self._live or (self._drawn and time.monotonic() < self._drawn_at + REDRAW_SECONDS):
            return
        self._drawn_at = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        self._erase()
        for line in lines:
            self._stream.write(line[:width] + "\n")
        self._drawn = len(lines)
        self._stream.flush()

    def finish(self):
        self._erase()
        self._stream.flush()
