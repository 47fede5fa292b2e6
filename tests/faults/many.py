"""Many runs of Snakemake, which is imported once: each run is forked, two at a time.

Reads a list of lists of arguments from standard input. Writes the output and exit status of
each run.
"""

import json
import multiprocessing
import os
import sys
import tempfile

from snakemake.cli import main


def run(arguments: list[str]) -> dict:
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            main(arguments)
            status = 0
        except SystemExit as end:
            status = end.code
        sys.stdout.flush()
        sys.stderr.flush()
        file.seek(0)
        return {"status": status, "output": file.read().decode()}


if __name__ == "__main__":
    runs = json.load(sys.stdin)
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        json.dump(pool.map(run, runs, chunksize=1), sys.stdout)
