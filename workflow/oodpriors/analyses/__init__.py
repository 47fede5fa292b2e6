"""Analyses of pixels, images and weights in addition to scores; one module per analysis."""
