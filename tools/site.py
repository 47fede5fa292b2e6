"""Hooks of mkdocs.yml: what the site has in addition to docs/ (``make site``).

Pages from other places of the project, and pages that are made from its files. Formulas become
MathML and Mermaid's flowcharts SVG, so that no page loads a script from another host.
"""

import html
import json
import posixpath
import re
from pathlib import Path

import griffe
import yaml
from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "config/README.md": "configuration.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[#)])")
ROLE = re.compile(r":\w+:`~?([\w.]+)`")
FORMULA = re.compile(r"^( *)\.\. math:: (.*(?:\n\1 +.+)*)", re.M)
BOX, ROW, LINE = (190, 52), 80, 18  # of a flowchart: a box, distances of rows and of lines


def on_config(config):
    """Add the reference to the navigation, and the drawing of flowcharts."""
    config.nav.append({"API": [{name: f"api/{name}.md"} for name in ("oodpriors", *packages())]})
    fence = {"name": "mermaid", "class": "mermaid", "format": flowchart}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}


def packages() -> list[str]:
    """Names of the packages and modules right in the library."""
    library = ROOT / "workflow/oodpriors"
    return sorted(path.stem for path in library.glob("[!_]*"))


def on_files(files, config):
    """Add the pages that are not in docs/."""
    made = {place: (ROOT / path).read_text(encoding="utf-8") for path, place in PAGES.items()}
    made |= {"gallery.md": gallery(), "cite.md": cite(), "explore.md": notebook("explore")}
    made["api/oodpriors.md"] = "::: oodpriors\n    options: { show_submodules: false }"
    made |= {f"api/{name}.md": f"::: oodpriors.{name}" for name in packages()}
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))


def on_page_markdown(markdown, page, config, files):
    """Let links lead to the same file as in the project; the site gets a copy of a file."""
    place = page.file.src_uri
    sources = {made: path for path, made in PAGES.items()}
    folder = posixpath.dirname(sources.get(place, f"docs/{place}"))

    def target(link: re.Match) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        if not (ROOT / path).is_file():
            return link[1]
        there = PAGES.get(path, path.removeprefix("docs/"))
        if files.get_file_from_path(there) is None:
            files.append(File.generated(config, there, abs_src_path=str(ROOT / path)))
        return posixpath.relpath(there, posixpath.dirname(place))

    return LINK.sub(target, markdown)


def on_page_content(content, **_):
    r"""Write formulas, \(...\) and \[...\], as MathML."""

    def formula(found: re.Match) -> str:
        display = "block" if found[1] == "[" else "inline"
        made = convert(html.unescape(found[2]).strip(), display=display)
        return made.replace("<mi>log</mi>", '<mi>log</mi><mspace width="0.17em"/>')

    return re.sub(
        r'<(?:div|span) class="arithmatex">\\([\[(])(.*?)\\[\])]</(?:div|span)>',
        formula,
        content,
        flags=re.S,
    )


def gallery() -> str:
    """Every figure of the configuration, with its picture if the published run's is in docs/."""
    figures = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["figures"]
    parts = [
        "# Gallery\n\nAll figures of a run, in the order of the document. Pictures are those of the"
        " [published run](results.md); where one is missing, the run writes it to the path named."
    ]
    for name, figure in figures.items():
        there = (ROOT / f"docs/{name}.png").is_file()
        picture = f"![{figure['where']}]({name}.png)" if there else f"`figures/{name}.pdf`"
        parts.append(f"## {figure['where']}\n\n{picture}\n\n{figure['caption']}")
    return "\n\n".join(parts)


def cite() -> str:
    """BibTeX of the project, from CITATION.cff, and of the paper."""
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(f"{{{author['name']}}}" for author in about["authors"])
    fields = {
        "title": about["title"],
        "author": authors,
        "year": about["date-released"].year,
        "version": about["version"],
    }
    ours = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    paper = (ROOT / "paper/references.bib").read_text(encoding="utf-8").split("\n\n")[0].strip()
    entries = f"@software{{mixture_prior_ood,\n{ours}\n}}\n\n{paper}"
    return f"# How to cite\n\n{about['message']}\n\n```bibtex\n{entries}\n```\n"


def notebook(name: str) -> str:
    """The cells of a notebook of docs/ as a page."""
    cells = json.loads((ROOT / f"docs/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    page = "\n\n".join(f"```python\n{text}\n```" if code else text for text, code in texts)
    return f"{page}\n\n[The notebook]({name}.ipynb)\n"


def flowchart(source: str, *_, **__) -> str:
    """A flowchart of Mermaid, with nodes A["text"] and edges A --> B, as SVG from top to bottom."""
    texts = dict(re.findall(r'(\w+)\["(.*?)"\]', source))
    edges = re.findall(r"^ *(\w+) --> (\w+)$", source, re.M)
    depth = dict.fromkeys(texts, 0)
    for _ in texts:
        for start, end in edges:
            depth[end] = max(depth[end], depth[start] + 1)
    rows = [[n for n in texts if depth[n] == row] for row in range(max(depth.values()) + 1)]
    width, (w, h) = max(map(len, rows)) * (BOX[0] + 36), BOX
    places = {
        name: (width * (column + 0.5) / len(names), ROW * row + h / 2 + 1)
        for row, names in enumerate(rows)
        for column, name in enumerate(names)
    }
    shapes = []
    for start, end in edges:
        (x, y), (x2, y2) = places[start], places[end]
        shapes.append(f'<path d="M{x:g} {y + h / 2:g}L{x2:g} {y2 - h / 2 - 7:g}"/>')
    for name, (x, y) in places.items():
        corner = f'x="{x - w / 2:g}" y="{y - h / 2:g}"'
        shapes.append(f'<rect {corner} width="{w}" height="{h}" rx="6"/>')
        lines = texts[name].split("<br>")
        top = y + 5 - LINE * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            shapes.append(f'<text x="{x:g}" y="{top + LINE * number:g}">{line}</text>')
    return (
        f'<svg class="flowchart" viewBox="0 0 {width} {ROW * len(rows) - ROW + h + 2}"><defs>'
        '<marker id="tip" viewBox="0 0 8 8" markerWidth="7" markerHeight="7" refX="1" refY="4" '
        'orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>' + "".join(shapes) + "</svg>"
    )


class Roles(griffe.Extension):
    """Turns Sphinx's roles and formulas in docstrings into Markdown's links and formulas."""

    def on_object(self, *, obj: griffe.Object, **_) -> None:
        if obj.docstring:
            text = FORMULA.sub(r"\1$$\2$$", obj.docstring.value)
            obj.docstring.value = ROLE.sub(_link, text)


def _link(role: re.Match) -> str:
    name = role[1].rpartition(".")[2]
    listed = role[1].startswith("oodpriors.") and not name.isupper()  # constants are not
    return f"[`{name}`][{role[1]}]" if listed else f"`{name}`"
