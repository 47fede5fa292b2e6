"""Mixture priors for deep generative models, and the likelihoods they give.

The library behind the reproduction of Kamoi and Kobayashi (2019),
*Likelihood Assignment for Out-of-Distribution Inputs in Deep Generative Models
is Sensitive to Prior Distribution Choice*. The library reads no configuration
and uses only the paths that it is given. Log-likelihoods are in nats per image.

Import each module by its name (``from oodpriors.models.glow import Glow``). Then
tables and figures do not load PyTorch.
"""

__version__ = "0.1.0"
