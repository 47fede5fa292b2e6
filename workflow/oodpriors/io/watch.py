"""How far the models of a run are, from the files of its folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

JOBS = {"train": "weights.pt", "score": "scores.parquet"}  # job and its output


def status(models: Sequence[Path], since: float) -> str:
    """Describe what is done, what runs, and the time that the models still need.

    The time is that of finished models of the same architecture and subset, or else of any,
    divided by the number of jobs that run at once.

    Args:
        models: folders ``.../architecture/subset/prior/seed``.
        since: start of the run, in seconds since the epoch; older logs are of other runs.
    """
    done = {job: [(folder / file).exists() for folder in models] for job, file in JOBS.items()}
    counts = f"{sum(done['train'])} of {len(models)} models trained, {sum(done['score'])} scored"
    running = [
        (job, folder, folder / f"{job}.log")
        for job in JOBS
        for folder, finished in zip(models, done[job], strict=True)
        if not finished and _changed(folder / f"{job}.log") >= since
    ]
    parts = [counts, *(f"{job} {_name(folder)}{_progress(log)}" for job, folder, log in running)]
    left = _seconds_left(models, done) / max(len(running), 1) / 60
    return "; ".join([*parts, f"about {max(left, 1):.0f} min left for models"] if left else parts)


def _seconds_left(models: Sequence[Path], done: dict[str, list[bool]]) -> float:
    """Time of all jobs that are not done, one after the other; 0 if none was measured."""
    total = 0.0
    for job, finished in done.items():
        seconds: dict[tuple, list[float]] = {}
        for folder in models:
            for key in (_kind(folder), ()):
                seconds.setdefault(key, []).extend(_measured(folder / f"{job}.benchmark.tsv"))
        for folder, ready in zip(models, finished, strict=True):
            known = seconds[_kind(folder)] or seconds[()]
            total += 0 if ready or not known else sum(known) / len(known)
    return total


def _kind(folder: Path) -> tuple[str, ...]:
    return folder.parts[-4:-2]


def _name(folder: Path) -> str:
    return "/".join(folder.parts[-4:])


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("-inf")


def _progress(log: Path) -> str:
    """What the job said last, if it has said how far it is."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return f" ({lines[-1].strip()})" if lines and " left" in lines[-1] else ""


def _measured(benchmark: Path) -> Iterator[float]:
    """Seconds of a finished job, from Snakemake's benchmark."""
    try:
        yield float(benchmark.read_text(encoding="utf-8").splitlines()[1].split()[0])
    except (OSError, IndexError, ValueError):
        return
