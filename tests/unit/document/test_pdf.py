"""The document is built with any installed TeX."""

import pytest

from oodpriors.document.pdf import build_pdf

# a script replaces LaTeX


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Makes a shell script the only TeX program on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return folder

    return make


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


def test_a_log_without_a_known_error_shows_its_end(tmp_path, monkeypatch):
    engine = tmp_path / "latexmk"
    engine.write_text("#!/bin/sh\nseq 100\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"LaTeX stopped:[\d\s]*\n100$"):
        build_pdf([], "main", tmp_path / "paper.pdf")


LOG = """This is LaTeX
Overfull \\hbox (0.9pt too wide) in paragraph at lines 1--2
Overfull \\hbox (1.5pt too wide) in paragraph at lines 3--4
LaTeX Warning: Reference `fig:x' on page 3 undefined on input line 7.
Package natbib Warning: Citation `key' on page 1 undefined on input line 3.
LaTeX Warning: Label(s) may have changed.
oodpriors: the appendix begins on page 13
"""


def test_text_in_the_margin_and_what_is_undefined_is_told(engine, source, tmp_path, capsys):
    (tmp_path / "log").write_text(LOG)
    engine(
        "latexmk",
        f'while read -r line; do echo "$line"; done < {tmp_path}/log > main.log; : > main.pdf',
    )
    build_pdf(source, "main", tmp_path / "paper.pdf")
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in told] == ["Overfull", "LaTeX", "Package", "oodpriors:"]
    assert "1.5pt" in told[0]


def test_without_a_log_nothing_is_told(engine, source, tmp_path, capsys):
    engine("latexmk", ": > main.pdf")
    build_pdf(source, "main", tmp_path / "paper.pdf")
    assert capsys.readouterr().err == ""
