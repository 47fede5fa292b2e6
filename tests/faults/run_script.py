"""Run a script of the workflow as Snakemake would, on what a JSON file says.

Usage: run_script.py SCRIPT DESCRIPTION; a description has input, output, params, log and,
if need be, config, wildcards and save_every, the seconds between checkpoints.
"""

import json
import runpy
import sys
from pathlib import Path

from snakemake.iocontainers import (
    InputFiles,
    Log,
    OutputFiles,
    Params,
    ResourceList,
    Snakemake,
    Wildcards,
)

ROOT = Path(__file__).parents[2]


def named(files: dict[str, str | list[str]]) -> InputFiles:
    """Input files, some of them several under one name."""
    inputs = InputFiles()
    for name, value in files.items():
        start = len(inputs)
        inputs.extend([value] if isinstance(value, str) else value)
        inputs._set_name(name, start, None if isinstance(value, str) else len(inputs))
    return inputs


def run(script: str, told: dict) -> None:
    snakemake = Snakemake(
        named(told["input"]),
        OutputFiles(fromdict=told["output"]),
        Params(fromdict=told["params"]),
        Wildcards(fromdict=told.get("wildcards", {})),
        1,
        ResourceList(fromdict={}),
        Log([told["log"]]),
        told.get("config", {"device": "cpu"}),
        Path(script).stem,
        None,
    )
    if "save_every" in told:
        from oodpriors.training import Trainer

        device, _ = Trainer.__init__.__defaults__
        Trainer.__init__.__defaults__ = device, told["save_every"]
    runpy.run_path(script, {"snakemake": snakemake}, "__main__")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "workflow"))
    run(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
