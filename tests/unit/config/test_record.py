"""Two configurations do not share a folder unnoticed; a moved file or a budget is no difference."""

import pytest
from tests.unit.config.conftest import NPZ, checked

from oodpriors.config.record import compare, settings
from oodpriors.config.schema import ConfigError

USED = NPZ | {"subsets.fashion_1.out_of_distribution": "own"}


def inspected(content):
    return {"own": {"shape": (1, 28, 28), "labels": {"test": [3]}, "content": content}}


def kept(changes=None, content=1):
    own = inspected([[content, 9]])
    return settings(checked(changes or {}, own), own)


def compared(old, new):
    return compare("results/smoke", "results/smoke/configuration.json", old, new)


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cpu", "save_every": 5, "mirror": "docs", "gpu": {"images_at_once": 3}},
        {"models.vae.threads": 7, "models.glow.mem_mb": 5, "models.glow.runtime": 5},
        {"datasets.mnist.system_folder": "elsewhere"},
        {"datasets.own.path": "moved.npz"},
        {"priors.unused": {"title": "u", "means": [[1]], "assignment": "single"}},
        {"subsets.unused": {"title": "u", "dataset": "svhn"}},
    ],
)
def test_what_decides_no_output_makes_no_difference(changes):
    assert compared(kept(USED), kept(USED | changes)) is None


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"models.vae.training.epochs": 77}, "models.vae.training.epochs"),
        ({"figures.more": {"panels": {"(a)": ["vae/fashion_1/unimodal"]}}}, "figures.more"),
        ({"seeds": [0, 1], "bootstrap": 999}, "seeds, bootstrap"),
        (
            {f"priors.unimodal.{key}": value for key, value in {"scale": 3, "title": "u"}.items()},
            "priors.unimodal.title, priors.unimodal.scale",
        ),
    ],
)
def test_an_edit_is_named_and_goes_on(changes, keys):
    line = compared(kept(), kept(changes))
    assert line == (
        f"results/smoke was made with other values of {keys}: if anything depends on them, it is "
        "made again"
    )


def test_of_many_edits_some_are_named():
    changes = {f"images.{key}": 77 for key in ("train", "test", "ood", "score_train")}
    changes |= {"seeds": [5], "bootstrap": 333, "data_seed": 8}
    assert " and 2 more: if anything" in compared(kept(), kept(changes))


def test_a_file_may_change_its_content_and_data_may_be_added():
    assert "datasets.own.content" in compared(kept(USED), kept(USED, content=2))
    assert "datasets.own" in compared(kept(), kept(USED))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ({}, {"scale": "quick"}, "a run with scale smoke, now quick:"),
        ({}, {"data": "embedded"}, "a run with data real, now embedded:"),
        ({}, {"only": ["cifar"]}, r"a run with only None, now \['cifar'\];"),
        (USED, {}, "a run with the data set own, now without:"),
        (
            {},
            {"datasets.mnist": {"kind": "embedded", "stands_for": "mnist"}},
            "the data set mnist, now another:",
        ),
    ],
)
def test_another_run_is_refused(old, new, message):
    with pytest.raises(ConfigError, match=message) as caught:
        compared(kept({"scale": "smoke"} | old), kept({"scale": "smoke"} | new))
    (line,) = str(caught.value).splitlines()
    assert line.startswith("config: run: results/smoke holds ")
    assert line.endswith(
        "give this one a folder of its own with run: NAME, or delete "
        "results/smoke/configuration.json to replace its results"
    )


def test_another_file_with_other_content_is_refused():
    with pytest.raises(ConfigError, match="the data set own, now another"):
        compared(kept(USED), kept(USED | {"datasets.own.path": "other.npz"}, content=2))


def test_the_order_of_experiments_is_no_difference():
    assert compared(kept({"only": ["toy", "cifar"]}), kept({"only": ["cifar", "toy"]})) is None


LIST = {"subsets.fashion_1.out_of_distribution": ["mnist", "own"]}
FURTHER = NPZ | LIST | {"subsets.own.out_of_distribution": None}


def test_further_sets_may_be_added_and_taken_away():
    plain = FURTHER | {"subsets.fashion_1.out_of_distribution": "mnist"}
    assert "subsets.fashion_1.further" in compared(kept(plain), kept(FURTHER))
    assert "subsets.fashion_1.further" in compared(kept(FURTHER), kept(plain))
    assert "further.own.content" in compared(kept(FURTHER), kept(FURTHER, content=2))
    assert compared(kept(FURTHER), kept(FURTHER | {"datasets.own.path": "moved.npz"})) is None
