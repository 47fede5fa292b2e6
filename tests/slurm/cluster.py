"""A SLURM cluster of two nodes on this machine, without root configuration or accounting.

python tests/slurm/cluster.py up FOLDER      # prints export commands for a shell
python tests/slurm/cluster.py down FOLDER
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

NODES = ("n1", "n2")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=batch_sched_delay=1,sched_interval=5
SlurmdTimeout=10
InactiveLimit=0
KillWait=10
MinJobAge=7200
ReturnToService=2
JobRequeue=1
GresTypes=gpu
NodeName=n1 NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=20000 Gres=gpu:1
NodeName=n2 NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=20000
PartitionName=short Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpus Nodes=n1 MaxTime=INFINITE State=UP
"""


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Cluster:
    """Daemons, their files in one folder, and operations for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.environment = os.environ | {
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
        }

    def up(self) -> None:
        """Start the daemons and wait until both nodes are idle.

        Raises:
            RuntimeError: a program is missing, or a node does not start.
        """
        programs = ("munged", "slurmctld", "slurmd", "sbatch")
        missing = [program for program in programs if not shutil.which(program, path=self._path())]
        if missing:
            raise RuntimeError(
                f"no {', '.join(missing)} here: sudo apt-get install slurm-wlm munge"
            )
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        munge = {
            name: f"{self.folder}/munge.{name}" for name in ("socket", "key", "seed", "log", "pid")
        }
        self._run(
            *("munged", "--force", f"--socket={munge['socket']}", f"--key-file={munge['key']}"),
            *(f"--seed-file={munge['seed']}", f"--log-file={munge['log']}"),
            f"--pid-file={munge['pid']}",
        )
        self._run("slurmctld")
        for node in NODES:
            self.start_node(node)
        self.wait_for(lambda: self.states() == dict.fromkeys(NODES, "idle"), "two idle nodes")

    def _path(self) -> str:
        return f"{os.environ['PATH']}:/usr/sbin:/sbin"

    def _write_configuration(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        (self.folder / "gres.conf").write_text("NodeName=n1 Name=gpu File=/dev/null\n")
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname(),
                ports=free_ports(3),
                user=pwd.getpwuid(os.getuid()).pw_name,
                folder=self.folder,
            )
        )

        # Snakemake's job steps call srun without SLURM_CONF: the name of a file that a cluster
        # has in its usual place
        srun = self.folder / "bin/srun"
        srun.parent.mkdir()
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        srun.chmod(0o755)

    def _run(self, *command: str) -> str:
        """Standard output of a SLURM command.

        Raises:
            RuntimeError: it failed; the message contains its output.
        """
        program = shutil.which(command[0], path=self._path())
        done = subprocess.run(
            [program or command[0], *command[1:]],
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start_node(self, node: str) -> None:
        self._run("slurmd", "-N", node)

    def kill_daemon(self, node: str) -> None:
        """Kill a node's daemon but not its jobs, like a network failure."""
        os.kill(int((self.folder / f"slurmd.{node}.pid").read_text()), signal.SIGKILL)

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all its processes, like a power cut."""
        jobs = self.jobs(node)
        self.kill_daemon(node)
        for pid in [pid for job in jobs for pid in self.processes(job)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restore_node(self, node: str) -> None:
        """Restart a killed node and wait until it accepts jobs."""
        self.start_node(node)
        self.wait_for(lambda: self.states()[node] == "idle", f"idle {node}")

    def states(self) -> dict[str, str]:
        """SLURM's state of every node."""
        lines = self._run("sinfo", "-N", "-h", "-p", "short", "-o", "%N %t").splitlines()
        return dict(line.split() for line in lines)

    def jobs(self, node: str | None = None) -> list[str]:
        """Numbers of the running jobs, on one node or on all."""
        where = ("-w", node) if node else ()
        return self._run("squeue", "-h", "-t", "running", "-o", "%i", *where).split()

    def node_of(self, job: str) -> str:
        """Node on which a job runs or last ran."""
        return self._run("squeue", "-h", "--states=all", "-j", job, "-o", "%N").strip()

    def queue(self, form: str = "%i %T") -> list[str]:
        """One line per job that SLURM still knows, including finished ones."""
        return self._run("squeue", "-h", "--states=all", "-o", form).splitlines()

    def control(self, *command: str) -> str:
        return self._run("scontrol", *command)

    def cancel(self, job: str) -> None:
        self._run("scancel", job)

    def processes(self, job: str) -> list[int]:
        """Processes of a job, and the daemons of its steps."""
        wanted = f"SLURM_JOB_ID={job}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                environment = (folder / "environ").read_bytes().split(b"\0")
                mine = f"SLURM_CONF={self.folder}/slurm.conf".encode() in environment
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                stepd = re.match(rb"slurmstepd: \[%s\." % job.encode(), command)
                if (mine and wanted in environment) or stepd:
                    found.append(int(folder.name))
        return found

    def wait_for(self, condition, what: str, seconds: float = 60.0) -> None:
        """Wait until condition() is true.

        Raises:
            RuntimeError: it is not true in time; the message names the daemons' logs.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(RuntimeError):  # the controller may not yet answer
                if condition():
                    return
            time.sleep(0.2)
        raise RuntimeError(f"no {what} after {seconds:.0f} s; logs are in {self.folder}")

    def down(self) -> None:
        """Cancel every job, then stop the daemons."""
        with suppress(RuntimeError, FileNotFoundError):
            self._run("scancel", f"--user={pwd.getpwuid(os.getuid()).pw_name}")
            self.wait_for(lambda: not self.jobs(), "empty queue", 30)
        for path in sorted(self.folder.glob("*.pid"), reverse=True):
            with suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGTERM)


def main(action: str, folder: str) -> None:
    cluster = Cluster(Path(folder))
    if action == "up":
        cluster.up()
        print(f"export SLURM_CONF={cluster.folder}/slurm.conf PATH={cluster.folder}/bin:$PATH")
    else:
        cluster.down()


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("up", "down"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
