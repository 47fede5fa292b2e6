"""Settings of PyTorch for tests of the mathematics."""

import pytest
import torch


@pytest.fixture
def double_precision():
    """Float64 by default, and a fixed seed."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(before)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in an order that does not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
