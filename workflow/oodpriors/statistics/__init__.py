"""Estimates with standard errors, computed from score files, and verdicts on claims."""
