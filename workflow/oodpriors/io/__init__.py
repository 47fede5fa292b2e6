"""Files, logs and records of a job; nothing here knows a model."""
