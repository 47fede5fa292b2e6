"""LaTeX run in a folder of its own, with errors cut to what matters."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic

ENGINES = {
    "latexmk": [
        "latexmk",
        "-pdf",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
    ],
    "tectonic": ["tectonic", "--keep-logs"],
}
REMARK = re.compile(
    r"Overfull|LaTeX Warning: (Reference|Citation)|Package natbib Warning|oodpriors:"
)
LITTLE = 1.0  # points


def build_pdf(files: list[Path], main: str, output: Path) -> None:
    """Typeset main.tex, one of the files, with the others in the same folder.

    Raises:
        UserError: no TeX is installed, or LaTeX stopped; the message holds the error
            and the lines around it.
    """
    engine = next((name for name in ENGINES if shutil.which(name)), None)
    if engine is None:
        raise UserError(
            "no TeX here: apt-get install $(cat paper/debian-packages.txt), or run with --use-conda"
        )
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            shutil.copyfile(file, Path(folder, file.name))
        done = subprocess.run(
            [*ENGINES[engine], f"{main}.tex"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            raise UserError(f"LaTeX stopped:\n{_essence(done.stdout + done.stderr)}")
        log = Path(folder, f"{main}.log")
        for line in remarks(log.read_text("utf-8", errors="replace") if log.exists() else ""):
            print(line, file=sys.stderr)
        with atomic(output) as temporary:
            shutil.copyfile(Path(folder, f"{main}.pdf"), temporary)


def remarks(log: str) -> list[str]:
    """Lines of LaTeX's log that a reader looks for: margins, what is undefined, main.tex's own."""
    return [line for line in log.splitlines() if REMARK.match(line) and not _little(line)]


def _little(line: str) -> bool:
    """Too wide by so little that nobody sees it."""
    found = re.search(r"\(([\d.]+)pt too", line)
    return found is not None and float(found[1]) <= LITTLE


def _essence(log: str) -> str:
    """The first error with the lines that follow it."""
    lines = log.splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"(!|error:|\S+\.tex:\d+:)", line)]
    first = starts[0] if starts else max(len(lines) - 12, 0)
    return "\n".join(lines[first : first + 12])
