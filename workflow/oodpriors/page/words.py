"""Names of models in words."""

import re
from collections.abc import Mapping


def model_words(name: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """A model by its titles; what has none keeps its name.

    >>> model_words("vae/a/b", {"models": {"vae": "VAE"}, "subsets": {}, "priors": {"b": "uni"}})
    'VAE uni on a'
    """
    architecture, subset, prior = name.split("/")
    parts = [
        titles["models"].get(architecture, architecture),
        titles["priors"].get(prior, prior),
        "on",
        mixture_words(subset) or titles["subsets"].get(subset, subset),
    ]
    return " ".join(parts)


def mixture_words(subset: str) -> str:
    """The dimensions of a mixture of two Gaussians; of anything else, nothing.

    >>> mixture_words("mixture_10")
    'a mixture in 10 dimensions'
    """
    found = re.fullmatch(r"mixture_(\d+)", subset)
    return f"a mixture in {found[1]} dimensions" if found else ""
