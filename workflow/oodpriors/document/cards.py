"""Verdicts as LaTeX: the board on page one, the findings in the text, and the cards."""

from collections.abc import Mapping, Sequence

import pandas as pd

from oodpriors.document import tex
from oodpriors.document.topics import shown_in
from oodpriors.statistics.claims import PAPER, REFINED, VERDICTS
from oodpriors.tables.measured import measured, trained
from oodpriors.tables.verdicts import KINDS, claim_text, deciding, reason, refined_verdicts

OTHER = " *: another verdict with a posterior refined for each image."


def board(topics: Sequence[Mapping], claims: pd.DataFrame) -> str:
    """All claims as coloured boxes that lead to their cards, a row for each topic."""
    once = claims[claims["estimator"] == PAPER].drop_duplicates("id").set_index("id")
    other = changed(claims)
    rows = []
    for topic in topics:
        boxes = [
            _link_to_card(n, once.loc[n, "verdict"], "*" * (n in other)) for n in topic["claims"]
        ]
        if boxes:
            title = f"\\hyperref[topic:{topic['id']}]{{{tex.escape(topic['title'])}}}"
            rows.append(f"{title} & {' '.join(boxes)} \\\\")
    counts = once["verdict"].value_counts()
    legend = [tex.box(v, f"{v}: {counts[v]}") for v in VERDICTS if v in counts]
    grid = "\\begin{tabular}{@{}P{0.25\\textwidth}@{\\hskip 6pt}P{0.72\\textwidth}@{}}\n"
    head = "\\hypertarget{board}{}\\textbf{All verdicts}; titles lead to sections, boxes to cards."
    body = (
        f"{{\\footnotesize\\renewcommand{{\\arraystretch}}{{0.92}}\n{grid}"
        + "\n".join(rows)
        + "\n\\end{tabular}}"
    )
    return (
        f"{head}{OTHER * bool(other)}\\par\\smallskip\\noindent{body}"
        f"\\par\\smallskip{{\\raggedright\\noindent {' '.join(legend)}\\par}}\n"
    )


def changed(claims: pd.DataFrame) -> dict[str, str]:
    """Verdicts with refined posteriors, of those claims where they are others."""
    first = claims[claims["estimator"] == PAPER].drop_duplicates("id").set_index("id")["verdict"]
    again = refined_verdicts(claims).to_dict()
    return {str(name): verdict for name, verdict in again.items() if verdict != first.get(name)}


def _link_to_card(name: str, verdict: str, mark: str = "") -> str:
    return tex.link("card", name, tex.box(verdict, name + mark))


def findings(names: Sequence[str], claims: pd.DataFrame) -> str:
    """A sentence for each claim: verdicts, its meaning or the text, and what decides it."""
    deciding_rows, other, sentences = deciding(claims), changed(claims), []
    for name in names:
        row = deciding_rows[name]
        found = tex.escape(f"{measured(row)} ({trained(row)}).")
        boxes = [tex.box(row["verdict"], f"{name} {row['verdict']}")]
        boxes += [_refined_box(other[name])] if name in other else []
        links = " ".join(tex.link("card", name, box) for box in boxes)
        sentences.append(f"\\finding{{{links}}}{{{tex.escape(_said(row))}}}{{{found}}}")
    return "\n".join(sentences) + "\n"


def _refined_box(verdict: str) -> str:
    return tex.box(verdict, f"refined: {verdict}")


def _said(row: pd.Series) -> str:
    said, but = _text(row, "meaning") or row["text"], _text(row, "but")
    return f"{said} But {but}." if but else str(said)


def _text(row: pd.Series, name: str) -> str:
    """A text of a row; "" if it has none."""
    return row[name] if isinstance(row[name], str) else ""


def cards(
    topics: Sequence[Mapping],
    claims: pd.DataFrame,
    figures: Mapping[str, str],
    tables: Mapping[str, str],
) -> str:
    """All claims with what each verdict rests on, by topic.

    Args:
        topics: of this run.
        claims: verdicts, a row per comparison.
        figures, tables: number of each, by name.
    """
    parts = []
    for topic in topics:
        if topic["claims"]:
            parts.append(f"\\subsection{{{tex.escape(topic['title'])}}}")
            shown = [f"fig:{n}" for n in topic["figures"]] or [f"tab:{n}" for n in topic["tables"]]
            for name in topic["claims"]:
                own = claims[claims["id"] == name]
                places = shown_in(str(own["where"].iloc[0]), figures, tables) or shown[:1]
                here = [f"Section~\\ref{{topic:{topic['id']}}}", *map(reference, places)]
                parts.append(_card(name, own, here))
    return "\n".join(parts) + "\n"


def _card(name: str, claim: pd.DataFrame, here: Sequence[str]) -> str:
    """A card of the comparisons of one claim, with links to where it is said and shown."""
    row, refined = deciding(claim)[name], refined_verdicts(claim).get(name)
    boxes = [tex.box(row["verdict"], f"{name} {row['verdict']}")]
    boxes += [] if refined is None else [_refined_box(refined)]
    links = f"here {', '.join(here)}; \\hyperlink{{board}}{{all verdicts}}"
    rests = [_rests("Measured", reason(claim, name))]
    rests += [] if refined is None else [_rests("Refined", _refined_reason(claim, name))]
    return (
        f"\\card{{{tex.anchor('card', name)}}}{{{' '.join(boxes)}}}"
        f"{{{tex.escape(_about(row))}; {links}.}}"
        f"{{{tex.escape(claim_text(row))}{_quoted(row)}}}{{{' '.join(rests)}}}"
    )


def _refined_reason(claim: pd.DataFrame, name: str) -> str:
    """The reason of a refined verdict, of those comparisons that have a refined estimate."""
    first = claim.loc[claim["estimator"] == PAPER, "comparison"]
    own = claim[(claim["estimator"] == REFINED) & ~claim["comparison"].isin(first)]
    if (own["comparison_verdict"] == own["verdict"]).any():
        return reason(own, name, REFINED)
    found = [f"{measured(row)}: {row['comparison_verdict']}" for _, row in own.iterrows()]
    return "; ".join([*found, trained(own.iloc[0]), "a comparison without a VAE decides"])


def _about(row: pd.Series) -> str:
    """Place of a claim, its kind, and whether the paper's own numbers support it."""
    kind = KINDS.get(row["kind"] if isinstance(row["kind"], str) else "", KINDS[""])
    printed = row["paper_numbers"]
    own = [] if printed == "not printed" else [f"the paper's own numbers {printed}"]
    return "; ".join([row["where"], kind, *own])


def _quoted(row: pd.Series) -> str:
    """The paper's own words, if there are any."""
    quote = _text(row, "quote")
    end = "" if quote.endswith(".") else "."
    return f" \\textit{{The paper:}} {tex.escape(f'“{quote}”{end}')}" if quote else ""


def _rests(title: str, text: str) -> str:
    return f"\\textit{{{title}:}} {tex.escape(text)}."


def reference(label: str) -> str:
    """Figure or table of a label, as a link.

    >>> reference("fig:fig04")
    'Figure~\\\\ref{fig:fig04}'
    """
    kind = "Figure" if label.startswith("fig:") else "Table"
    return f"{kind}~\\ref{{{label}}}"
