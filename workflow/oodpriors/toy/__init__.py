"""Flows on mixtures in a few dimensions, where the true density is known."""
