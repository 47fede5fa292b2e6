"""The page of a run: verdicts, figures, tables and images in one HTML file, without internet."""
