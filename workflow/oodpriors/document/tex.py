"""LaTeX from tables and Markdown, so that no number in the document is typed."""

import re
from collections.abc import Mapping

import pandas as pd

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
} | {character: f"\\{character}" for character in "&%$#_{}"}


def escape(text: str) -> str:
    r"""Text for LaTeX.

    >>> escape("50 % of a_b")
    '50 \\% of a\\_b'
    """
    signed = re.sub(r"(?<![\w.-])-(?=\d)", "\u2212", str(text))  # a minus, not a hyphen
    return "".join(SPECIAL.get(character, character) for character in signed)


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


def table_float(blocks: list[tuple[pd.DataFrame, str]], caption: str, label: str) -> str:
    """A float of tables, each with its columns, one above the other, no wider than the text."""
    start, end = "\\begin{adjustbox}{max width=\\textwidth}\n", "\\end{adjustbox}"
    fitted = [start + tabular(table, columns) + end for table, columns in blocks]
    body = "\n\\smallskip\n\n".join(fitted)
    return (
        f"\\begin{{table}}[htb]\n\\centering\\small\n\\caption{{{escape(caption)}}}\n"
        f"\\label{{{label}}}\n{body}\n\\end{{table}}\n"
    )


def longtable(table: pd.DataFrame, columns: str, caption: str = "", label: str = "") -> str:
    """A table that breaks over pages, with a caption if there is one."""
    head = f"\\toprule\n{_header(table)}\n\\midrule\n\\endhead\n"
    if caption:
        named = f"\\caption{{{escape(caption)}}}\\label{{{label}}}\\\\\n"
        head = f"{named}{head.replace('endhead', 'endfirsthead')}{head}"
    return (
        f"\\begin{{longtable}}{{{columns}}}\n{head}{_rows(table)}\\bottomrule\n\\end{{longtable}}\n"
    )


def figure_float(file: str, caption: str, label: str, number: str) -> str:
    """A floating figure over the width of the text, with a number of its own."""
    return (
        f"\\begin{{figure}}[htb]\n\\renewcommand{{\\thefigure}}{{{escape(number)}}}\n"
        f"\\centering\n\\includegraphics[width=\\textwidth]{{{file}}}\n"
        f"\\caption{{{escape(caption)}}}\n\\label{{{label}}}\n\\end{{figure}}\n"
    )


def _inline(text: str) -> str:
    pieces = re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text)
    for i, piece in enumerate(pieces):
        if piece.startswith("`"):
            code = escape(piece[1:-1]).replace(".", r".\allowbreak{}")  # keys are long
            pieces[i] = rf"\texttt{{{code}}}"
        elif piece.startswith("**"):
            pieces[i] = rf"\textbf{{{escape(piece[2:-2])}}}"
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
            blocks.append(rf"\paragraph{{{_inline(line[4:])}}}")
        elif line.startswith("## "):
            blocks.append(rf"\subsection{{{_inline(line[3:])}}}")
        elif line.startswith("|"):
            blocks.append(_table(block))
        elif not line.startswith("# "):
            blocks.append(_inline(line))
    return "\n\n".join(blocks) + "\n"


def _table(block: str) -> str:
    """A table of Markdown: a line of names, a line of rules, and the rows."""
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()]
    names, _, *rows = cells
    table = tabular(pd.DataFrame(rows, columns=names), "l" * len(names))
    return f"\\begin{{center}}\\small\n{table}\\end{{center}}"
