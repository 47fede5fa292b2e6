"""The code of a job is everything that its script can reach, and not much more."""

import json
import os
import pickle
import shutil
import subprocess
import sys

import pytest
from tests.faults.conftest import Training
from tests.workflow.conftest import ROOT

from oodpriors.kinds.figures import FIGURES
from used_code import checksum, planned_code, used_code

SCRIPTS = ROOT / "workflow/scripts"
SCRIPT = """
from library.models import build
from library import names
from oodpriors.io import files
from library.io.files import save

print(build("glow").score(names.TITLE))
save()
files.save()
"""
MODELS = '''
"""Models."""

from library.layers import Layer, mix


class Base:
    def __init__(self):
        self.n = start()

    def score(self, x):
        return mix(x)

    def unused(self):
        return nobody()


class Glow(Base):
    """A flow."""

    SIZE = 3

    def forward(self):
        return Layer


class VAE(Base):
    pass


BUILDERS = {"glow": Glow, "vae": VAE}


def build(name):
    """Build it."""
    # by its name
    return BUILDERS[name]()


def start():
    return 0


def nobody():
    return 1
'''
LAYERS = """
import os

os.environ["A"] = "1"
for each in ():
    os.getcwd()
Layer, Other = 1, 2


def mix(x):
    from library.late import later

    return later(x)
"""


@pytest.fixture
def script(tmp_path):
    files = {
        "scripts/train.py": SCRIPT,
        "library/models.py": MODELS,
        "library/layers.py": LAYERS,
        "library/late.py": "def later(x):\n    return x\n\n\ndef never(x):\n    return x\n",
        "oodpriors/io/files.py": "def save():\n    return 0\n",
        "library/names.py": 'TITLE = "t"\nOTHER = "o"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "scripts/train.py"


def test_names_are_followed_through_imports_classes_and_modules(script):
    assert {name.removeprefix("library.") for name in used_code(script)} == {
        *("models.build", "models.BUILDERS", "models.start", "models.VAE", "models.Glow"),
        *("models.Glow.forward", "models.Base", "models.Base.__init__", "models.Base.score"),
        *("layers.Layer", "layers.mix", "layers.", "late.later", "names.TITLE"),
    }


def test_of_a_dictionary_only_the_chosen_entry_counts(script):
    chosen = used_code(script, {"library.models.BUILDERS": "vae"})
    assert "library.models.VAE" in chosen
    assert not any("Glow" in name for name in chosen)
    assert "Glow" not in chosen["library.models.BUILDERS"]
    none = used_code(script, {"library.models.BUILDERS": ""})
    assert "library.models.build" in none
    assert not any(name.endswith(("Glow", "VAE")) for name in none)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("return 0", "return 2", False),
        ("SIZE = 3", "SIZE = 4", False),
        ("return 1", "return 3", True),
        ("# by its name", "# by another name", True),
        ('"""Build it."""', '"""Make it."""', True),
        ("def nobody", "def more():\n    return 5\n\n\ndef nobody", True),
        ('"vae": VAE', '"vae": VAE, "new": 1', False),
    ],
)
def test_the_checksum_follows_what_is_used_and_nothing_else(script, tmp_path, old, new, same):
    before = checksum(script)
    module = tmp_path / "library/models.py"
    assert old in module.read_text()
    copy = tmp_path / "copy"
    for folder in ("scripts", "library"):
        (copy / folder).mkdir(parents=True)
        for file in (tmp_path / folder).iterdir():
            (copy / folder / file.name).write_text(file.read_text())
    module = copy / "library/models.py"
    module.write_text(module.read_text().replace(old, new))
    assert (checksum(copy / "scripts/train.py") == before) is same


# A job that imports a module late and prints what it has, after a line of input.
JOB = """
import pickle, sys

code = pickle.load(open("code", "rb"))
code.load()
print("loaded", flush=True)
input()
from library.late import later

print(later(1))
"""


@pytest.fixture
def start(script, tmp_path):
    """Starts the job that was planned with the code of now."""
    (tmp_path / "code").write_bytes(pickle.dumps(planned_code(script, {})))
    path = os.pathsep.join([str(tmp_path), str(ROOT / "workflow")])

    def begin():
        return subprocess.Popen(
            [sys.executable, "-c", JOB],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


LATE = "def later(x):\n    return x + 1\n"


def test_code_that_is_edited_before_a_job_starts_ends_it(start, tmp_path):
    """The job would be recorded with the code of the plan."""
    (tmp_path / "library/late.py").write_text(LATE)
    _, errors = start().communicate("go on\n")
    assert errors.splitlines()[-1].endswith("was edited after the run started: run again")


def test_code_that_is_edited_while_a_job_runs_does_not_reach_it(start, tmp_path, script):
    """Not even a module that the job imports late; the next plan has another code."""
    planned = checksum(script)
    job = start()
    assert job.stdout.readline() == "loaded\n"
    (tmp_path / "library/late.py").write_text(LATE)
    output, errors = job.communicate("go on\n")
    assert (output, errors) == ("1\n", "")
    shutil.copytree(tmp_path, tmp_path / "copy")  # files are read once in a process
    assert checksum(tmp_path / "copy/scripts/train.py") != planned


def test_code_that_is_edited_but_not_used_ends_no_job(start, tmp_path):
    path = tmp_path / "library/late.py"
    path.write_text(path.read_text().replace("def never(x):", "def never(y):"))
    output, errors = start().communicate("go on\n")
    assert (output, errors) == ("loaded\n1\n", "")


def test_the_planned_code_is_recorded_as_its_checksum(script):
    assert repr(planned_code(script, {})) == repr(checksum(script))
    assert planned_code(script, {}, "told by the plan") == "told by the plan"


def modules_of(script, **choices):
    used = used_code(SCRIPTS / f"{script}.py", choices)
    return {name.split(".")[1] for name in used}, used


def test_a_training_uses_its_own_architecture_and_no_evaluation():
    for architecture, other in (("vae", "glow"), ("glow", "vae")):
        choices = {"oodpriors.kinds.architectures.ARCHITECTURES": architecture}
        packages, used = modules_of("train", **choices)
        assert packages == {"data", "kinds", "models", "priors", "training"}
        assert not any(name.startswith(f"oodpriors.models.{other}.") for name in used)
        assert not any(name.startswith("oodpriors.models.likelihood.") for name in used)


def test_scores_use_the_model_and_its_likelihood():
    _, used = modules_of("score")
    assert {
        "oodpriors.models.vae.VAE.log_likelihood",
        "oodpriors.models.likelihood.importance_weighted_log_prob",
        "oodpriors.models.coupling_network.forward_convolutions",
        "oodpriors.priors.Prior.log_prob_parts",
    } <= set(used)


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_uses_its_own_kind_and_no_model(kind):
    packages, used = modules_of("plot", **{"oodpriors.kinds.figures.FIGURES": kind})
    assert packages <= {"data", "figures", "kinds", "statistics", "tables"}
    module, name = FIGURES[kind].place.split(":")
    assert f"{module}.{name}" in used
    draws = {"{}.{}".format(*other.place.split(":")) for other in FIGURES.values()}
    assert draws & set(used) == {f"{module}.{name}"}


def test_what_a_row_says_by_keywords_is_no_code_of_a_job():
    _, used = modules_of("train", **{"oodpriors.kinds.architectures.ARCHITECTURES": "vae"})
    row = used["oodpriors.kinds.architectures.ARCHITECTURES"]
    assert row == "ArchitectureKind('oodpriors.models.build:build_vae')"
    assert "oodpriors.kinds.architectures.VAE_NETWORK" not in used


# Python runs it at its start if it is on the path: it notes which functions are called.
NOTE_CALLS = """
import atexit, json, sys

called = set()


def note(frame, event, argument):
    if event == "call" and "workflow/oodpriors/" in frame.f_code.co_filename:
        path = frame.f_code.co_filename.split("workflow/")[-1].removesuffix(".py")
        called.add(path.replace("/", ".") + "." + frame.f_code.co_qualname.split(".<locals>")[0])


sys.setprofile(note)
atexit.register(lambda: json.dump(sorted(called), open({path!r}, "w")))
"""


def test_a_training_calls_nothing_that_does_not_count(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        NOTE_CALLS.replace("{path!r}", repr(str(tmp_path / "called.json")))
    )
    training = Training(tmp_path / "training")
    training.finish(env=os.environ | {"PYTHONPATH": str(tmp_path)})
    called = json.loads((tmp_path / "called.json").read_text())
    functions = [
        name
        for name in called
        if not name.startswith(("oodpriors.io.", "oodpriors.kinds."))
        and name.split(".")[-1].lstrip("_")[0].islower()
    ]
    assert len(functions) > 50
    chosen = {"architectures.ARCHITECTURES": "glow", "priors.PRIORS": "gaussian"}
    choices = {f"oodpriors.kinds.{table}": kind for table, kind in chosen.items()}
    assert set(functions) <= set(used_code(SCRIPTS / "train.py", choices))
