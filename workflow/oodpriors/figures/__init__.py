"""Figures, drawn from stored numbers; each kind is a module, and ``sheet`` is what they share."""
