"""The running text of the document: topics, numbers of page one, and lists of sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from oodpriors.document import tex
from oodpriors.document.cards import changed, findings, reference
from oodpriors.document.facts import Facts
from oodpriors.document.floats import Floats
from oodpriors.statistics.wording import joined

HEADINGS = {"paper": "The paper says", "question": "The question", "method": "Method"}
WE_FIND, WHY = "We find", "Why"
MOST_MODELS = 8  # on page one of a run that has no model of the paper


def topic_text(
    topics: Sequence[Mapping], facts: Facts, floats: Floats, claims: pd.DataFrame
) -> str:
    """All topics: what the paper says, what we find, and why, with figures and tables beside."""
    sections = [topic["section"] for topic in topics]
    parts = []
    for number, topic in enumerate(topics):
        first = number == 0 or sections[number - 1] != topic["section"]
        alone = sections.count(topic["section"]) == 1
        parts += [f"\\section{{{tex.escape(topic['section'])}}}"] * first
        parts += [f"\\subsection{{{tex.escape(topic['title'])}}}"] * (not alone)
        parts += [f"\\label{{topic:{topic['id']}}}", *_paragraphs(topic, facts, claims)]
        parts.append(floats.beside(topic))
    return "\n\n".join(parts) + "\n"


def _paragraphs(topic: Mapping, facts: Facts, claims: pd.DataFrame) -> list[str]:
    where = f" ({topic['where']})" if "where" in topic else ""
    texts = {key: facts.filled(topic[key]) for key in HEADINGS if key in topic}
    parts = [
        _paragraph(HEADINGS[key] + where * (key == "paper"), tex.inline(text))
        for key, text in texts.items()
        if text
    ]
    found = [_shown(topic), _other_verdicts(claims)] if topic["id"] == "whose" else [_shown(topic)]
    found += map(tex.inline, facts.chosen(topic.get("found", [])))
    parts.append(_paragraph(WE_FIND, " ".join(found)))
    parts += [findings(topic["claims"], claims)] if topic["claims"] else []
    why = " ".join(map(tex.inline, facts.chosen(topic.get("why", []))))
    return [*parts, _paragraph(WHY, why)] if why else parts


def _paragraph(heading: str, text: str) -> str:
    return f"\\paragraph{{{tex.escape(heading)}.}} {text}"


def _shown(topic: Mapping) -> str:
    """Where the figures and tables are."""
    here = _references(topic["figures"], topic["tables"])
    more = _references(topic["more_figures"], topic["more_tables"])
    appendix = [f"in the appendix, {joined(more)}"] if more else []
    places = "; ".join([joined(here)] * bool(here) + appendix)
    return f"See {places}." if places else ""


def _references(figures: Sequence[str], tables: Sequence[str]) -> list[str]:
    return [reference(f"fig:{n}") for n in figures] + [reference(f"tab:{n}") for n in tables]


def _other_verdicts(claims: pd.DataFrame) -> str:
    """Claims that have another verdict with refined posteriors."""
    other = [
        f"{tex.link('card', n, tex.escape(n))} ({tex.escape(v)})"
        for n, v in changed(claims).items()
    ]
    if not other:
        return "No claim has another verdict by the refined estimate."
    return f"By the refined estimate these claims have another verdict: {joined(other)}."


def first_numbers(rows: Sequence[Mapping], facts: Facts) -> str:
    """Numbers of page one: a row for each entry that the run has; else its first models."""
    shown = pd.DataFrame([_numbers(row, facts) for row in rows])
    names = [str(name) for name in shown.columns[1:] if (shown[name] != "–").any()]
    shown = shown[(shown[shown.columns[1:]] != "–").any(axis=1)]
    if shown.empty:
        shown = _first_models(facts)
        names = list(map(str, shown.columns[1:]))
    return tex.tabular(shown[[shown.columns[0], *names]], "l" + "r" * len(names))


def _numbers(row: Mapping, facts: Facts) -> dict[str, str]:
    models = row["models"]
    names = {"uni": "Gaussian", "multi": "mixture", "random": "mixture, random"}
    found = {
        title: (facts.number(row["column"], models[key]) if key in models else None) or "–"
        for key, title in names.items()
    }
    return {"AUROC of the likelihood, by prior": row["title"]} | found


def _first_models(facts: Facts) -> pd.DataFrame:
    names = list(facts.models)[:MOST_MODELS]
    about = ("architecture", "prior", "training_data")
    rows = [
        {
            "Model": ", ".join(str(facts.models[name][part]) for part in about),
            "AUROC of the likelihood": facts.number("auroc", str(name)) or "–",
        }
        for name in names
    ]
    return pd.DataFrame(rows)


def listed(sentences: Sequence[str]) -> str:
    """A list, or nothing."""
    items = "".join(f"\\item {tex.inline(text)}\n" for text in sentences)
    close = r"\setlength{\itemsep}{0pt}\setlength{\parsep}{0pt}"
    return f"\\begin{{itemize}}{close}\n{items}\\end{{itemize}}\n" if items else ""
