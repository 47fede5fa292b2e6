"""Numbers of a run that texts may name, and conditions on its verdicts."""

import math
import re
from collections.abc import Mapping, Sequence

import pandas as pd

PLACE = re.compile(r"\{(\w+)(?: ([^{}]+))?\}")
SHOWN, NOT_SHOWN = ("shown",), ("not shown",)  # by one or two trainings
NOT_RUN = "not run"  # in the place of a verdict: the run does not judge the claim
VALUES = {  # what a condition names, and the first words of the verdicts that it means
    "holds": ("holds",),
    "fails": ("fails",),
    "shown": SHOWN,
    "not shown": NOT_SHOWN,
    "for": ("holds", *SHOWN),
    "against": ("fails", *NOT_SHOWN),
    "not decided": ("not decided",),
    "not run": (NOT_RUN,),
}


class Facts:
    """Numbers by name, with which texts are filled in.

    Args:
        macros: texts by name.
        models: see :func:`oodpriors.tables.likelihoods.model_table`.
        comparison: see :func:`oodpriors.statistics.claims.compare_with_paper`.
        claims: verdicts, a row per comparison.
    """

    def __init__(
        self,
        macros: Mapping[str, str],
        models: pd.DataFrame,
        comparison: pd.DataFrame,
        claims: pd.DataFrame,
    ) -> None:
        self.macros = macros
        self.models = models.set_index("model").to_dict("index")
        self.comparison = comparison.set_index("id").to_dict("index")
        self.verdicts = claims.drop_duplicates("id").set_index("id")["verdict"].to_dict()

    def number(self, name: str, of: str | None) -> str | None:
        """A number as it is printed, or None if this run has none."""
        if of is None:
            return self.macros.get(name) or None
        if name in ("ours", "paper"):
            return self._setting(name, of)
        return self._of_model(name, of)

    def _setting(self, name: str, of: str) -> str | None:
        if of not in self.comparison:
            return None
        value = str(self.comparison[of][name])
        try:
            return f"{float(value):,g}"
        except ValueError:
            return value

    def _of_model(self, name: str, of: str) -> str | None:
        """A statistic with its interval of 95 %."""
        row = self.models.get(of, {})
        value, low, high = (row.get(f"{name}{end}", math.nan) for end in ("", "_low", "_high"))
        return None if math.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"

    def filled(self, text: str) -> str | None:
        """The text with its numbers, or None if this run lacks one of them."""
        found = {m[0]: self.number(m[1], m[2]) for m in PLACE.finditer(text)}
        if None in found.values():
            return None
        return PLACE.sub(lambda m: str(found[m[0]]), text).strip()

    def holds(self, condition: Mapping[str, str]) -> bool:
        """Whether all claims of a condition have the verdict that it names."""
        return all(
            str(self.verdicts.get(claim, NOT_RUN)).startswith(VALUES[value])
            for claim, value in condition.items()
        )

    def chosen(self, texts: Sequence[Mapping]) -> list[str]:
        """Texts whose conditions hold, with their numbers."""
        filled = [self.filled(t["text"]) for t in texts if self.holds(t.get("if", {}))]
        return [text for text in filled if text]
