"""The images at the ends of the likelihoods."""

import numpy as np
import pandas as pd
from tests.unit.page.synthetic import UNI, images, scores

from oodpriors.page.gallery import EACH, LEAST, PARTS, Images, extremes, most_likely

TITLES = {"cells": "Cells", "dust": "Dust"}


def test_the_ends_are_those_of_the_sorted_scores():
    table = scores(UNI)
    found = {
        (which, end): [image.log_prob for image in shown]
        for which, end, shown in extremes(table, Images(images()), TITLES)
    }
    for which in ("test", "ood"):
        values = sorted(table.loc[table["set"] == which, "log_prob"])
        assert found[which, "lowest"] == values[:EACH]
        assert found[which, "highest"] == values[::-1][:EACH]


def test_parts_add_up_to_the_likelihood_of_the_same_image():
    table = scores(UNI).set_index(["set", "index"])
    for which, _, shown in extremes(scores(UNI), Images(images()), TITLES):
        for image in shown:
            index = int(image.key.split("-")[-1])
            assert image.log_prob == table.loc[(which, index), "log_prob"]
            assert {name for name, _ in image.parts} == {"prior_rest", "log_det"} <= set(PARTS)
            np.testing.assert_allclose(sum(part for _, part in image.parts), image.log_prob)
            assert f"test image {index}," in image.alt


def test_an_image_is_found_by_its_place_in_the_split():
    kept = Images(images())
    assert kept.array("cells.test", 30)[0, 0] == 60
    assert kept.key("cells.test", 30) == "cells-test-30"
    assert list(kept.used) == ["cells-test-30"]


def test_large_images_are_fewer():
    sets = {
        name: {"images": np.zeros((20, side, side, 3), np.uint8), "index": np.arange(20)}
        for name, side in (("small", 32), ("large", 64), ("huge", 512))
    }
    kept = Images(sets)
    assert [kept.number(name, 8) for name in sets] == [8, 2, LEAST]


def test_values_that_are_not_finite_and_sets_without_images_are_left_out():
    table = scores(UNI)
    table.loc[table["set"] == "ood", "log_prob"] = -np.inf
    assert {which for which, _, _ in extremes(table, Images(images()), TITLES)} == {"test"}
    assert most_likely(table, Images(images())) == ""
    assert list(extremes(scores(UNI), Images({}), TITLES)) == []


def test_ties_keep_the_order_of_the_file():
    table = scores(UNI).assign(log_prob=0.0)
    _, _, shown = next(iter(extremes(table, Images(images()), TITLES)))
    assert [image.key for image in shown] == [f"cells-test-{10 * n}" for n in range(6)]


def test_the_most_likely_images_are_one_picture():
    assert most_likely(scores(UNI), Images(images())).startswith("data:image/webp")
    nothing = pd.DataFrame(columns=["set", "images", "log_prob"]).astype({"log_prob": float})
    assert most_likely(nothing, Images({})) == ""
