"""Descriptions of the data are correct."""

import hashlib

import numpy as np
import pytest

from oodpriors.data.provenance import describe, subset_provenance, trained_on


def part(subset="mnist", split="test", images=5, of_images=9, stand_in=False):
    return {
        "subset": subset,
        "split": split,
        "images": images,
        "of_images": of_images,
        "source": {"stand_in": stand_in},
    }


# in words


def test_whole_real_data_need_no_more_than_the_scale():
    assert describe([part(images=9), part("fashion_1", images=9)], "paper") == "scale paper"


def test_without_data_there_is_the_scale():
    assert describe([], "quick") == "scale quick"


def test_parts_of_the_data_are_said_once():
    parts = [part(images=1000, of_images=10000), part("fashion_1", "train", 6, 6), part()]
    assert describe(parts, "quick") == "scale quick; part of the images"


@pytest.mark.parametrize("parts", [[True], [True, True], [False, True]])
def test_a_single_stand_in_is_said_aloud(parts):
    said = describe([part(images=9, stand_in=s) for s in parts], "smoke")
    assert said == "scale smoke; STAND-IN DATA, not comparable with the paper"


def test_stand_ins_and_parts_are_both_said():
    said = describe([part(stand_in=True)], "smoke")
    assert said.index("STAND-IN DATA") < said.index("part of the images")


# for a subset


@pytest.mark.parametrize(
    ("labels", "split", "of_images"),
    [
        (None, "train", 60),
        (None, "test", 40),
        ([1], "train", 6),
        ([1, 7], "test", 8),
        ([3], "test", 4),
    ],
)
def test_eligible_images_are_counted_by_split_and_label(labels, split, of_images):
    data = {
        "labels": np.tile(np.arange(10), 10),
        "split": np.repeat(["train", "test"], [60, 40]),
    }
    chosen = {"images": np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)}
    selection = {"subset": "a", "split": split, "labels": labels, "each_training": None}
    source = {"kind": "mnist", "stand_in": False}
    assert subset_provenance(source, selection, data, chosen) == {
        **selection,
        "images": 3,
        "of_images": of_images,
        "content_sha256": hashlib.sha256(bytes(range(48))).hexdigest(),
        "source": source,
    }


@pytest.mark.parametrize(("each", "used"), [(None, 5), (2, 2), (9, 5)])
def test_the_images_of_each_training_are_counted(each, used):
    data = {"labels": np.zeros(6), "split": np.array(["train"] * 6)}
    chosen = {"images": np.zeros((5, 2, 2), np.uint8)}
    selection = {"split": "train", "labels": None, "each_training": each}
    assert subset_provenance({}, selection, data, chosen)["images"] == used


def test_counting_changes_no_data():
    data = {"labels": np.arange(4), "split": np.array(["test"] * 4)}
    before = {name: array.copy() for name, array in data.items()}
    chosen = {"images": np.zeros((1, 2, 2), np.uint8)}
    selection = {"split": "test", "labels": [1], "each_training": None}
    subset_provenance({}, selection, data, chosen)
    for name, array in before.items():
        np.testing.assert_array_equal(data[name], array)


def test_a_model_was_trained_on_its_gpu_or_else_on_the_processor():
    assert trained_on({"device": "cpu", "processor": "Z80"}) == "Z80"
    assert trained_on({"device": "Tesla", "processor": "Z80"}) == "Tesla"
