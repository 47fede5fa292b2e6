"""Mixture priors for deep generative models, and the likelihoods they give.

The library behind the reproduction of Kamoi and Kobayashi (2019),
*Likelihood Assignment for Out-of-Distribution Inputs in Deep Generative Models
is Sensitive to Prior Distribution Choice*. It reads no configuration and knows
no path that it was not given; every log-likelihood is in nats per image.

Modules are imported one by one (``from oodpriors.models.glow import Glow``), so that
tables and figures do not load PyTorch.
"""

__version__ = "0.1.0"
