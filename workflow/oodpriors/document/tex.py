"""LaTeX from tables and Markdown, so that no number in the document is typed."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from oodpriors.document.characters import paragraphs, printable

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "≥": r"$\ge$",
    "≤": r"$\le$",
    "×": r"$\times$",
    "→": r"$\to$",
    "½": r"$\frac12$",
    "β": r"$\beta$",
    "α": r"$\alpha$",
    "–": "--",
    "·": r"$\cdot$",
    ">": "$>$",
    "<": "$<$",
    "|": "$|$",
    "[": "{[}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "—": "---",
    "ß": r"\ss{}",
    "ı": r"\i{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "\u200b": r"\penalty9999{}",  # these three are of escape; a break where no other is possible
    "\u2060": "{}",
    "\uff07": r"\textquotesingle{}",
} | {character: f"\\{character}" for character in "&%$#_{}"}
# Accents by the character that combines with the letter before it.
ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308", "`'^~=u.\"", strict=True))
ACCENTS |= dict(zip("\u030a\u030b\u030c\u0328", "rHvk", strict=True))
# Of all other characters, these have one place in the fonts of every engine.
NATIVE = re.compile("[\n -~À-ÖØ-Þà-öø-þ]")
LONG_WORD = re.compile(r"\S{20,}")


def escape(text: str) -> str:
    r"""Text for LaTeX.

    >>> escape("50 % of a_b")
    '50 \\% of a\\_b'
    """
    signed = re.sub(r"(?<![\w.-])-(?=\d)", "\u2212", str(text))  # a minus, not a hyphen
    typed = re.sub(r"(?<!\w)'|'(?!\w)", "\uff07", signed)  # a quote, not an apostrophe
    breakable = LONG_WORD.sub(lambda word: re.sub("(.{10})(?=.)", "\\1\u200b", word[0]), typed)
    # two of these in a row would become another character
    parted = re.sub(r"([-,])(?=\1)", "\\1\u2060", breakable)
    return "".join(map(_escape, parted))


def _escape(character: str) -> str:
    if character in SPECIAL or NATIVE.match(character):
        return SPECIAL.get(character, character)
    parts = unicodedata.normalize("NFD", character)
    if parts[0].isascii() and parts[1:] in ACCENTS:
        return f"\\{ACCENTS[parts[1:]]}{{{parts[0]}}}"
    number = f"{ord(character):04X}"
    return f"\\glyph{{{number}}}" if printable(character) else f"{{[}}U+{number}]"


def macros(values: Mapping[str, str]) -> str:
    r"""One \newcommand a value; names are letters only."""
    return "".join(f"\\newcommand{{\\{name}}}{{{escape(v)}}}\n" for name, v in values.items())


def _rows(table: pd.DataFrame) -> str:
    return "".join(" & ".join(map(escape, row)) + r" \\" + "\n" for row in table.to_numpy())


def _header(table: pd.DataFrame) -> str:
    return " & ".join(rf"\textbf{{{escape(name)}}}" for name in table.columns) + r" \\"


def tabular(table: pd.DataFrame, columns: str) -> str:
    """A table of text with booktabs rules."""
    return (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{_header(table)}\n\\midrule\n"
        f"{_rows(table)}\\bottomrule\n\\end{{tabular}}\n"
    )


def _caption(text: str) -> str:
    """A caption, which may have paragraphs."""
    printed = r"\endgraf ".join(map(escape, paragraphs(text)))
    return f"\\caption{{{printed}}}"


def _environment(kind: str, place: str) -> tuple[str, str]:
    r"""Start and end of a float of a kind (figure, table).

    Without a place it stands where it is: several without text between them fill their pages.
    """
    if place:
        return f"\\begin{{{kind}}}[{place}]", f"\\end{{{kind}}}"
    begin = r"\par\bigskip\noindent\begin{minipage}{\textwidth}\captionsetup{type="
    return f"{begin}{kind}}}", r"\end{minipage}\par"


def table_float(
    blocks: list[tuple[pd.DataFrame, str]],
    caption: str,
    label: str,
    number: str = "",
    place: str = "htbp",
) -> str:
    """A float of tables, each with its columns, one above the other, no wider than the text."""
    begin, end = _environment("table", place)
    box, unbox = "\\begin{adjustbox}{max width=\\textwidth}\n", "\\end{adjustbox}"
    fitted = [box + tabular(table, columns) + unbox for table, columns in blocks]
    body = "\n\\smallskip\n\n".join(fitted)
    return (
        f"{begin}\n{_numbered('table', number)}\\centering\\small\n"
        f"{_caption(caption)}\n\\label{{{label}}}\n{body}\n{end}\n"
    )


def _numbered(counter: str, number: str) -> str:
    r"""A number of a float's own (\w only), in the place of the counter's."""
    plain = number.replace("_", r"\_")
    return f"\\renewcommand{{\\the{counter}}}{{{plain}}}\n" if number else ""


def longtable(
    table: pd.DataFrame, columns: str, caption: str = "", label: str = "", number: str = ""
) -> str:
    """A table that breaks over pages, with a caption if there is one."""
    head = f"\\toprule\n{_header(table)}\n\\midrule\n\\endhead\n"
    if caption:
        named = f"{_caption(caption)}\\label{{{label}}}\\\\\n"
        head = f"{named}{head.replace('endhead', 'endfirsthead')}{head}"
    body = f"{head}{_rows(table)}\\bottomrule\n\\end{{longtable}}\n"
    whole = f"\\begin{{longtable}}{{{columns}}}\n{body}"
    return f"{{{_numbered('table', number)}{whole}}}\n" if number else whole


def figure_float(
    file: str, caption: str, label: str, number: str, place: str = "htbp", width: float = 1.0
) -> str:
    r"""A figure with a number of its own (\w only), as wide as a part of the text."""
    begin, end = _environment("figure", place)
    return (
        f"{begin}\n{_numbered('figure', number)}"
        f"\\centering\n\\includegraphics[width={width:g}\\textwidth]{{{file}}}\n"
        f"{_caption(caption)}\n\\label{{{label}}}\n{end}\n"
    )


def inline(text: str) -> str:
    r"""Text with `code`, **bold** and citations of Markdown.

    >>> inline("As shown [@a2019b], 50 %")
    'As shown \\citep{a2019b}, 50 \\%'
    """
    pieces = re.split(r"(`[^`]+`|\*\*[^*]+\*\*|\[@\w+\](?: \[@\w+\])*)", text)
    for i, piece in enumerate(pieces):
        if piece.startswith("`"):
            code = escape(piece[1:-1]).replace(".", r".\allowbreak{}")  # keys are long
            pieces[i] = rf"\texttt{{{code}}}"
        elif piece.startswith("**"):
            pieces[i] = rf"\textbf{{{escape(piece[2:-2])}}}"
        elif piece.startswith("[@"):
            keys = ",".join(re.findall(r"@(\w+)", piece))
            pieces[i] = rf"\citep{{{keys}}}"
        else:
            pieces[i] = escape(piece)
    return "".join(pieces)


def from_markdown(text: str) -> str:
    r"""Headings, paragraphs, tables and inline code of a Markdown file.

    The first heading is left to the document; ## is a subsection, ### a paragraph.
    """
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        line = " ".join(block.split())
        if line.startswith("### "):
            blocks.append(rf"\paragraph{{{inline(line[4:])}}}")
        elif line.startswith("## "):
            blocks.append(rf"\subsection{{{inline(line[3:])}}}")
        elif line.startswith("|"):
            blocks.append(_table(block))
        elif not line.startswith("# "):
            blocks.append(inline(line))
    return "\n\n".join(blocks) + "\n"


def _table(block: str) -> str:
    """A table of Markdown: a line of names, a line of rules, and the rows."""
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()]
    names, _, *rows = cells
    table = tabular(pd.DataFrame(rows, columns=names), "l" * len(names))
    return f"\\begin{{center}}\\small\n{table}\\end{{center}}"


def glyphs_of(texts: Iterable[str]) -> list[str]:
    r"""Numbers of the characters that LaTeX texts have as \glyph{number}, or of a blank."""
    return sorted(set(re.findall(r"\\glyph\{(\w+)\}", "".join(texts)))) or ["0020"]


def glyph_pages(numbers: Sequence[str]) -> str:
    r"""LaTeX that gives \glyph the page of each character."""
    return "".join(
        f"\\expandafter\\def\\csname glyph{number}\\endcsname{{{page}}}\n"
        for page, number in enumerate(numbers, 1)
    )


# Colours of boxes and of the text in them; the others are of what few trainings show.
COLOURS = {
    "holds": ("green!45!black", "white"),
    "fails": ("red!75!black", "white"),
    "not decided": ("black!25", "black"),
    "not applicable": ("white", "black"),
}
FEW = {True: ("green!25", "black"), False: ("red!20", "black")}


def box(verdict: str, text: str) -> str:
    """Text in a box that has the verdict's colour."""
    background, colour = COLOURS.get(verdict) or FEW[verdict.startswith("shown")]
    return (
        f"\\fcolorbox{{black!30}}{{{background}}}"
        f"{{\\scriptsize\\color{{{colour}}}\\strut {escape(text)}}}"
    )


def anchor(kind: str, name: str) -> str:
    r"""A name that \hyperlink and \label take, of any text.

    >>> anchor("card", "C13.1 & more")
    'card:C13.1-26more'
    """
    return f"{kind}:" + re.sub(
        r"[^\w.]", lambda c: "" if c[0] == " " else f"-{ord(c[0]):x}", name, flags=re.ASCII
    )


def link(kind: str, name: str, shown: str) -> str:
    """LaTeX that leads to an anchor."""
    return f"\\hyperlink{{{anchor(kind, name)}}}{{{shown}}}"
