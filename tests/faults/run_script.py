"""Run a script of the workflow like Snakemake, with the values in a JSON file.

Usage: run_script.py SCRIPT DESCRIPTION; a description has input, output, params, log, config
and, if needed, wildcards.
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


def named(files: dict[str, str | list[str]]) -> InputFiles:
    """Input files; a name may have several files."""
    inputs = InputFiles()
    for name, value in files.items():
        start = len(inputs)
        inputs.extend([value] if isinstance(value, str) else value)
        inputs._set_name(name, start, None if isinstance(value, str) else len(inputs))
    return inputs


def run(script: str, told: dict) -> None:
    from used_code import planned_code  # of the project that has the script

    snakemake = Snakemake(
        named(told["input"]),
        OutputFiles(fromdict=told["output"]),
        Params(fromdict=told["params"] | {"code": planned_code(Path(script), {})}),
        Wildcards(fromdict=told.get("wildcards", {})),
        1,
        ResourceList(fromdict={}),
        Log([told["log"]]),
        told["config"],
        Path(script).stem,
        None,
    )
    runpy.run_path(script, {"snakemake": snakemake}, "__main__")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(sys.argv[1]).parents[1]))
    run(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
