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
    made,
    printed,
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


def macros(text):
    """Names and texts of the macros."""
    found = re.findall(r"\\newcommand\{\\(\w+)\}\{(.*)\}\n", text)
    assert len(found) == text.count("\n")
    return {name: printed(value) for name, value in found}


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


def test_the_macros_count_the_verdicts():
    found = macros(made()["macros"])
    names = ("Holds", "Fails", "Undecided", "Shown", "NotShown", "Claims")
    assert [found[name] for name in names] == ["3", "1", "2", "1", "1", "8"]
    assert found["ExpectedFalse"].startswith("Of 6 claims tested at a level of 5 %, 4 were")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.6, "9 seconds"), (60, "2 minutes"), (1800, "60 minutes"), (3.6e6, "2,000 hours")],
)
def test_the_time_of_the_trainings_is_told_in_a_fitting_unit(seconds: float, words: str):
    run = record()
    for model in run["models"]:  # two of them
        model["training_seconds"] = seconds
    assert macros(made(record=run)["macros"])["Computing"] == words


def test_the_document_names_each_processor_and_gpu_once():
    run = record()
    run["models"] += [{**run["models"][0], "device": "Tesla"}]
    assert macros(made(record=run)["macros"])["Devices"] == "Tesla, Z80 (model 1)"


def test_the_macros_tell_the_run():
    found = macros(made()["macros"])
    assert (found["Run"], found["Scale"], found["Seeds"]) == ("my_run", "smoke", "0, 3")
    assert found["Models"] == "2"
    assert (found["TestImages"], found["OodImages"]) == ("1,000", "2,345")
    assert found["Commit"] == "f" * 12
    assert found["Note"] == "Scale smoke; part of the images"
    assert found["Date"] == "2019-11-26"


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


OFFICIAL = record()["data"][0]
OWN = OFFICIAL | {"source": {"kind": "npz", "stand_in": False, "files": [{"name": "own.npz"}]}}
OWN["source"]["files"][0]["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("whole", "data", "kind", "sentences"),
    [
        (True, [OFFICIAL], "A Reproduction of", []),
        (True, [OFFICIAL, OWN], "A Reproduction of", ["own.npz are our own"]),
        (False, [OFFICIAL], "A Part of the Experiments of", ["this run: two_modes, toy."]),
        (False, [OWN], "Our Own Data, after", ["this run: two_modes, toy.", "are our own"]),
    ],
)
def test_a_document_says_what_is_run_on_whose_data(whole, data, kind, sentences):
    found = macros(made(record=record() | {"whole": whole, "data": data})["macros"])
    assert (found["Kind"], found["Whole"]) == (kind, str(int(whole)))
    assert all(sentence in found["Scope"] for sentence in sentences)
    assert bool(found["Scope"]) == bool(sentences)
    assert ("own.npz" in found["Data"]) == (OWN in data)


def test_the_document_claims_all_experiments_only_of_a_whole_run():
    claim = MAIN.index("reproduce all experiments")
    opened = MAIN.rindex(r"\ifnum\Whole=1", 0, claim)
    assert r"\fi" not in MAIN[opened:claim]


def test_changed_code_is_named_as_such():
    found = macros(made(record=record(changed=True))["macros"])
    assert found["Commit"] == "f" * 12 + " with changes"


def test_the_table_of_trainings_has_a_row_each():
    _, first, second = cells(made()["training"])
    assert first == [MODELS[0], "0", "12,345", "678", "1,800", "–", "cpu"]
    assert second == [MODELS[1], "3", "12,345", "678", "1,800", "2.5e-06", "cpu"]


def test_the_papers_number_stands_beside_ours():
    row = cells(made()["comparison"])[-1]
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


def test_every_input_is_listed_with_its_whole_checksum():
    text = printed(made()["inputs"])
    assert "t10k_images.gz & " + "0123456789abcdef" * 4 in text
    assert "images of mnist, test & " + "ab" * 32 in text


def test_commits_of_the_trainings_and_of_the_document_are_named():
    macros = printed(made(record=record(changed=True))["macros"])
    assert "f" * 40 + " with changes" in macros
    assert "\\newcommand{\\TrainingCommits}{" + "e" * 40 + "}" in macros


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
