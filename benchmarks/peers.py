"""Peers of our models: normflows' Glow and a plain VAE."""

import copy
import math
import warnings

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from oodpriors.models.vae import VAE, DecoderConvolution


class NormflowsGlow(nn.Module):
    """Unchanged Glow blocks of normflows in our architecture: actnorm in the coupling
    networks, scale by a sigmoid, 1x1 convolutions as LU decompositions."""

    def __init__(self, couplings: int, squeeze_after: tuple[int, ...], width: int) -> None:
        super().__init__()
        from normflows import flows

        layers, channels = [flows.Squeeze()], 4
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number in range(1, couplings + 1):
                layers.append(flows.GlowBlock(channels, width, net_actnorm=True))
                if number in squeeze_after:
                    layers.append(flows.Squeeze())
                    channels *= 4
        self.flows = nn.ModuleList(layers)

    def loss(self, x: Tensor) -> Tensor:
        """Mean negative log-density of dequantised images under a standard Gaussian."""
        z = (x + torch.rand(x.shape, device=x.device)) / 256 - 0.5
        log_det = z.new_zeros(len(z))
        for flow in self.flows:  # in normflows the inverse maps data to latents
            z, term = flow.inverse(z)
            log_det = log_det + term
        return -(log_det - 0.5 * (z.square() + math.log(2 * math.pi)).flatten(1).sum(1)).mean()

    def compile(self) -> None:
        """Compile each block after the first batch; actnorms then skip their initialisation."""
        from normflows import flows

        flows.ActNorm.forward = flows.AffineConstFlow.forward
        flows.ActNorm.inverse = flows.AffineConstFlow.inverse
        for flow in self.flows:
            if isinstance(flow, flows.GlowBlock):
                flow.inverse = torch.compile(flow.inverse, dynamic=False)


class PlainVAE(nn.Module):
    """The same VAE with PyTorch's layers, in float32 and the default memory layout."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        own = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
        self.prior, self.encoder = own.prior, own.encoder
        self.decoder = nn.Sequential(*map(_plain, own.decoder))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = self.encoder(x.float() / 255).chunk(2, dim=1)
        return mean, (log_var / 2).exp()

    def logits(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 256, H W)."""
        return self.decoder(z).flatten(2)

    def loss(self, x: Tensor, k: Tensor) -> Tensor:
        mean, std = self.encode(x)
        logits = self.logits(mean + std * torch.randn_like(std))
        misfit = F.cross_entropy(logits, x.flatten(1).long(), reduction="none").sum(1)
        return (misfit + self.prior.kl_component(mean, std, k)).mean()


def _plain(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, DecoderConvolution):
        return layer
    channels = layer.in_channels, layer.out_channels
    sizes = layer.kernel_size, layer.stride, layer.padding
    plain = nn.ConvTranspose2d(*channels, *sizes, bias=layer.bias is not None)
    plain.to(layer.weight.device)
    plain.load_state_dict(layer.state_dict())
    return plain


@torch.no_grad()
def textbook_log_prob(model: PlainVAE, x: Tensor, n_samples: int) -> Tensor:
    """Importance weighting that decodes one sample at a time and keeps all logits: (B,)."""
    mean, std = model.encode(x)
    every, log_weights = [], []
    for _ in range(n_samples):
        z = mean + std * torch.randn_like(std)
        every.append(model.logits(z))
        log_weights.append(model.prior.log_prob(z) - Normal(mean, std).log_prob(z).sum(1))
    log_prob = torch.stack(every).log_softmax(2)  # (S, B, 256, H W)
    values = x.flatten(1).long()[None, :, None].expand(n_samples, -1, -1, -1)
    likelihood = log_prob.gather(2, values).sum((2, 3))
    return (torch.stack(log_weights) + likelihood).logsumexp(0) - math.log(n_samples)
