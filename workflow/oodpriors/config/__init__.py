"""The configuration: checked, completed, and asked for its models; light enough for Snakemake."""
