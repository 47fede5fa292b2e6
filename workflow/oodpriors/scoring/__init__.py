"""Score files: what a trained model says of each image."""
