"""Data sets: downloading, checking, storing as arrays, and selecting subsets."""
