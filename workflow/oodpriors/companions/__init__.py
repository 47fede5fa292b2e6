"""Scores beside log p, from what is stored of trained models; ``kinds`` lists them."""
