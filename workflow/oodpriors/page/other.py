"""Another run beside this one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from oodpriors.tables.cells import interval, read_table, with_error

COLUMNS = ("nll_ood", "nll_ood_std_error", "auroc", "auroc_low", "auroc_high")


class Other(NamedTuple):
    """Another run: its name, the rows of its claims.csv, and those of its models.csv."""

    name: str
    claims: pd.DataFrame
    models: pd.DataFrame

    def beside(self, models: Sequence[str]) -> dict[str, list[str]]:
        """Cells of the columns that stand beside those of these models."""
        rows = self.models.set_index("model").reindex(list(models))[[*COLUMNS]]
        nll = with_error(rows["nll_ood"], rows["nll_ood_std_error"])
        return {
            f"NLL out, {self.name}": ["–" if "nan" in cell else cell for cell in nll],
            f"AUROC, {self.name}": interval(rows, "auroc"),
        }


def read_other(claims: Path | str, models: Path | str) -> Other:
    """Read claims.csv and tables/models.csv of a run; its folder has its name."""
    return Other(Path(claims).absolute().parent.name, read_table(claims), read_table(models))
