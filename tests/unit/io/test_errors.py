"""An error that a user can correct ends a job in one line, from anywhere in the library."""

import pytest

from oodpriors.config.schema import ConfigError
from oodpriors.data.fetching import DownloadError
from oodpriors.io.errors import UserError
from oodpriors.io.job import job
from oodpriors.training.trainer import DivergenceError, InterruptedTraining

ERRORS = [
    UserError("lower the rate"),
    ConfigError(["lower the rate"]),
    DownloadError("lower the rate"),
    DivergenceError("lower the rate"),
    InterruptedTraining("lower the rate"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_of_the_user_is_one_line(error, tmp_path):
    with pytest.raises(SystemExit, match="1"), job(str(tmp_path / "log")):
        raise error
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert line.startswith("error: ")
    assert line.endswith("lower the rate")
