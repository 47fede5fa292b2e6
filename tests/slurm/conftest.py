"""A cluster for the session, and runs of Snakemake on it that tests can disturb."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml
from tests.slurm.cluster import NODES, Cluster
from tests.workflow.conftest import ROOT, copy_project

# a status query every few seconds, because tests are short
SLURM = (
    *("--workflow-profile", "profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "3"),
)
BUDGET = yaml.safe_load((ROOT / "config/scales/smoke.yaml").read_text())["models"]
MODEL = "glow/fashion_1_7/bimodal_50"
FOLDER = f"results/smoke-embedded/models/{MODEL}/seed0"
TARGET = f"{FOLDER}/weights.pt"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes that SLURM's commands can find."""
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.up()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, cluster.environment[name])
        yield cluster
    cluster.down()


class Run:
    """A Snakemake that makes the weights of one model, in a copy of the project."""

    def __init__(self, cluster: Cluster, folder: Path, changes: dict) -> None:
        self.cluster, self.folder = cluster, copy_project(folder)
        config = {"scale": "smoke", "data": "embedded", "save_every": 0.5} | changes
        (folder / "mine.yaml").write_text(yaml.safe_dump(config))
        self.earlier = set(cluster.queue("%i"))
        self.output = ""

    def start(self, *arguments: str) -> "Run":
        with open(self.folder / "output", "a") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "snakemake", "--configfile", "mine.yaml"),
                    *(*arguments, "--", TARGET),
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def wait(self, seconds: float = 300.0) -> int:
        """Exit status of Snakemake."""
        try:
            return self.process.wait(seconds)
        finally:
            self.output = (self.folder / "output").read_text()

    def abort(self) -> None:
        """Kill Snakemake and cancel its jobs, where a failed test left them."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        for job in self.jobs():
            self.cluster.cancel(job)

    def read(self, name: str) -> str:
        path = self.folder / FOLDER / name
        return path.read_text() if path.exists() else ""

    def weights(self) -> bytes:
        return (self.folder / TARGET).read_bytes()

    def checkpoints(self) -> list[Path]:
        return list((self.folder / FOLDER).glob("checkpoint.*.pt"))

    def jobs(self) -> dict[str, str]:
        """State of every job of this run, by its number."""
        lines = sorted((line.split() for line in self.cluster.queue("%i %T")), key=by_number)
        return {job: state for job, state in lines if job not in self.earlier}

    def trainers(self) -> list[int]:
        """Processes that train, in any job."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                script = any(part.endswith(b".train.py") for part in command[:4])
                if script and (folder / "cwd").readlink() == self.folder:
                    found.append(int(folder.name))
        return found

    @contextmanager
    def frozen(self) -> Iterator[int]:
        """Suspend the only training process during the block; returns its number."""
        (trainer,) = self.trainers()
        os.kill(trainer, signal.SIGSTOP)
        try:
            yield trainer
        finally:
            with suppress(ProcessLookupError):
                os.kill(trainer, signal.SIGCONT)

    def training(self) -> str:
        """Wait until the training runs and has a checkpoint; returns its job number."""
        self.cluster.wait_for(
            lambda: self.process.poll() is not None or self.checkpoints(), "checkpoint", 120
        )
        assert self.process.poll() is None, (self.folder / "output").read_text()
        time.sleep(1)  # some more steps
        (job,) = (job for job, state in self.jobs().items() if state == "RUNNING")
        return job


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Callable[..., Run]:
    """Start a run of one training on the cluster with changes to the configuration."""

    started: list[Run] = []

    def start(changes: dict, *arguments: str) -> Run:
        started.append(Run(cluster, tmp_path, changes))
        return started[-1].start(*SLURM, *arguments)

    yield start
    for each in started:
        each.abort()
    for node in NODES:
        if cluster.states()[node] != "idle":
            cluster.restore_node(node)


def by_number(line: list[str]) -> int:
    return int(line[0])


def trained_longer(epochs: int) -> dict:
    return {"models": {"glow": {"training": {"epochs": epochs}}}}
