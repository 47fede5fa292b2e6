"""Score files: the log-likelihood and latent of each image under a trained model."""
