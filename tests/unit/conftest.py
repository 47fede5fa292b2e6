"""Settings of PyTorch in which the mathematics is tested."""

import pytest
import torch


@pytest.fixture
def double_precision():
    """Float64 by default, and a seed."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(before)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums whose order does not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
