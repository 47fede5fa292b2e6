"""Descriptions of the data are correct."""

import hashlib

import numpy as np
import pytest

from oodpriors.data.provenance import describe, subset_provenance, trained_on

TITLES = {"mnist": "MNIST", "fashion_1": "Fashion-MNIST (1)"}


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
    assert describe([part(images=9), part("fashion_1", images=9)], "paper", TITLES) == "scale paper"


def test_without_data_there_is_the_scale():
    assert describe([], "quick", TITLES) == "scale quick"


def test_parts_of_the_data_are_counted():
    parts = [
        part(images=1000, of_images=10000),
        part("fashion_1", "train", 6000, 6000),
        part("fashion_1", "test", 20, 1000),
    ]
    assert describe(parts, "quick", TITLES) == (
        "scale quick; part of the data: 1,000 of 10,000 MNIST test images, "
        "20 of 1,000 Fashion-MNIST (1) test images"
    )


@pytest.mark.parametrize("parts", [[True], [True, True], [False, True]])
def test_a_single_stand_in_is_said_aloud(parts):
    said = describe([part(images=9, stand_in=s) for s in parts], "smoke", TITLES)
    assert said == "scale smoke; STAND-IN DATA, not comparable with the paper"


def test_stand_ins_and_parts_are_both_said():
    said = describe([part(stand_in=True)], "smoke", TITLES)
    assert said.index("STAND-IN DATA") < said.index("part of the data: 5 of 9 MNIST test images")


# for a subset


def test_a_subset_has_its_selection_its_numbers_and_its_checksum():
    chosen = {"images": np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)}
    selection = {"subset": "a", "split": "test", "labels": [1], "each_training": None}
    source = {"kind": "mnist", "stand_in": False}
    assert subset_provenance(source, selection, 8, chosen) == {
        **selection,
        "images": 3,
        "of_images": 8,
        "content_sha256": hashlib.sha256(bytes(range(48))).hexdigest(),
        "source": source,
    }


@pytest.mark.parametrize(("each", "used"), [(None, 5), (2, 2), (9, 5)])
def test_the_images_of_each_training_are_counted(each, used):
    chosen = {"images": np.zeros((5, 2, 2), np.uint8)}
    selection = {"split": "train", "labels": None, "each_training": each}
    assert subset_provenance({}, selection, 5, chosen)["images"] == used


def test_a_model_was_trained_on_its_gpu_or_else_on_the_processor():
    assert trained_on({"device": "cpu", "processor": "Z80"}) == "Z80"
    assert trained_on({"device": "Tesla", "processor": "Z80"}) == "Tesla"


def test_test_images_that_are_training_images_are_counted_once_a_file():
    source = {"kind": "npz", "stand_in": False, "files": [{"name": "own.npz"}]}
    source |= {"images": {"train": 9, "test": 4}, "test_images_in_train": 3}
    both = [part(split=split, images=9) | {"source": source} for split in ("train", "test")]
    told = "scale quick; 3 of 4 test images of own.npz are training images as well"
    assert describe(both, "quick", {"mnist": "MNIST"}) == told
    source["test_images_in_train"] = 0
    assert describe(both, "quick", {"mnist": "MNIST"}) == "scale quick"
