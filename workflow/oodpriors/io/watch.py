"""How far the models of a run are, from the files of its jobs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

OUTPUTS = {"train": "weights.pt", "score": "scores.parquet"}
NAMED = 3  # running jobs that are named


class Job(NamedTuple):
    """A job of a model: ``train`` or ``score``, in ``.../architecture/subset/prior/seed``."""

    kind: str
    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / OUTPUTS[self.kind]

    @property
    def log(self) -> Path:
        return self.folder / f"{self.kind}.log"

    @property
    def seconds(self) -> float | None:
        """Time that the finished job took, from Snakemake's benchmark."""
        path = self.folder / f"{self.kind}.benchmark.tsv"
        try:
            return float(path.read_text(encoding="utf-8").splitlines()[1].split()[0])
        except (OSError, IndexError, ValueError):
            return None


def changes(jobs: Sequence[Job]) -> dict[Path, float]:
    """When the output and the log of each job were last changed; -inf if they are not there."""
    return {path: _changed(path) for job in jobs for path in (job.output, job.log)}


def status(jobs: Sequence[Job], before: Mapping[Path, float]) -> str:
    """Describe what is done, what runs, and the time that is still needed.

    The time is that of finished jobs of the same architecture and subset, or else of any,
    divided by the number of jobs that run at once.

    Args:
        jobs: of this run.
        before: :func:`changes` at its start.
    """
    done = {
        job for job in jobs if _changed(job.output) != before[job.output] and job.output.exists()
    }
    counts = ", ".join(
        f"{sum(job.kind == kind for job in done)} of {number} models {word}"
        for kind, word in (("train", "trained"), ("score", "scored"))
        if (number := sum(job.kind == kind for job in jobs))
    )
    running = [
        (job, said)
        for job in jobs
        if job not in done
        and _changed(job.log) != before[job.log]
        and (said := _said(job.log)) is not None
    ]
    parts = [counts, *(f"{job.kind} {_name(job)}{said}" for job, said in running[:NAMED])]
    parts += [f"{len(running) - NAMED} more"] if len(running) > NAMED else []
    left = sum(_needed(jobs, done)) / max(len(running), 1) / 60
    return "; ".join([*parts, f"about {max(left, 1):.0f} min left for models"] if left else parts)


def _needed(jobs: Sequence[Job], done: set[Job]) -> Iterator[float]:
    """Seconds that each job still needs, as far as there is something to tell it from."""
    known: dict[tuple, list[float]] = {}
    for job in done:
        for key in (_alike(job), (job.kind,)):
            known.setdefault(key, []).extend([job.seconds] if job.seconds else [])
    for job in jobs:
        times = known.get(_alike(job)) or known.get((job.kind,))
        if job not in done and times:
            yield sum(times) / len(times)


def _alike(job: Job) -> tuple[str, ...]:
    return (job.kind, *job.folder.parts[-4:-2])


def _name(job: Job) -> str:
    return "/".join(job.folder.parts[-4:])


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("-inf")


def _said(log: Path) -> str | None:
    """What a running job said last of how far it is; None if it ended with an error."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    last = lines[-1] if lines else ""
    if last.startswith("error:") or any(line.startswith("Traceback") for line in lines):
        return None
    return f" ({last.strip()})" if " left" in last else ""
