"""The pages in headless Chromium, as a reader sees and uses them."""

import io
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from vidnas.compare.rows import Comparison
from vidnas.config.views import ReportConfig
from vidnas.report.pages.comparison import render_comparison
from vidnas.report.pages.serve import serving
from vidnas.runs.read import read_run
from vidnas.verbs.report import run_report

MakeRun = Callable[..., Path]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
WAIT_SEC = 15

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium-driver)"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER or ""))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(
    make_search: MakeRun,
    make_training: MakeRun,
    add_evaluation: MakeRun,
    comparison: Comparison,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """A search's page, a training's with clips and long names, and their overview."""
    folder = tmp_path_factory.mktemp("pages")
    search = make_search("search", parent=folder, epochs=5)
    classes = (*(f"AnActionWithAVeryLongName{i}" for i in range(20)), "<script>alert(1)</script>")
    training = make_training("a_training_" + "with_a_long_name_" * 8, parent=folder, classes=classes)
    add_evaluation(training, path="videos/" + "a_very_long_file_name" * 9 + ".avi")
    run_report(ReportConfig(runs=(str(folder),)))
    trained = {one.run: read_run(training) for row in comparison.rows for one in row.runs}
    (folder / "comparison.html").write_text(render_comparison(comparison, trained, paper=True))
    return {
        "comparison": folder / "comparison.html",
        "search": search / "report.html",
        "training": training / "report.html",
        "overview": folder / "report.html",
    }


def show(browser: webdriver.Chrome, address: str, *, width: int = 1280, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(address)


def console(browser: webdriver.Chrome) -> list[object]:
    """What the page complained of."""
    return list(browser.get_log("browser"))  # type: ignore[no-untyped-call]


def brightness(browser: webdriver.Chrome, selector: str, property: str) -> float:
    """Of a computed colour, 0 to 255."""
    color = browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property(property)
    red, green, blue = map(float, re.findall(r"[\d.]+", color)[:3])
    return (red + green + blue) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("page", ["search", "training", "overview", "comparison"])
def test_a_page_fits_and_has_no_errors(
    browser: webdriver.Chrome, pages: dict[str, Path], page: str, width: int, scheme: str
) -> None:
    show(browser, pages[page].as_uri(), width=width, scheme=scheme)
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert console(browser) == []
    dark = scheme == "dark"
    assert (brightness(browser, "body", "background-color") < 60) == dark
    for selector, property in (("body", "color"), ("svg text", "fill"), (".headline strong, h1", "color")):
        assert (brightness(browser, selector, property) > 120) == dark, selector
    without_words = "return [...document.querySelectorAll('img:not([alt]), svg:not([aria-label])')].length"
    assert browser.execute_script(without_words) == 0


def test_the_table_of_a_comparison_scrolls_in_its_own_box_beside_the_names(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["comparison"].as_uri(), width=390)
    box = browser.find_element(By.CSS_SELECTOR, ".scroll:has(.networks)")
    name = browser.find_element(By.CSS_SELECTOR, ".networks tbody th")
    browser.execute_script("arguments[0].scrollLeft = 1e4", box)
    assert browser.execute_script("return arguments[0].scrollLeft", box) > 300
    assert browser.execute_script("return arguments[0].getBoundingClientRect().left", name) >= 0


def shadows(browser: webdriver.Chrome, box: WebElement) -> tuple[float, float]:
    """How far the left and the right edge of a box differ from its ground, where its middle is empty."""
    with Image.open(io.BytesIO(box.screenshot_as_png)) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=float)
    border, height, width = 2, *pixels.shape
    tall = int(browser.execute_script("return arguments[0].clientHeight", box))  # without the scroll bar
    left, right = (pixels[height // 4 : tall * 3 // 4, column] for column in (border, width - 1 - border))
    ground = float(np.median(pixels[:tall]))
    return float(abs(np.median(left) - ground)), float(abs(np.median(right) - ground))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("page", "selector"),
    [("comparison", ".scroll:has(.networks)"), ("search", ".scroll:has(.heat)"), ("search", ".drawing")],
)
def test_what_scrolls_has_a_shadow_at_the_edge_behind_which_there_is_more(
    browser: webdriver.Chrome, pages: dict[str, Path], page: str, selector: str, scheme: str
) -> None:
    show(browser, pages[page].as_uri(), width=390, scheme=scheme)
    box = browser.find_element(By.CSS_SELECTOR, selector)
    _, more = shadows(browser, box)
    assert more > 20
    browser.execute_script("arguments[0].scrollLeft = 1e4", box)
    assert shadows(browser, box)[1] < more / 2  # a table may have a colour of its own there
    show(browser, pages[page].as_uri(), width=1900, scheme=scheme)
    assert max(shadows(browser, browser.find_element(By.CSS_SELECTOR, selector))) < more / 2


def test_a_heading_of_a_comparison_sorts_by_its_column(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    """By keyboard too; what has no value stands last either way."""
    show(browser, pages["comparison"].as_uri())

    def column(selector: str) -> list[str]:
        cells = browser.find_elements(By.CSS_SELECTOR, f".networks tbody {selector}")
        return [str(cell.text) for cell in cells]

    against = browser.find_element(By.XPATH, "//table[contains(@class, 'networks')]//th[6]")
    button = against.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    assert against.get_attribute("aria-sort") == "ascending"
    assert [text[:5] for text in column("td:nth-child(6)")][:2] == ["−20.0", "refer"]
    assert column("td:first-child")[-1] == "4"
    button.send_keys(Keys.ENTER)
    assert against.get_attribute("aria-sort") == "descending"
    assert column("td:nth-child(6)")[0].startswith("+30.0")
    assert column("td:first-child")[-1] == "4"
    browser.find_element(By.XPATH, "//table[contains(@class, 'networks')]//th[1]/button").click()
    assert column("td:first-child") == [str(number) for number in range(1, 13)]
    assert against.get_attribute("aria-sort") is None
    assert console(browser) == []


def seen_cell(browser: webdriver.Chrome) -> str:
    """What the one visible cell says, whose drawing must have a size."""
    cells = [cell for cell in browser.find_elements(By.CSS_SELECTOR, "svg.cell") if cell.is_displayed()]
    assert len(cells) == 1
    assert cells[0].rect["width"] > 300
    return str(cells[0].get_attribute("aria-label"))


def test_arrow_keys_move_the_slider_and_the_cell_and_alpha_with_it(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["search"].as_uri())
    slider = browser.find_element(By.ID, "epoch")
    told = [
        item.get_attribute("textContent") for item in browser.find_elements(By.CSS_SELECTOR, ".genotypes li")
    ]
    heat = "return [...document.querySelectorAll('#heat td')].map((cell) => cell.textContent).join()"
    seen = set()
    for epoch in (5, 4, 3, 2, 1):
        assert browser.find_element(By.ID, "said").text.startswith(f"{epoch} of 5 · validation accuracy")
        assert str(slider.get_attribute("aria-valuetext")).startswith(f"Epoch {epoch}, validation accuracy")
        cell = seen_cell(browser)
        assert cell.removeprefix("Cell: ") in str(told[epoch - 1])
        seen.add((cell, browser.execute_script(heat)))
        assert len(browser.find_elements(By.CSS_SELECTOR, "#heat .kept")) == 8
        slider.send_keys(Keys.ARROW_LEFT)
    assert len(seen) == 5
    slider.send_keys(Keys.END)
    assert browser.find_element(By.ID, "said").text.startswith("5 of 5")
    assert console(browser) == []


def test_the_keyboard_reaches_everything_that_scrolls_or_opens(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["training"].as_uri(), width=390)
    reached = [browser.find_element(By.TAG_NAME, "body")]
    while len(reached) < 60:
        reached[-1].send_keys(Keys.TAB)
        current = browser.switch_to.active_element
        if current in reached:
            break
        assert current.value_of_css_property("outline-style") == "solid"
        reached.append(current)
    wanted = browser.find_elements(By.CSS_SELECTOR, "summary, [tabindex='0']")
    assert len(wanted) > 5
    assert [one for one in wanted if one.is_displayed() and one not in reached] == []


def test_the_live_page_gains_an_epoch_while_it_is_open(
    browser: webdriver.Chrome, make_search: MakeRun, append_epoch: Callable[[Path, int, int], None]
) -> None:
    """Whoever looks at an earlier epoch goes on looking at it, with what was opened still open."""
    run = make_search(epochs=9, done=2)

    def wait_for(last: int) -> None:
        # between finding it and asking it, an element may have been replaced
        WebDriverWait(browser, WAIT_SEC, ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _: browser.find_element(By.ID, "epoch").get_attribute("max") == str(last - 1)
        )

    with serving(run, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            show(browser, f"http://127.0.0.1:{server.server_port}/")
            append_epoch(run, 3, 9)
            wait_for(3)
            assert browser.find_element(By.ID, "said").text.startswith("3 of 3")
            browser.find_element(By.ID, "epoch").send_keys(Keys.HOME)
            browser.find_element(By.CSS_SELECTOR, "#numbers summary").click()
            looked_at = seen_cell(browser)
            append_epoch(run, 4, 9)
            wait_for(4)
            assert browser.find_element(By.ID, "said").text.startswith("1 of 4")
            assert seen_cell(browser) == looked_at
            assert browser.find_element(By.ID, "numbers").get_attribute("open") is not None
            browser.find_element(By.ID, "epoch").send_keys(Keys.ARROW_RIGHT)
            assert browser.find_element(By.ID, "said").text.startswith("2 of 4")
            assert console(browser) == []
            browser.get("about:blank")
        finally:
            server.shutdown()
            thread.join()


def test_a_narrow_page_breaks_commands_between_their_words_alone(
    browser: webdriver.Chrome, make_training: MakeRun, tmp_path: Path
) -> None:
    folder = make_training("narrow", parent=tmp_path)
    result = json.loads((folder / "result.json").read_text())
    result["scores"]["interval"] = [0.0, 0.9]
    result["scores"]["top1"] = result["scores"]["balanced_accuracy"] = 0.3
    (folder / "result.json").write_text(json.dumps(result))
    run_report(ReportConfig(runs=(str(folder),)))
    show(browser, (folder / "report.html").as_uri(), width=390)
    words = browser.find_elements(By.CSS_SELECTOR, ".notice pre .word")
    heights = {word.size["height"] for word in words if len(word.text) < 30}
    assert len(words) > 5 and len(heights) == 1
    assert len({word.location["y"] for word in words}) > 1
    assert "mono" in words[0].value_of_css_property("font-family").lower()
