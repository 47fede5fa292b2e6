"""Log-likelihoods of values under logits against PyTorch's categorical distribution."""

import pytest
import torch
from torch.distributions import Categorical

from oodpriors.models import categorical
from oodpriors.models.categorical import categorical_log_prob

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.mark.parametrize("rows", [1, 5, 1024])
def test_categorical_log_prob_is_that_of_torch_in_any_pieces(rows, monkeypatch):
    monkeypatch.setattr(categorical, "ROWS_AT_ONCE", rows)
    logits, values = 5 * torch.randn(12, 256, requires_grad=True), torch.randint(256, (12,))
    torch.testing.assert_close(
        categorical_log_prob(logits, values), Categorical(logits=logits).log_prob(values)
    )
    assert torch.autograd.gradcheck(categorical_log_prob, (logits, values))


def test_categorical_log_prob_of_low_precision_is_normalised_in_single():
    logits, values = (5 * torch.randn(512, 256)).bfloat16(), torch.randint(256, (512,))
    truth = Categorical(logits=logits.double()).log_prob(values)
    found = categorical_log_prob(logits, values)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), truth, rtol=1e-5, atol=1e-5)
