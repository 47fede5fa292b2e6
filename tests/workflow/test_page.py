"""The page of a run, opened in a browser and used like a reader."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from tests.unit.page.synthetic import FILES, claims, run
from tests.workflow.browser import chromium
from tests.workflow.conftest import SMOKE, snakemake

from oodpriors.page.build import build_page
from oodpriors.page.charts import library

LARGEST = 5_000_000  # bytes


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(build_page(run(folder), FILES, library()))
    return folder / "index.html"


@pytest.fixture(scope="module")
def started() -> Iterator[webdriver.Chrome]:
    with chromium("browser", "performance") as driver:
        yield driver


def emulate(browser: webdriver.Chrome, width: int, scheme: str = "light") -> None:
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@pytest.fixture
def browser(started: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """A wide window with the page, freshly loaded."""
    emulate(started, 1400)
    started.get("about:blank")
    started.get(page.as_uri())
    return started


def wait(browser: webdriver.Chrome, condition):
    return WebDriverWait(browser, 60).until(condition)


def shown(browser: webdriver.Chrome, selector: str) -> list[str]:
    """Names of the elements that can be seen."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return [each.get_attribute("id") for each in found if each.is_displayed()]


def cards(browser: webdriver.Chrome) -> set[str]:
    return {name.removeprefix("claim-") for name in shown(browser, ".card")}


def search(browser: webdriver.Chrome, text: str) -> None:
    box = browser.find_element(By.ID, "search")
    box.clear()
    box.send_keys(text)


def test_from_the_board_one_click_leads_to_the_reason_of_a_verdict(browser):
    browser.find_element(By.CSS_SELECTOR, '.tile[href="#claim-C13.1"]').send_keys(Keys.ENTER)
    card = browser.find_element(By.ID, "claim-C13.1")
    wait(browser, lambda b: 0 <= b.execute_script(TOP, card) < 1000)
    assert "Needed" in card.text
    card.find_element(By.CSS_SELECTOR, 'a[href="#figure-dots"]').send_keys(Keys.ENTER)
    figure = browser.find_element(By.ID, "figure-dots")
    wait(browser, lambda b: -5 <= b.execute_script(TOP, figure) < 1000)
    figure.find_element(By.CSS_SELECTOR, '.chip[href="#claim-C13.1"]').send_keys(Keys.ENTER)
    wait(browser, lambda b: 0 <= b.execute_script(TOP, card) < 1000)


TOP = "return arguments[0].getBoundingClientRect().top"


@pytest.mark.parametrize(
    ("text", "found"),
    [("C13.1", {"C13.1"}), ("Glow", {"K1"}), ("c13.1 uni", {"C13.1"}), ("nothing at all", set())],
)
def test_search_finds_claims_by_name_and_by_model(browser, text: str, found: set):
    search(browser, text)
    wait(browser, lambda b: cards(b) == found)
    assert browser.find_element(By.ID, "found").text == f"{len(found)} of 3 claims"
    tiles = browser.find_elements(By.CSS_SELECTOR, ".tile")
    assert {tile.text.rstrip("*") for tile in tiles if tile.is_displayed()} == found


def test_search_finds_rows_of_tables_as_well(browser):
    search(browser, "Glow")
    rows = wait(browser, lambda b: shown(b, "#table-models tbody tr"))
    assert rows == ["row-models-glow-cells-uni"]


@pytest.mark.parametrize(
    ("choice", "value", "found"),
    [
        ("verdict", "fails", {"C2"}),
        ("place", "section-5-3", {"C13.1"}),
        ("models", "glow", {"K1"}),
        ("estimate", "depends", {"C13.1"}),
    ],
)
def test_a_filter_shows_the_claims_with_its_value(browser, choice: str, value: str, found: set):
    assert cards(browser) == set(claims()["id"])
    Select(browser.find_element(By.ID, f"filter-{choice}")).select_by_value(value)
    wait(browser, lambda b: cards(b) == found)
    browser.find_element(By.CSS_SELECTOR, "#filters button").send_keys(Keys.ENTER)
    wait(browser, lambda b: cards(b) == set(claims()["id"]))


def test_a_link_to_a_claim_that_is_filtered_away_shows_it(browser):
    Select(browser.find_element(By.ID, "filter-verdict")).select_by_value("fails")
    wait(browser, lambda b: cards(b) == {"C2"})
    browser.find_element(By.CSS_SELECTOR, '#figure-dots .chip[href="#claim-C13.1"]').send_keys(
        Keys.ENTER
    )
    wait(browser, lambda b: "C13.1" in cards(b))


def test_a_table_is_sorted_by_the_numbers_of_a_column(browser):
    rows = [
        f"row-models-{name}-cells-{p}"
        for name, p in (("vae", "uni"), ("vae", "multi"), ("glow", "uni"))
    ]
    heads = browser.find_elements(By.CSS_SELECTOR, "#table-models th button")
    (area,) = [head for head in heads if head.text == "AUROC"]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", area)
    area.send_keys(Keys.ENTER)
    wait(browser, lambda b: shown(b, "#table-models tbody tr") == rows)
    area.send_keys(Keys.ENTER)
    wait(browser, lambda b: shown(b, "#table-models tbody tr") == rows[::-1])


DOTS = ".mark-symbol.role-mark path"


def test_a_dot_shows_its_image_and_number(browser):
    chart = browser.find_element(By.CSS_SELECTOR, ".chart")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    wait(browser, lambda b: len(chart.find_elements(By.CSS_SELECTOR, DOTS)) == 24)
    dots = chart.find_elements(By.CSS_SELECTOR, DOTS)

    def tips(b):
        # again, for charts that appear move what is below them
        ActionChains(b).move_to_element(chart).move_to_element(dots[0]).perform()
        return b.find_elements(By.CSS_SELECTOR, "#vg-tooltip-element img")

    tip = wait(browser, tips)
    assert tip[0].get_attribute("src").startswith("data:image/webp")
    assert re.search(
        r"log p\s*[-−]9\d|log p\s*[-−]10\d", browser.find_element(By.ID, "vg-tooltip-element").text
    )


def test_nothing_is_requested_executed_or_refused(browser, page):
    """A title with a script in it is text, and the console and the network stay silent."""
    browser.get_log("browser"), browser.get_log("performance")
    browser.refresh()
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    for chart in browser.find_elements(By.CSS_SELECTOR, ".chart"):
        browser.execute_script("arguments[0].scrollIntoView()", chart)
        wait(browser, lambda b, chart=chart: chart.find_elements(By.TAG_NAME, "svg"))
    assert browser.execute_script("return window.harmed") is None
    assert browser.get_log("browser") == []
    asked = [
        re.search(r'"url":"([^"]{1,80})', entry["message"])[1]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {page.as_uri()}


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_dark_where_that_is_wanted(browser, width: int, scheme: str):
    emulate(browser, width, scheme)
    for chart in browser.find_elements(By.CSS_SELECTOR, ".chart"):
        browser.execute_script("arguments[0].scrollIntoView()", chart)
        wait(browser, lambda b, chart=chart: chart.find_elements(By.TAG_NAME, "svg"))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = int(re.search(r"\d+", colour)[0])
    assert (brightness < 60) == (scheme == "dark")


def test_it_can_be_read_and_filtered_without_javascript(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page.as_uri())
        assert cards(browser) == set(claims()["id"])
        assert browser.find_element(By.CSS_SELECTOR, "figure img").is_displayed()
        assert not browser.find_element(By.ID, "search").is_displayed()
        Select(browser.find_element(By.ID, "filter-verdict")).select_by_value("fails")
        wait(browser, lambda b: cards(b) == {"C2"})
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# The pipeline makes it


def test_the_page_of_a_whole_run_is_small_and_has_every_claim(smoke: Path):
    path = smoke / "results/smoke-embedded/index.html"
    assert path.stat().st_size < LARGEST
    html = path.read_text()
    table = (smoke / "results/smoke-embedded/claims.csv").read_text()
    for name in set(re.findall(r"^([CK][\d.]+),", table, re.M)):
        assert f'id="claim-{name}"' in html
    anchors = set(re.findall(r'id="([^"]+)"', html))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= anchors


def test_a_run_can_be_shown_beside_another(smoke: Path):
    other = "results/smoke-embedded"
    beside = ("run=beside", f"compare_with={other}")
    target = "results/beside/index.html"
    planned = snakemake(smoke, "-n", *SMOKE, *beside, "--", target).stdout
    assert f"{other}/claims.csv" in planned
    refused = snakemake(smoke, "-n", *SMOKE, f"compare_with={other}", check=False).stdout
    assert "compare_with: results/smoke-embedded is the folder of this run" in refused
