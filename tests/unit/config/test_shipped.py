"""The project's configuration."""

import pytest
from tests.unit.config.conftest import BEYOND, OWN, SCALES, checked, every_scale

from oodpriors.config.checks import check_references
from oodpriors.config.specs import ModelId, background, with_stand_ins

# the project's own files


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        return {leaf for key, below in value.items() for leaf in leaves(below, (*path, key))}
    return {path}


@every_scale
@pytest.mark.parametrize("data", ["real", "embedded"])
def test_the_configuration_is_right_at_every_scale(scale, data):
    config = checked({"data": data, "scale": scale}, scale=scale)
    check_references(with_stand_ins(config) if data == "embedded" else config, {})


@every_scale
def test_the_experiments_beyond_the_paper_are_right_at_every_scale(scale):
    config = checked(BEYOND, scale=scale)
    assert set(config["experiments"]) > set(OWN["experiments"])
    for architecture in ("vae", "glow"):
        model = ModelId(architecture, "fashion_1_7", "unimodal")
        assert background(config, model) == model._replace(subset="fashion_1_7_mutated")


@every_scale
def test_no_key_stands_both_in_a_scale_and_in_the_configuration(scale):
    # the configuration overrides the scale, so the scale's value would have no effect
    assert leaves(SCALES[scale]).isdisjoint(leaves(OWN))


def test_every_scale_sets_the_same_required_keys():
    def required(scale):
        # a scale may set the seeds of an experiment
        return {path[:1] for path in leaves(SCALES[scale])} - {("experiments",)}

    assert required("smoke") == required("quick") == required("short") == required("paper")


@every_scale
def test_a_scale_gives_seeds_to_known_experiments_alone(scale):
    for name, entry in SCALES[scale].get("experiments", {}).items():
        assert name in OWN["experiments"]
        assert entry.keys() == {"seeds"}


# means


MEANS_OF_PRIORS = {
    "bimodal_75": [[75], [-75]],
    "axes_150": [[150 if i == j else 0 for i in range(4)] for j in range(4)],
    "line_200": [[0], [200], [400], [600]],
}


@pytest.mark.parametrize("name", MEANS_OF_PRIORS)
def test_the_papers_means_are_as_it_prints_them(name):
    assert checked()["priors"][name]["means"] == MEANS_OF_PRIORS[name]
