"""After SLURM stops a training, it is queued again but repeats no step."""

import os
import re
import signal
from collections import Counter

import pytest
from tests.slurm.conftest import BUDGET, SLURM, Run, by_number, trained_longer

EPOCHS = 40
SHORT = trained_longer(EPOCHS)


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Weights of the same training without SLURM."""
    run = Run(cluster, tmp_path_factory.mktemp("undisturbed"), SHORT).start("--cores", "1")
    assert run.wait() == 0, run.output
    return run.weights()


def assert_went_on(run: Run, undisturbed: bytes) -> None:
    """Checks that the last attempt continued an earlier one, with unchanged weights."""
    assert re.search(r"resumed from \S+ at step [1-9]", run.read("train.log"))
    assert run.weights() == undisturbed


def test_a_cancelled_training_is_submitted_again_and_goes_on(cluster, run, undisturbed):
    disturbed = run(SHORT)
    job = disturbed.training()
    cluster.cancel(job)
    assert disturbed.wait() == 0, disturbed.output
    assert Counter(disturbed.jobs().values()) == {"CANCELLED": 1, "COMPLETED": 1}
    assert_went_on(disturbed, undisturbed)


def test_a_requeued_training_goes_on_in_its_second_life(cluster, run, undisturbed):
    disturbed = run(SHORT)
    job = disturbed.training()
    cluster.control("requeue", job)
    assert disturbed.wait() == 0, disturbed.output
    assert disturbed.jobs() == {job: "COMPLETED"}
    assert_went_on(disturbed, undisturbed)


def test_a_training_goes_on_elsewhere_when_its_node_dies(cluster, run, undisturbed):
    disturbed = run(SHORT)
    job = disturbed.training()
    node = cluster.node_of(job)
    cluster.kill_node(node)
    assert disturbed.wait() == 0, disturbed.output
    assert disturbed.jobs() == {job: "COMPLETED"}
    assert cluster.node_of(job) != node
    assert_went_on(disturbed, undisturbed)


def test_two_lives_of_one_job_do_not_mix(cluster, run, undisturbed):
    """A node that SLURM lost continues to compute while the job runs again elsewhere."""
    disturbed = run(SHORT)
    job = disturbed.training()
    with disturbed.frozen() as trainer:  # otherwise it would end before SLURM notices
        cluster.kill_daemon(cluster.node_of(job))
        cluster.wait_for(lambda: disturbed.trainers() != [trainer], "second life", 90)
        cluster.wait_for(lambda: "held by another process" in disturbed.read("train.log"), "lock")
    assert disturbed.wait() == 0, disturbed.output
    assert "another attempt has finished this training" in disturbed.read("train.log")
    assert disturbed.weights() == undisturbed


def test_a_training_longer_than_its_time_limit_goes_on_in_the_next_job(cluster, run, undisturbed):
    changes = trained_longer(EPOCHS)
    changes["models"]["glow"]["runtime"] = 1
    disturbed = run(changes)
    job = disturbed.training()
    with disturbed.frozen():  # otherwise it would end before its minute is over
        cluster.wait_for(lambda: disturbed.jobs()[job] != "RUNNING", "time limit", 180)
    assert disturbed.wait() == 0, disturbed.output
    states = disturbed.jobs()
    assert list(states.values()) == ["TIMEOUT"] * (len(states) - 1) + ["COMPLETED"]
    assert len(states) > 1
    # each attempt requests more
    lines = sorted((line.split() for line in cluster.queue("%i %l %m")), key=by_number)
    asked = [(limit, memory) for job, limit, memory in lines if job in states]
    attempts = range(1, len(asked) + 1)
    assert asked == [(f"{n}:00", f"{n * BUDGET['glow']['mem_mb']}M") for n in attempts]
    assert_went_on(disturbed, undisturbed)
    # the signal loses no steps; a job may be killed before it logs where it stopped
    stopped = sorted({int(n) for n in re.findall(r"stopped at step (\d+)", disturbed.output)})
    resumed = int(re.search(r"at step (\d+)", disturbed.read("train.log"))[1])
    if len(stopped) == len(states) - 1:
        assert resumed == stopped[-1]
    else:
        assert resumed > stopped[-1]


def kill_snakemake(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGKILL)
    run.wait()


def start_again(run: Run) -> None:
    run.start("--unlock")
    assert run.wait() == 0
    run.start(*SLURM)


def test_after_a_kill_of_snakemake_a_job_that_runs_is_not_done_twice(cluster, run, undisturbed):
    disturbed = run(SHORT)
    disturbed.training()
    kill_snakemake(disturbed)
    with disturbed.frozen() as trainer:  # otherwise it would end before the next one begins
        start_again(disturbed)
        cluster.wait_for(lambda: disturbed.trainers() != [trainer], "second job", 90)
        cluster.wait_for(lambda: "held by another process" in disturbed.read("train.log"), "lock")
    assert disturbed.wait() == 0, disturbed.output
    assert "another attempt has finished this training" in disturbed.read("train.log")
    assert disturbed.weights() == undisturbed
    assert list(disturbed.jobs().values()) == ["COMPLETED"] * 2


def test_after_a_kill_of_snakemake_a_job_that_ended_counts(cluster, run, undisturbed):
    disturbed = run(SHORT)
    job = disturbed.training()
    kill_snakemake(disturbed)
    cluster.wait_for(lambda: disturbed.jobs() == {job: "COMPLETED"}, "end of the job", 120)
    start_again(disturbed)
    assert disturbed.wait() == 0, disturbed.output
    assert "Nothing to be done" in disturbed.output
    assert disturbed.weights() == undisturbed
