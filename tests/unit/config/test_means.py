"""Means of a prior, from lists, files and rules."""

import math
from itertools import combinations, pairwise

import pytest
from tests.unit.config.conftest import SCALES, SCHEMA, checked, no_file

from oodpriors.config.means import component_distance, with_means
from oodpriors.config.schema import ConfigError


def test_there_is_a_file_for_every_scale():
    assert set(SCALES) == set(SCHEMA["properties"]["scale"]["enum"])


def means_of(means, files=no_file):
    prior = {"title": "t", "means": means, "assignment": "single"}
    config = {"priors": {"p": prior}, "other": 1}
    found = with_means(config, files)
    assert config["priors"]["p"]["means"] is means
    assert found == {"priors": {"p": prior | {"means": found["priors"]["p"]["means"]}}, "other": 1}
    return found["priors"]["p"]["means"]


@pytest.mark.parametrize(
    ("rule", "means"),
    [
        ({"rule": "line", "k": 1, "distance": 7}, [[0]]),
        ({"rule": "line", "k": 2, "distance": 150}, [[75], [-75]]),
        ({"rule": "line", "k": 2, "distance": 150, "centred": True}, [[75], [-75]]),
        ({"rule": "line", "k": 3, "distance": 2}, [[2], [0], [-2]]),
        ({"rule": "line", "k": 1, "distance": 7, "centred": False}, [[0]]),
        (
            {"rule": "line", "k": 4, "distance": 200, "centred": False},
            [[0], [200], [400], [600]],
        ),
        ({"rule": "line", "k": 2, "distance": 0}, [[0], [0]]),
        ({"rule": "axes", "k": 1, "distance": 7}, [[7]]),
        ({"rule": "axes", "k": 3, "distance": 2}, [[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
        ({"rule": "simplex", "k": 1, "distance": 7}, [[0]]),
    ],
)
def test_a_rule_gives_its_means(rule, means):
    assert means_of(rule) == means


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("distance", [1.0, 150])
def test_the_corners_of_a_simplex_are_at_one_distance_about_zero(k, distance):
    means = means_of({"rule": "simplex", "k": k, "distance": distance})
    assert len(means) == k
    for a, b in combinations(means, 2):
        assert math.dist(a, b) == pytest.approx(distance, rel=1e-12)
    for coordinate in zip(*means, strict=True):
        assert sum(coordinate) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("centred", [True, False])
def test_neighbours_on_a_line_are_at_one_distance(k, centred):
    means = means_of({"rule": "line", "k": k, "distance": 3.5, "centred": centred})
    gaps = {abs(a[0] - b[0]) for a, b in pairwise(means)}
    assert gaps == {3.5}
    assert (sum(mean[0] for mean in means) == 0) == centred


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("75\n-75\n", [[75], [-75]]),
        ("1, 2.5\n\n-3e1,0\n", [[1, 2.5], [-30, 0]]),
        ("1,2,3\r\n4\r\n", [[1, 2, 3], [4]]),
        ("7", [[7]]),
    ],
)
def test_a_file_has_a_mean_in_each_line(text, means):
    asked = []
    assert means_of("my/means.csv", lambda path: asked.append(path) or text) == means
    assert asked == ["my/means.csv"]


def test_means_as_lists_stay_as_they_are():
    means = [[1, 2], [3]]
    assert means_of(means) is means


@pytest.mark.parametrize("text", ["a,b\n", "1,2,\n", "1;2\n", "x\n1\n", "", "\n\n"])
def test_a_file_that_holds_no_means_is_told(text):
    with pytest.raises(ConfigError, match=r"^config: priors\.p\.means: my\.csv is no CSV file"):
        means_of("my.csv", lambda path: text)


def test_a_file_that_cannot_be_read_is_told_with_every_other():
    prior = {"title": "t", "assignment": "single"}
    config = {"priors": {name: prior | {"means": f"{name}.csv"} for name in "ab"}}
    with pytest.raises(ConfigError) as caught:
        with_means(config, no_file)
    first, second = str(caught.value).splitlines()
    assert first.startswith("config: priors.a.means: a.csv is no CSV file with a mean in each line")
    assert "there is no b.csv" in second


def test_means_of_a_file_are_checked_like_others():
    def long(path):
        return ",".join("1" * 51)

    change = {
        "priors.long": {"title": "l", "means": "long.csv", "assignment": "single"},
        "experiments.x": {"models": ["vae/fashion_1/long"]},
    }
    with pytest.raises(ConfigError, match=r"priors\.long\.means: 51 coordinates, but the latent"):
        checked(change, files=long)


@pytest.mark.parametrize(
    ("means", "distance"),
    [
        ([[0]], 0),
        ([[75], [-75]], 150),
        ([[3, 0], [0, 4]], 5),
        ([[0, 0, 2], [1, 0, 0]], math.sqrt(5)),
    ],
)
def test_a_distance_is_that_of_the_two_means(means, distance):
    config = {"priors": {"p": {"means": means}}}
    assert component_distance(config, "p") == pytest.approx(distance, rel=1e-12)
