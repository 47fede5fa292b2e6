"""The models: VAE, Glow, their layers and their likelihoods."""
