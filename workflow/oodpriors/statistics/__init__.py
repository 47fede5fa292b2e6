"""Estimates with their errors, from score files to verdicts."""
