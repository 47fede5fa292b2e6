"""Quantities and models in words."""

import pytest

from oodpriors.page.words import model_words, quantity_words, unit

TITLES = {
    "models": {"vae": "VAE", "toy": "flow"},
    "subsets": {"cells": "Cells", "mixture_2": "mixture"},
    "priors": {"uni": "uni"},
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "mean(log_prob, ood) of vae/cells/uni < 0.5",
            "mean of log p, out of distribution (VAE uni on Cells) < 0.5",
        ),
        ("auroc(log_prob, ood) of vae/cells/uni > 0.5", "AUROC of log p (VAE uni on Cells) > 0.5"),
        (
            "mean(squared_distance, test, component 0) of vae/cells/uni > 1",
            "mean of the squared distance, in distribution to component 1 (VAE uni on Cells) > 1",
        ),
        (
            "decoded/vae/cells/uni/own_ratio < 1",
            "own ratio (VAE uni on Cells) < 1",
        ),
        (
            "toy/toy/mixture_2/uni/at_origin > -10",
            "at origin (flow uni on a mixture in 2 dimensions) > -10",
        ),
        ("clusters/ratio_0_0 < 1", "clusters/ratio_0_0 < 1"),
        (
            "novel(log_prob, ood) of vae/cells/uni > 1",
            "novel of log p, out of distribution (VAE uni on Cells) > 1",
        ),
        ("auroc(log_prob, ood) of gan/cells/uni > 1", "AUROC of log p (gan/cells/uni) > 1"),
    ],
)
def test_quantities_are_said_in_words_and_others_stay(text: str, words: str):
    assert quantity_words(text, TITLES) == words


def test_a_model_without_titles_keeps_its_names():
    assert model_words("gan/dust/flat", TITLES) == "gan flat on dust"


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("mean(log_prob, ood) of vae/cells/uni > 1", "nats per image"),
        ("gap(log_prob, ood) of toy/mixture_2/uni > 1", "nats per point"),
        ("auroc(log_prob, ood) of vae/cells/uni > 1", ""),
        ("mean(squared_distance, ood) of vae/cells/uni > 1", ""),
        ("mean(log_prob, ood) of vae/a/b / mean(log_prob, ood) of vae/a/c > 1", ""),
        ("clusters/ratio_0_0 < 1", ""),
    ],
)
def test_likelihoods_are_in_nats_and_ratios_have_no_unit(comparison: str, expected: str):
    assert unit(comparison) == expected
