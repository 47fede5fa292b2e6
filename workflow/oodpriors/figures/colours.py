"""Colours and names of the sets, the same in every figure."""

# Okabe and Ito's colour-blind-safe palette: cool in distribution, warm out of it, and a
# tone each for the unimodal prior and two others.
COLOURS = {
    ("test", 0): "#0072B2",
    ("ood", 0): "#D55E00",
    ("test", 1): "#56B4E9",
    ("ood", 1): "#E69F00",
    ("test", 2): "#009E73",
    ("ood", 2): "#CC79A7",
}
SETS = {"test": "in distribution", "ood": "out of distribution"}
