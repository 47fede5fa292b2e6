"""Flows trained on low-dimensional mixtures whose true density is known."""
