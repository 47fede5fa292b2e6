"""Training: from a specification and its data to a trained model."""
