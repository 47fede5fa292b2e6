"""The site of the documentation (``make site``)."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.workflow.conftest import ROOT

from oodpriors.io.files import load_yaml
from oodpriors.kinds.datasets import OFFICIAL

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}


class Page(HTMLParser):
    """Ids, links, and addresses from which a page loads something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.ids |= {of.get("id"), of.get("name")}
        if tag in LOADS and of.get(LOADS[tag]):
            self.loaded.append(of[LOADS[tag]])
        elif tag == "link" and of.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(of["href"])
        elif tag == "a" and "href" in of:
            self.links.append(of["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; its warnings are errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    del found[site / "404.html"]
    return found


def test_every_page_is_in_the_navigation(site: Path, pages: dict[Path, Page]):
    index = (site / "index.html").read_text()
    navigation = Page(index[index.index("md-sidebar--primary") : index.index("md-sidebar--second")])
    assert {site / urlsplit(link).path for link in navigation.links} >= set(pages)
    written = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert written | {"index", "gallery", "cite", "explore"} <= {path.stem for path in pages}


def test_links_lead_somewhere(pages: dict[Path, Page]):
    broken = []
    for path, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].ids if target in pages else {parts.fragment}
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in known):
                broken.append((path.name, link))
    assert not broken


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]):
    loaded = {address for page in pages.values() for address in page.loaded}
    assert loaded
    assert not [a for a in loaded if urlsplit(a).netloc or urlsplit(a).scheme not in ("", "data")]
    for style in site.rglob("*.css"):
        addresses = re.findall(r"url\([\"']?(\w+:)?//", style.read_text())
        assert not addresses, style
    # the theme would load Mermaid for these
    assert not [path for path in pages if 'class="mermaid"' in path.read_text()]


def test_formulas_and_flowcharts_are_drawn(site: Path, pages: dict[Path, Page]):
    texts = {str(path.relative_to(site)): path.read_text() for path in pages}
    assert "<math" in texts["scoring.html"]
    assert not [name for name, text in texts.items() if re.search(r"arithmatex|\\\(|\$\$", text)]
    nodes = re.findall(r'^ +(\w+)\["', (ROOT / "README.md").read_text(), re.M)
    assert texts["index.html"].count("<rect ") == len(nodes) > 0


def test_the_reference_has_every_module_and_no_roles_of_sphinx(site: Path, pages: dict[Path, Page]):
    library = ROOT / "workflow/oodpriors"
    ids = set().union(*(page.ids for path, page in pages.items() if path.parent.name == "api"))
    for path in library.rglob("[!_]*.py"):
        assert ".".join(path.relative_to(library.parent).with_suffix("").parts) in ids, path
    for path in (site / "api").glob("*.html"):
        assert not re.search(r":(mod|class|func|meth|data):|\.\. math::", path.read_text()), path


def test_the_gallery_has_every_figure(site: Path):
    text = (site / "gallery.html").read_text()
    for figure in load_yaml(ROOT / "config/config.yaml")["figures"].values():
        assert f"{figure['where']}<" in text
    assert 'src="fig04.png"' in text


def test_every_official_data_set_has_a_source():
    assert set(OFFICIAL) <= set(
        re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/datasets.md").read_text(), re.M)
    )


def test_packages_of_the_site_are_pinned_and_in_addition():
    def pinned(path: str) -> dict[str, str]:
        lines = (ROOT / path).read_text().splitlines()
        return dict(line.lower().split("==") for line in lines if not line.startswith("#"))

    assert not set(pinned("docs/requirements.txt")) & set(pinned("requirements.txt"))
