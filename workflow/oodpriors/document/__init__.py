"""The PDF: its parts in LaTeX, and how it is built."""
