"""Further sets: what is cut out, what is made, and what is left out with its reason."""

import numpy as np
import pytest

from oodpriors.data import further
from oodpriors.data.fetching import DownloadError
from oodpriors.data.further import load_or_leave_out, prepare
from oodpriors.data.made import shuffled
from oodpriors.io.errors import UserError

SELECTION = {"labels": None, "limit": 5, "each_training": None, "seed": 3, "cluster": None}
SOURCE = {"kind": "npz", "stand_in": False, "files": []}


def data_of(n=20):
    rng = np.random.default_rng(0)
    return {
        "images": rng.integers(0, 256, (n, 4, 4), np.uint8),
        "labels": np.arange(n) % 4,
        "split": np.where(np.arange(n) < n // 2, "train", "test"),
    }


def test_a_subset_is_cut_out_of_the_test_split():
    data = data_of()
    chosen, about = prepare(data, SOURCE, SELECTION | {"labels": [1, 2], "limit": 4}, "few")
    assert set(chosen["labels"]) == {1, 2}
    assert len(chosen["images"]) == 4
    np.testing.assert_array_equal(chosen["images"], data["images"][10:][chosen["index"]])
    assert (about["subset"], about["split"], about["images"]) == ("few", "test", 4)
    assert about["of_images"] == sum(label in (1, 2) for label in data["labels"][10:])


def test_a_made_set_says_what_it_is_made_of_and_keeps_index_and_label():
    data, (source, of) = data_of(), prepare(data_of(), SOURCE, SELECTION | {"limit": 8}, "f")
    made, about = prepare(source, of, SELECTION, "noisy", made="shuffled")
    assert about["source"] == SOURCE | {"made": "shuffled", "of": "f"}
    assert (about["images"], about["of_images"]) == (5, 8)
    originals = data["images"][10:][made["index"]]
    assert (made["images"] != originals).any()
    np.testing.assert_array_equal(
        np.sort(made["images"].reshape(5, -1)), np.sort(originals.reshape(5, -1))
    )
    np.testing.assert_array_equal(made["labels"], data["labels"][10:][made["index"]])


def test_a_made_set_depends_on_the_seed_of_the_data_and_on_its_name():
    source, of = prepare(data_of(), SOURCE, SELECTION, "f")
    settings = [("a", 3), ("a", 3), ("b", 3), ("a", 4)]
    first, again, named, seeded = (
        prepare(source, of, SELECTION | {"seed": seed}, name, made="noise")[0]["images"]
        for name, seed in settings
    )
    np.testing.assert_array_equal(first, again)
    assert (first != named).any()
    assert (first != seeded).any()


def gone(monkeypatch):
    def fail(*args):
        raise DownloadError("could not get a.gz (md5 0):\n  http://a: refused\nRun again")

    monkeypatch.setattr(further, "load_further", fail)
    return load_or_leave_out({"kind": "kmnist"}, [], None)


def test_a_set_that_cannot_be_fetched_is_left_out_with_its_reason_in_one_line(monkeypatch):
    data = gone(monkeypatch)
    assert len(data.images) == len(data.labels) == len(data.split) == 0
    assert data.provenance["missing"] == "could not get a.gz (md5 0)"


def test_what_is_cut_or_made_of_a_missing_set_is_missing_too(monkeypatch):
    data = gone(monkeypatch)
    arrays = {"images": data.images, "labels": data.labels, "split": data.split}
    chosen, about = prepare(arrays, data.provenance, SELECTION | {"labels": [1]}, "k")
    made, of = prepare(chosen, about, SELECTION, "blended", made="blends")
    for images, part in ((chosen, about), (made, of)):
        assert len(images["images"]) == part["images"] == part["of_images"] == 0
        assert part["source"]["missing"] == "could not get a.gz (md5 0)"


def test_a_mistake_in_the_users_own_file_is_no_missing_set(tmp_path):
    entry = {"kind": "npz", "path": str(tmp_path / "no.npz"), "content": None, "stands_for": None}
    with pytest.raises(UserError, match="not a usable npz"):
        load_or_leave_out(entry, [], tmp_path)


def test_the_function_of_the_row_makes_the_images():
    source, of = prepare(data_of(), SOURCE, SELECTION, "f")
    made, _ = prepare(source, of, SELECTION, "s", made="shuffled")
    rng = np.random.default_rng([3, *b"s"])
    np.testing.assert_array_equal(made["images"], shuffled(source["images"], rng))
