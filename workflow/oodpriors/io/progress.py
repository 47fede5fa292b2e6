"""Progress that reads well on a terminal and in a log file."""

import sys
import time


class Progress:
    """One changing line on a terminal; in a file, a line now and then, ever more rarely.

    Args:
        total: units of work in all.
        unit: their name.
        start: units that were done before.
    """

    def __init__(self, total: int, unit: str, start: int = 0) -> None:
        self.total, self.unit, self.start = total, unit, start
        self.began = time.monotonic()
        self.next_line = self.began + 5.0

    def update(self, done: int, note: str = "") -> None:
        """Report that ``done`` units are done, if it is time to."""
        now = time.monotonic()
        if now < self.next_line and done < self.total:
            return
        elapsed = now - self.began
        left = elapsed / max(done - self.start, 1) * (self.total - done)
        line = f"{done}/{self.total} {self.unit} ({done / self.total:.0%}), {left:.0f} s left"
        line += f", {note}" if note else ""
        terminal = sys.stderr.isatty()
        end = "\r" if terminal and done < self.total else "\n"
        print(line, end=end, file=sys.stderr, flush=True)
        self.next_line = now + (0.2 if terminal else max(10.0, elapsed / 4))
