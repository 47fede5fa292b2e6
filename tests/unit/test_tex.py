"""What the document is made of is sound LaTeX, and it is all there."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oodpriors import tex
from oodpriors.claims import compare_with_paper, judge
from oodpriors.document import fragments
from oodpriors.latex import build_pdf
from oodpriors.statistics import Estimate, ScoreTable
from oodpriors.tables import likelihood_table, model_table, to_html, verdict_text

ROOT = Path(__file__).parents[2]
MAIN = (ROOT / "paper/main.tex").read_text()
ASSUMPTIONS = (ROOT / "docs/assumptions.md").read_text()

# What LaTeX prints for each command that text is escaped to.
PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\&": "&",
    r"\%": "%",
    r"\$": "$",
    r"\#": "#",
    r"\_": "_",
    r"\{": "{",
    r"\}": "}",
    r"$\pm$": "±",
    r"$\ge$": "≥",
    r"$\le$": "≤",
    r"$\times$": "×",
    r"$\to$": "→",
    r"$\frac12$": "½",
    r"$\beta$": "β",
    r"$\alpha$": "α",
    r"$\cdot$": "·",
    "$-$": "−",
    "$<$": "<",
    "$>$": ">",
    "$|$": "|",
    "--": "–",
    "{[}": "[",
}
COMMAND = re.compile("|".join(map(re.escape, sorted(PRINTED, key=len, reverse=True))))


def printed(text):
    return COMMAND.sub(lambda found: PRINTED[found[0]], text)


def assert_balanced(text):
    """Every environment ends where it should, and braces and dollars pair."""
    opened = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\[\\{}$]", "", text)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0


# escaping


@pytest.mark.parametrize("character", PRINTED.values())
def test_a_special_character_prints_as_itself(character):
    assert printed(tex.escape(character)) == character
    assert tex.escape(character) != character


@pytest.mark.parametrize("text", ["a_b & 50 % {x}", r"C:\new~1", "−3.1 ± 0.2", "$100 #1", "a<b>c|"])
def test_escaped_text_prints_as_it_was(text):
    assert printed(tex.escape(text)) == text
    assert_balanced(tex.escape(text))


@pytest.mark.parametrize("text", ["plain text, 1.5 (x)", "", "Müller's"])
def test_plain_text_is_left_alone(text):
    assert tex.escape(text) == text


def test_what_is_no_text_is_escaped_as_it_is_printed():
    assert (tex.escape(3), tex.escape(None)) == ("3", "None")


def test_a_value_becomes_a_macro():
    made = tex.macros({"Scale": "smoke", "Note": "50 % of a_b"})
    assert made.splitlines() == [
        r"\newcommand{\Scale}{smoke}",
        r"\newcommand{\Note}{50 \% of a\_b}",
    ]


# tables

SPECIAL = pd.DataFrame(
    {"a_b": ["50 %", "x & y", r"a\b"], "c^2": ["1 ± 2", "{z}", "~"], "NLL (–)": ["#1", "$5", "<|>"]}
)


def cells(text):
    """The texts that a table prints, row by row."""
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    split = [re.split(r"(?<!\\) & ", row.removesuffix(r" \\")) for row in rows]
    return [[printed(re.sub(r"^\\textbf\{(.*)\}$", r"\1", c)) for c in row] for row in split]


@pytest.mark.parametrize("make", [tex.tabular, tex.longtable])
def test_a_table_prints_its_cells(make):
    assert cells(make(SPECIAL, "lll")) == [list(SPECIAL.columns), *SPECIAL.to_numpy().tolist()]


@pytest.mark.parametrize("make", [tex.tabular, tex.longtable])
def test_a_table_is_sound(make):
    for table in (SPECIAL, SPECIAL.iloc[:0]):
        text = make(table, "lll")
        assert_balanced(text)
        assert [text.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")] == [1, 1, 1]


def test_a_float_has_its_tables_one_above_the_other():
    text = tex.table_float([(SPECIAL, "lll"), (SPECIAL.iloc[:1], "rrr")], "Of a_b & c", "t1")
    assert_balanced(text)
    columns = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns == ["lll", "rrr"]
    assert r"\caption{Of a\_b \& c}" in text
    assert r"\label{t1}" in text


def test_a_figure_has_file_caption_and_label():
    text = tex.figure_float("fig04.pdf", "50 % of it", "fig04", "4")
    assert_balanced(text)
    for part in ("{fig04.pdf}", r"\caption{50 \% of it}", r"\label{fig04}"):
        assert part in text


# Markdown


@pytest.mark.parametrize(
    ("markdown", "latex"),
    [
        ("# Title", ""),
        ("## Data & scores", r"\subsection{Data \& scores}"),
        ("### A1. Limits", r"\paragraph{A1. Limits}"),
        ("A line\nand another.", "A line and another."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("One.\n  \nTwo.", "One.\n\nTwo."),
        ("Key: `data_seed`.", r"Key: \texttt{data\_seed}."),
        ("It is **50 %** of it.", r"It is \textbf{50 \%} of it."),
        ("`a` and `b_c`", r"\texttt{a} and \texttt{b\_c}"),
        ("2 * 3 and x ± 1", r"2 * 3 and x $\pm$ 1"),
        ("# Title\n\n## Part\n\nText.", "\\subsection{Part}\n\nText."),
    ],
)
def test_markdown_becomes_latex(markdown, latex):
    assert tex.from_markdown(markdown) == latex + "\n"


def test_every_assumption_is_printed():
    text = tex.from_markdown(ASSUMPTIONS)
    assert_balanced(text)
    headings = re.findall(r"^### (.*)$", ASSUMPTIONS, re.MULTILINE)
    assert [printed(h) for h in re.findall(r"\\paragraph\{(.*)\}", text)] == headings
    assert len(headings) >= 10


def test_the_assumptions_need_no_character_that_latex_lacks():
    # letters of Latin alphabets are in every font, symbols are not
    lacking = {c for c in tex.from_markdown(ASSUMPTIONS) if ord(c) > 127 and not c.isalpha()}
    assert lacking == set()


# the parts of the document

MODELS = ["vae/fashion_1_7/unimodal", "glow/fashion_1_7/bimodal_50"]
TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "subsets": {"fashion_1_7": "Fashion-MNIST (1, 7)", "mnist": "MNIST & more"},
    "priors": {"unimodal": "uni", "bimodal_50": "multi"},
}


def scores(n_test, n_ood):
    sets = ["test"] * n_test + ["ood"] * n_ood
    images = {"test": "fashion_1_7.test", "ood": "mnist.test"}
    return ScoreTable(
        [pd.DataFrame({"set": sets, "images": [images[s] for s in sets], "log_prob": 0.0})]
    )


def model_rows():
    """Likelihoods of two models, every quantity being 0.25."""
    tables = {MODELS[0]: scores(1000, 2345), MODELS[1]: scores(800, 100)}
    quarter = Estimate(0.25, np.array([0.2, 0.25, 0.3]))
    return model_table(tables, TITLES, lambda quantity: quarter)


def record(stand_in=False, changed=False):
    source = {
        "kind": "mnist",
        "stand_in": stand_in,
        "description": "drawn_things",
        "files": [{"name": "t10k_images.gz", "sha256": "0123456789abcdef" * 4}],
    }
    about = {"parameters": 12345, "steps": 678, "training_seconds": 1800.0, "device": "cpu"}
    about |= {"code": {"commit": "e" * 40, "changed": False}, "processor": "Z80 (model 1)"}
    return {
        "run": "my_run",
        "scale": "smoke",
        "budget": {"images": {"train": None}, "models": {"vae": {"draws": 5000}}},
        "code": {"commit": "f" * 40, "changed": changed},
        "platform": "Linux",
        "software": {"python": "3.12", "scikit-learn": "1.5"},
        "data": [
            {
                "subset": "mnist",
                "split": "test",
                "images": 5,
                "of_images": 9000,
                "content_sha256": "ab" * 32,
                "source": source,
            }
        ],
        "models": [
            {"model": MODELS[0], "seed": 0, **about},
            {"model": MODELS[1], "seed": 3, **about, "round_trip_error": 2.5e-6},
        ],
    }


def made_claims():
    def measure(quantity):
        value = quantity if isinstance(quantity, int) else 0
        return Estimate(float(value), value + np.array([-0.1, 0.0, 0.1]))

    sides = {"A": (9, 1), "B": (1, 9), "C": (1, 1), "D": (8, 2), "E": (4, 4), "F": (5, 0)}
    return judge(
        [
            {
                "id": name,
                "where": "Table 9",
                "text": "50 % of a_b",
                "comparisons": [{"left": left, "relation": ">", "right": right}],
            }
            for name, (left, right) in sides.items()
        ],
        [],
        measure,
    )


PRINTED_NUMBER = {
    "id": "T1",
    "where": "Table 9, row 1",
    "quantity": {"model": MODELS[0], "statistic": "nll", "set": "ood"},
    "unit": "nats per image",
    "value": 1647.76,
}


def table_1():
    """The second model first, to see that the order is the table's own."""
    return likelihood_table(model_rows(), MODELS[::-1], [PRINTED_NUMBER])


def made_comparison():
    return compare_with_paper([PRINTED_NUMBER], lambda quantity: Estimate(1500.0, np.zeros(3)))


def made(**changes):
    arguments = {
        "record": record(),
        "models": model_rows(),
        "tables": {"table1": ({"where": "Table 1", "caption": "Of a_b."}, table_1())},
        "figures": {"fig04": {"where": "Figure 4", "caption": "uni & multi."}},
        "titles": TITLES,
        "claims": made_claims(),
        "comparison": made_comparison(),
        "assumptions": ASSUMPTIONS,
    }
    return fragments(**(arguments | changes))


EMPTY = {
    "tables": {},
    "figures": {},
    "comparison": compare_with_paper([], None),
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
    counts = {name: found[name] for name in ("Holds", "Fails", "Undecided", "Claims")}
    assert counts == {"Holds": "3", "Fails": "1", "Undecided": "2", "Claims": "6"}


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
    assert "5 of 9,000 MNIST & more test images" in found["Note"]


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


def test_changed_code_is_named_as_such():
    found = macros(made(record=record(changed=True))["macros"])
    assert found["Commit"] == "f" * 12 + " with changes"


def test_the_table_of_trainings_has_a_row_each():
    _, first, second = cells(made()["training"])
    assert first == [MODELS[0], "0", "12,345", "678", "1,800", "–", "cpu"]
    assert second == [MODELS[1], "3", "12,345", "678", "1,800", "2.5e-06", "cpu"]


def test_the_table_of_claims_has_a_row_each():
    rows = cells(made()["claims"])
    assert [(row[0], row[-1]) for row in rows[1:]] == [
        ("A", "holds"),
        ("B", "fails"),
        ("C", "not decided"),
        ("D", "holds"),
        ("E", "not decided"),
        ("F", "holds"),
    ]
    assert rows[1][2] == "50 % of a_b"


def test_the_papers_number_stands_beside_ours():
    row = cells(made()["comparison"])[-1]
    assert row[2] == "1,647.76"
    assert row[4] == "0.910"  # 1500 / 1647.76


def test_figures_and_tables_come_with_their_place_in_the_paper():
    parts = made()
    assert "(Figure 4 of the paper.) uni " in parts["figures"]
    assert "{fig04.pdf}" in parts["figures"]
    assert "(Table 1 of the paper.) Of a" in parts["tables"]


def test_a_table_has_the_models_in_its_order_with_the_papers_number():
    rows = [row for row in cells(made()["tables"]) if row[0] in ("VAE", "Glow")]
    assert [row[:4] for row in rows[:2]] == [
        ["Glow", "multi", "Fashion-MNIST (1, 7)", "–"],
        ["VAE", "uni", "Fashion-MNIST (1, 7)", "1,647.76"],
    ]
    assert [row[-1] for row in rows[2:]] == ["0.250 [0.203, 0.297]"] * 2


def test_without_a_table_of_the_paper_all_models_are_listed():
    rows = cells(made(tables={})["tables"])
    named = [row for row in rows if row[0] in ("VAE", "Glow")]
    assert len(named) == 2 * len(MODELS)


def test_a_terminal_shows_verdicts_and_likelihoods():
    text = verdict_text(made_claims(), model_rows(), "scale smoke")
    assert text.startswith("Verdicts (scale smoke)\n")
    assert re.search(r"^  fails +B +50 % of a_b$", text, re.MULTILINE)
    # the mean log-likelihood is minus the NLL, in and out of distribution
    numbers = r" +-0\.2 +0\.2 +-0\.2 +0\.2 +0\.250$"
    for model in MODELS:
        assert re.search(f"^ *{model}{numbers}", text, re.MULTILINE)


def test_a_page_of_a_table_escapes_its_cells():
    page = to_html(pd.DataFrame({"a < b": ["x & y ± 1"]}))
    assert "a &lt; b" in page
    assert "x &amp; y ± 1" in page


def test_every_input_is_listed_with_its_whole_checksum():
    text = made()["inputs"]
    assert "t10k\\_images.gz & " + "0123456789abcdef" * 4 in text
    assert "images of mnist, test & " + "ab" * 32 in text


def test_commits_of_the_trainings_and_of_the_document_are_named():
    macros = made(record=record(changed=True))["macros"]
    assert "f" * 40 + " with changes" in macros
    assert "\\newcommand{\\TrainingCommits}{" + "e" * 40 + "}" in macros


def test_software_is_listed_with_its_versions():
    assert made()["software"] == "python 3.12, scikit-learn 1.5"


# LaTeX itself, in place of which a script stands


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Makes a TeX program of a shell script, the only one on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return folder

    return make


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    files = [folder / "main.tex", folder / "macros.tex"]
    for file in files:
        file.write_text(f"this is {file.name}")
    return files


def test_without_tex_the_error_names_the_way_out(engine, source, tmp_path):
    with pytest.raises(ValueError, match=r"no TeX here: apt-get install .* or run with --use-cond"):
        build_pdf(source, "main", tmp_path / "paper.pdf")


@pytest.mark.parametrize("name", ["latexmk", "tectonic"])
def test_either_engine_builds_the_document_beside_its_files(engine, source, tmp_path, name):
    engine(name, 'read -r text < macros.tex; for last; do :; done; echo "$text, $last" > main.pdf')
    build_pdf(source, "main", tmp_path / "new" / "paper.pdf")
    assert (tmp_path / "new" / "paper.pdf").read_text() == "this is macros.tex, main.tex\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["paper.pdf"]
    assert len(list(source[0].parent.iterdir())) == len(source)


def test_latexmk_is_preferred(engine, source, tmp_path):
    engine("latexmk", "echo latexmk > main.pdf")
    engine("tectonic", "echo tectonic > main.pdf")
    build_pdf(source, "main", tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_text() == "latexmk\n"


ERRORS = ["main.tex:12: Undefined control sequence.", "! Missing $ inserted.", "error: main.tex:3"]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("stream", [1, 2])
def test_a_latex_error_is_cut_to_what_matters(engine, source, tmp_path, error, stream):
    noise = "\n".join(f"echo 'package {i} loaded'" for i in range(200))
    after = "\n".join(f"echo 'line {i} after' >&{stream}" for i in range(50))
    engine("latexmk", f"{noise}\necho '{error}' >&{stream}\n{after}\nexit 12")
    with pytest.raises(ValueError, match="LaTeX stopped") as caught:
        build_pdf(source, "main", tmp_path / "paper.pdf")
    first, *rest = str(caught.value).splitlines()[1:]
    assert first == error
    assert rest == [f"line {i} after" for i in range(len(rest))]
    assert 5 <= len(rest) <= 30
    assert not (tmp_path / "paper.pdf").exists()


def test_a_failure_keeps_the_last_document(engine, source, tmp_path):
    (tmp_path / "paper.pdf").write_text("the last one")
    engine("latexmk", "echo half > main.pdf; exit 1")
    with pytest.raises(ValueError, match="LaTeX stopped"):
        build_pdf(source, "main", tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_text() == "the last one"


def test_the_references_and_labels_of_the_document_stand_once():
    counts = Counter(re.findall(r"\\label\{(\w+)\}", MAIN + "".join(made().values())))
    assert set(counts.values()) == {1}


def test_a_log_without_a_known_error_shows_its_end(tmp_path, monkeypatch):
    engine = tmp_path / "latexmk"
    engine.write_text("#!/bin/sh\nseq 100\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"LaTeX stopped:[\d\s]*\n100$"):
        build_pdf([], "main", tmp_path / "paper.pdf")


def test_long_keys_can_break_after_their_dots():
    text = tex.from_markdown("Key: `models.vae.training`.")
    assert r"\texttt{models.\allowbreak{}vae.\allowbreak{}training}." in text
