"""Files, logs and records of a job. Nothing here depends on a model."""
