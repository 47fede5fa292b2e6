"""The parts of the document are complete and valid LaTeX."""

import re
from collections import Counter

import pytest
from tests.unit.document.conftest import (
    MODELS,
    OUTLINE,
    ROOT,
    assert_balanced,
    cells,
    macros,
    made,
    record,
    table_1,
)

from oodpriors.statistics.claims import compare_with_paper, judge

MAIN = (ROOT / "paper/main.tex").read_text()


EMPTY = {
    "tables": {},
    "figures": {},
    "comparison": compare_with_paper([], None),
    "claims": judge([], [], None),
}


@pytest.mark.parametrize("changes", [{}, EMPTY], ids=["full", "empty"])
def test_every_file_that_the_document_reads_is_made(changes):
    assert set(re.findall(r"\\input\{(\w+)\}", MAIN)) == made(**changes).keys()


@pytest.mark.parametrize("changes", [{}, EMPTY], ids=["full", "empty"])
def test_every_part_of_the_document_is_balanced(changes):
    for text in made(**changes).values():
        assert_balanced(text)


def test_every_macro_of_the_document_is_made():
    used = set(re.findall(r"\\([A-Z]\w*)", MAIN.split(r"\input{macros}")[1]))
    assert used
    from_packages = {"FloatBarrier"}
    assert used - from_packages <= macros(made()["macros"]).keys()


@pytest.mark.parametrize(
    ("stand_in", "data", "source"),
    [
        (False, "the real data sets", "mnist: t10k_images.gz (0123456789ab)"),
        (True, "stand-in data", "stand-in: drawn_things"),
    ],
)
def test_stand_ins_are_named_as_such(stand_in, data, source):
    parts = made(record=record(stand_in))
    assert macros(parts["macros"])["Data"] == data
    assert ("STAND-IN" in macros(parts["macros"])["Note"]) == stand_in
    assert cells(parts["data"])[1] == ["mnist", "test", "5", "9,000", source]


def test_the_document_claims_all_experiments_only_of_a_whole_run():
    claim = MAIN.index("reproduce all experiments")
    opened = MAIN.rindex(r"\ifnum\Whole=1", 0, claim)
    assert r"\fi" not in MAIN[opened:claim]


def test_the_papers_number_stands_beside_ours():
    row = cells(made()["comparison"])[-1]
    assert row[1] == "NLL out, VAE, uni, Fashion-MNIST (1, 7)"
    assert row[2] == "1,647.76"
    assert row[4:] == ["0.910", "nats per image"]  # 1500 / 1647.76


def test_a_table_has_the_models_in_its_order_with_the_papers_number():
    rows = [row for row in cells(made()["topics"]) if row[0] in ("VAE", "Glow")]
    assert [row[:4] for row in rows] == [
        ["Glow", "multi", "Fashion-MNIST (1, 7)", "–"],
        ["VAE", "uni", "Fashion-MNIST (1, 7)", "1,647.76"],
    ]
    assert [row[-1] for row in rows] == ["0.250 [0.152, 0.348]"] * 2


def test_without_a_table_all_models_are_listed():
    rows = cells(made(tables={})["tables"])
    assert len([row for row in rows if row[0] in ("VAE", "Glow")]) == len(MODELS)


def test_software_is_listed_with_its_versions():
    assert made()["software"] == "python 3.12, scikit-learn 1.5"


def test_the_references_and_labels_of_the_document_stand_once():
    counts = Counter(re.findall(r"\\label\{([^}]+)\}", MAIN + "".join(made().values())))
    assert set(counts.values()) == {1}


def test_a_caption_names_the_sets_of_its_own_table():
    entry = {"where": "Table 1", "caption": "Of two."}
    table = table_1()
    table.loc[table["model"] == MODELS[0], "out_of_distribution"] = "SVHN"
    few = table[table["model"] == MODELS[0]]
    both, one = (made(tables={"table1": (entry, rows)})["topics"] for rows in (table, few))
    assert r"out: MNIST \& more, SVHN;" in both
    assert "out: SVHN;" in one


def test_every_reference_has_its_label_and_every_link_its_anchor():
    text = MAIN + "".join(made().values())
    labels = set(re.findall(r"\\label\{([^}]+)\}", text))
    assert set(re.findall(r"\\ref\{([^}]+)\}", text)) - {"topic:whose"} <= labels
    sections = set(re.findall(r"\\hyperref\[([^\]]+)\]", text))
    assert sections
    assert sections <= labels
    anchors = {
        *re.findall(r"\\hypertarget\{([^}]+)\}", text),
        *re.findall(r"\\card\{([^}]+)\}", text),
    }
    links = set(re.findall(r"\\hyperlink\{([^}]+)\}", text))
    assert links
    assert links <= anchors


def test_every_figure_and_table_is_cited():
    text = "".join(made().values())
    floats = set(re.findall(r"\\label\{((?:fig|tab):[^}]+)\}", text))
    assert floats == {"fig:fig04", "tab:table1"}
    assert floats <= set(re.findall(r"\\ref\{([^}]+)\}", made()["topics"]))


def test_every_entry_that_is_cited_is_in_the_references_and_all_are_cited():
    listed = re.findall(r"^@\w+\{(\w+),", (ROOT / "paper/references.bib").read_text(), re.M)
    assert len(set(listed)) == len(listed)
    cited = re.findall(r"\\cite\w*\{([^}]+)\}", MAIN) + re.findall(r"\[@(\w+)\]", str(OUTLINE))
    assert set(cited) == set(listed)
