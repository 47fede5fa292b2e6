"""The report, opened in a browser and used like a reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tests.workflow.browser import chromium
from tests.workflow.conftest import ROOT, SMOKE, snakemake

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
CATEGORIES = {
    "Figures": list(CONFIG["figures"]),
    "Tables": list(CONFIG["tables"]),
    "Verdicts": ["claims", "comparison with the paper"],
    "Document": ["paper"],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium("browser") as driver:
        yield driver


@pytest.fixture(scope="module")
def report(smoke: Path) -> Path:
    snakemake(smoke, *SMOKE, "--report", "report.html")
    return smoke / "report.html"


def wait(browser: webdriver.Chrome, condition):
    return WebDriverWait(browser, 15).until(condition)


def click(browser: webdriver.Chrome, element, until):
    """Click until the result appears: while the page loads, another element may cover it."""

    def clicked(_):
        element.click()
        return WebDriverWait(browser, 5).until(until)

    ignored = [ElementClickInterceptedException, TimeoutException]
    return WebDriverWait(browser, 60, ignored_exceptions=ignored).until(clicked)


def open_category(browser: webdriver.Chrome, report: Path, category: str) -> list:
    """Rows of the entries of a category, after a click on its name."""
    browser.get("about:blank")
    browser.get(report.as_uri())
    links = wait(browser, lambda b: [a for a in b.find_elements(By.TAG_NAME, "a") if a.text])
    link = next(link for link in links if link.text == category)
    return click(browser, link, lambda b: b.find_elements(By.CSS_SELECTOR, "tbody tr"))


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_entry_stands_under_its_category_with_its_labels(browser, report, category: str):
    rows = open_category(browser, report, category)
    cells = [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in rows]
    assert {row[0] for row in cells} == set(CATEGORIES[category])
    assert {row[1] for row in cells} == {"smoke"}


def caption(category: str, name: str) -> str:
    """The beginning of the text that describes an entry."""
    texts = {
        "claims": "Verdicts on the paper's claims",
        "comparison with the paper": "Every number that the paper prints",
        "paper": "The document with all figures",
    }
    entry = CONFIG[category.lower()][name] if category in ("Figures", "Tables") else {}
    return " ".join(entry.get("caption", texts.get(name, "")).split())[:60]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_entry_has_its_caption_and_says_that_data_are_stand_ins(
    browser, report, category: str
):
    for number in range(len(CATEGORIES[category])):
        row = open_category(browser, report, category)[number]
        name = row.find_element(By.TAG_NAME, "td").text
        icon = row.find_element(By.CSS_SELECTOR, "[iconname=information-circle]")
        click(browser, icon, lambda b: "DESCRIPTION" in b.find_element(By.TAG_NAME, "body").text)
        text = browser.find_element(By.TAG_NAME, "body").text
        described = " ".join(text.split("DESCRIPTION")[1].split("SNAKEMAKE RULE")[0].split())
        expected = caption(category, name)
        assert expected
        assert expected in described
        assert "embedded" in described


def test_a_figure_is_shown_as_a_picture(browser, report):
    row = open_category(browser, report, "Figures")[0]
    icon = row.find_element(By.CSS_SELECTOR, "[iconname=eye]")
    shown = click(browser, icon, lambda b: b.find_elements(By.CSS_SELECTOR, "img[src*='.png']"))
    picture = shown[0]
    assert int(picture.get_property("naturalWidth")) > 500


def test_the_console_shows_no_error(browser, report):
    browser.get_log("browser")
    open_category(browser, report, "Verdicts")
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
