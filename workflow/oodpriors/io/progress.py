"""Reports progress on a terminal or in a log file."""

import sys
import time


class Progress:
    """Updates one line on a terminal; in a file, writes new lines at growing intervals.

    Args:
        total: total units of work.
        unit: name of the unit, in the plural.
        start: units that were done before.
    """

    def __init__(self, total: int, unit: str, start: int = 0) -> None:
        self.total, self.unit, self.start = total, unit, start
        self.began = time.monotonic()
        self.next_line = self.began + 5.0

    def update(self, done: int, note: str = "") -> None:
        """Report that ``done`` units are done, if the next report is due."""
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
