"""Data sets: fetched, checked, stored as arrays, and cut into subsets."""
