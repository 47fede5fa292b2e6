"""Models in words."""

from oodpriors.page.words import model_words

TITLES = {"models": {"vae": "VAE"}, "subsets": {"mixture_2": "mixture"}, "priors": {"uni": "uni"}}


def test_a_model_without_titles_keeps_its_names():
    assert model_words("gan/dust/flat", TITLES) == "gan flat on dust"


def test_a_mixture_is_named_by_its_dimensions():
    assert model_words("vae/mixture_2/uni", TITLES) == "VAE uni on a mixture in 2 dimensions"
