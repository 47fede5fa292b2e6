"""The page of a small run: its links, its texts, and what it may load."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from tests.unit.page.synthetic import FILES, HARM, MODELS, QUOTE, claims, models, run

from oodpriors.page.build import about, build_page, policy
from oodpriors.page.other import Other

LIBRARY = "const vegaEmbed = () => undefined;"


class Page(HTMLParser):
    """Attributes of all elements, and the text of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def values(self, name: str, tag: str | None = None) -> list[str]:
        return [found[name] for own, found in self.elements if name in found and tag in (None, own)]


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> str:
    return build_page(run(tmp_path_factory.mktemp("run")), FILES, LIBRARY)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_link_leads_to_one_element_of_the_page(page: Page):
    names = page.values("id")
    assert len(names) == len(set(names))
    links = page.values("href")
    assert links
    assert {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= set(names)


def test_every_claim_has_a_card_a_tile_and_links_to_a_figure_and_back(html: str, page: Page):
    names = page.values("id")
    for name in claims()["id"].unique():
        assert names.count(f"claim-{name}") == 1
        assert page.values("href").count(f"#claim-{name}") >= 3  # tile, card and a row's claims
    card = html.split('id="claim-C13.1"')[1].split("</article>")[0]
    assert 'href="#figure-dots"' in card
    assert 'href="#row-models-vae-cells-uni"' in card
    figure = html.split('id="figure-dots"')[1].split("</figure>")[0]
    assert 'href="#claim-C13.1"' in figure


def test_the_card_of_a_claim_that_quotes_the_paper_has_its_words_as_text(html: str, page: Page):
    assert page.texts.count(f"“{QUOTE}”") == 1
    cards = html.split("<article")[1:]
    assert [card.count('class="quote"') for card in cards] == [1, 0, 0]
    assert 'id="claim-C13.1"' in cards[0]


def test_every_model_has_images_and_each_of_them_an_address(html: str, page: Page):
    assert {f"images-{model.replace('/', '-')}" for model in MODELS} <= set(page.values("id"))
    shown = {name.split()[1] for name in page.values("class") if name.startswith("image i-")}
    assert shown
    for name in shown:
        assert html.count(f".{name} {{ background-image: url(data:image/webp;base64,") == 1


def test_pictures_say_what_they_are(page: Page):
    for tag, found in page.elements:
        if tag == "img":
            assert found["alt"].strip()
        if found.get("role") == "img":
            assert (found.get("aria-label") or found["title"]).strip()


def test_titles_are_text_and_nothing_else(html: str, page: Page):
    assert "<script>window.harmed" not in html
    assert [found for tag, found in page.elements if tag == "img" and "onerror" in found] == []
    assert HARM in "".join(page.texts)
    specs = html.split('id="specs">')[1].split("</script>")[0]
    said = [
        spec["transform"][0]["calculate"]
        for spec in json.loads(specs).values()
        if "transform" in spec
    ]
    assert any(json.dumps(HARM)[1:-1] in text for text in said)


def test_the_scripts_are_those_that_the_policy_allows_and_nothing_is_loaded(html: str, page: Page):
    (allowed,) = [
        found["content"] for _, found in page.elements if "Policy" in found.get("http-equiv", "")
    ]
    written = re.findall(r"<script>(.*?)</script>", html, re.S)
    assert written == [LIBRARY, FILES["page.js"]]
    for script in written:
        checksum = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{checksum}'" in allowed
    assert allowed == policy(written)
    assert "default-src 'none'" in allowed
    assert "unsafe-eval" not in allowed
    assert not [value for value in page.values("src") if not value.startswith("data:")]
    assert not page.values("href", "link")


def test_charts_are_found_by_their_names(html: str, page: Page):
    specs = json.loads(html.split('id="specs">')[1].split("</script>")[0])
    assert set(page.values("data-chart")) == set(specs)
    keys = {
        row["key"]
        for spec in specs.values()
        for rows in spec["datasets"].values()
        for row in rows
        if "key" in row
    }
    pictures = json.loads(html.split('id="pictures">')[1].split("</script>")[0])
    assert keys <= set(pictures)


def test_filters_offer_what_occurs(html: str, page: Page):
    values = page.values("value", "option")
    assert {"holds", "fails", "vae", "glow", "section-5-3", "table-1", "depends"} <= set(values)
    assert "differs" not in values
    styled = set(re.findall(r'option\[value="([^"]+)"\]', html))
    assert styled == {value for value in values if value}


def test_another_run_is_shown_beside(tmp_path):
    other = Other("before", claims().assign(verdict="not decided"), models())
    html = build_page(run(tmp_path, other), FILES, LIBRARY)
    assert "before: not decided" in html
    assert "AUROC, before" in html
    assert 'option[value="differs"]' in html


def test_stand_ins_are_said_first(html: str, tmp_path):
    assert html.index("Stand-in data.") < html.index("Verdicts</h2>")
    real = run(tmp_path)
    real.record["data"][0]["source"]["stand_in"] = False
    assert "Stand-in data." not in build_page(real, FILES, LIBRARY)


def test_a_run_says_its_seeds_and_code(tmp_path):
    said = about(run(tmp_path).record)
    assert said["Seeds"] == "0"
    assert said["Code"] == "0" * 40
    assert said["Trained on"] == "a processor"


def test_the_same_run_gives_the_same_page(html: str, tmp_path):
    assert build_page(run(tmp_path), FILES, LIBRARY) == html


def test_a_run_of_few_parts_has_a_page(tmp_path):
    nothing = {"tables": {}, "figures": {}, "scores": {}, "images": {}, "curves": None}
    few = run(tmp_path)._replace(models=models().iloc[:0], **nothing)
    page = Page(build_page(few, FILES, LIBRARY))
    assert {link[1:] for link in page.values("href")} <= set(page.values("id"))
