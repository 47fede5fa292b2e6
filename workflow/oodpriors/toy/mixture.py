"""Points of a bimodal mixture, and their true density (Section 3.1, Appendix C)."""

import math
from dataclasses import dataclass

import torch
from scipy.integrate import trapezoid
from torch import Tensor, nn

from oodpriors.io.errors import UserError
from oodpriors.priors import Prior, log_mean_exp

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class ToyData:
    r"""Points of Section 3.1 (two dimensions) and Appendix C (ten), in float64.

    .. math:: p(x) = \frac{1}{2} \sum_\pm
              \mathcal{N}(x; [\pm 3.5, 0, \dots], \mathrm{diag}(0.5, 1, \dots))

    and N(0, 0.01 I) out of distribution. Component 0 is at +3.5.

    Args:
        dim: D, at least 2.
        mean: the means of the first coordinate are plus and minus this value.
        variance: variance of the first coordinate within a component.
        ood_variance: variance of every coordinate out of distribution.

    Raises:
        UserError: fewer than 2 dimensions.
    """

    dim: int
    mean: float = 3.5
    variance: float = 0.5
    ood_variance: float = 0.01

    def __post_init__(self) -> None:
        if self.dim < 2:
            raise UserError(f"toy data need at least 2 dimensions, got {self.dim}")

    @property
    def means(self) -> Tensor:
        """Means of the two components, (2, D)."""
        first = torch.tensor([[self.mean], [-self.mean]], dtype=torch.float64)
        return nn.functional.pad(first, (0, self.dim - 1))

    @property
    def std(self) -> Tensor:
        """Standard deviations of each component, (D,)."""
        std = torch.ones(self.dim, dtype=torch.float64)
        std[0] = math.sqrt(self.variance)
        return std

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw n points in distribution and their components: (n, D), (n,) int64."""
        k = torch.randint(2, (n,), generator=generator)
        return self.means[k] + self.std * self._noise(n, generator), k

    def sample_ood(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points out of distribution, (n, D)."""
        return math.sqrt(self.ood_variance) * self._noise(n, generator)

    def _noise(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.dim, generator=generator, dtype=torch.float64)

    def log_prob(self, x: Tensor) -> Tensor:
        """True log density of the mixture: (n, D) -> (n,), nats."""
        u = (x[:, None] - self.means) / self.std  # (n, 2, D)
        return log_mean_exp((-0.5 * (u.square() + LOG_2PI) - self.std.log()).sum(-1), -1)

    def exact_means(self) -> dict[str, float]:
        """Expected true log density of the sets ``test`` and ``ood``, nats per point.

        The first coordinate by quadrature, the others (standard Gaussians) in closed
        form. The value for ``test`` is minus the entropy of the data.

        >>> {name: round(value, 3) for name, value in ToyData(2).exact_means().items()}
        {'test': -3.184, 'ood': -13.55}
        """
        reach = self.mean + 15 * math.sqrt(max(self.variance, self.ood_variance))
        t = torch.linspace(-reach, reach, 40_001, dtype=torch.float64)
        others = self.dim - 1
        points = nn.functional.pad(t[:, None], (0, others))
        first = self.log_prob(points) + 0.5 * others * LOG_2PI
        ood = _normal_density(t, self.ood_variance)
        means = {"test": (first.exp(), 1.0), "ood": (ood, self.ood_variance)}
        return {
            name: float(trapezoid(density * first, t)) - 0.5 * others * (LOG_2PI + variance)
            for name, (density, variance) in means.items()
        }


def _normal_density(t: Tensor, variance: float) -> Tensor:
    return (-0.5 * (t.square() / variance + math.log(variance) + LOG_2PI)).exp()


def build_data(spec: dict) -> ToyData:
    """Build the mixture of a specification; ``data`` overrides the paper's values."""
    return ToyData(spec["dim"], **spec.get("data", {}))


def entropy(prior: Prior) -> float:
    """Entropy of a prior whose components differ in at most one coordinate, nats.

    The density factorises: one quadrature for the separating coordinate and one for all
    others are enough. The entropy of the data is -exact_means()["test"].

    >>> from oodpriors.priors import build_prior
    >>> round(entropy(build_prior("gaussian", 2, means=[[0.0]])), 6) == round(LOG_2PI + 1, 6)
    True

    Raises:
        UserError: the components differ in several coordinates.
    """
    dim, separating = prior.means.shape[1], prior.separating.nonzero().flatten().tolist()
    if len(separating) > 1:
        raise UserError(
            f"the prior's components differ in {len(separating)} coordinates: its entropy is "
            "known only for at most one"
        )
    centre = prior.means[:1].double()
    reach = float((prior.means - centre).abs().max()) + 15 * prior.scale
    t = torch.linspace(-reach, reach, 40_001, dtype=torch.float64)
    direction = nn.functional.one_hot(torch.tensor(separating or [0]), dim)
    points, first = centre + t[:, None] * direction, torch.zeros(len(t), dtype=torch.long)
    at_centre = prior.log_prob_component(centre, first[:1]) / dim
    component = prior.log_prob_component(points, first) - (dim - 1) * at_centre
    mixture = prior.log_prob_parts(points)[0]
    common = (dim - len(separating)) * _differential_entropy(component, t)
    return common + len(separating) * _differential_entropy(mixture, t)


def exact_facts(data: ToyData, prior: Prior) -> dict[str, float]:
    """``exact_test`` and ``exact_ood``, from :meth:`ToyData.exact_means`; ``prior_entropy``."""
    exact = {f"exact_{name}": value for name, value in data.exact_means().items()}
    return exact | {"prior_entropy": entropy(prior)}


def _differential_entropy(log_density: Tensor, t: Tensor) -> float:
    return -float(trapezoid(log_density.exp() * log_density, t))
