from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.report.html import render_html
from tests.report.fixture import make_backlog, make_result, make_windows

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAPER_WIDTH = 660
PATIENCE_MS = 600_000
FIGURES = ("reaction", "stages", "utilisation", "backlog", "logical", "predecoder")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    windows = make_windows(500)
    html = render_html(make_result(windows), windows, make_backlog(windows))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def new_page(browser: Any, **options: Any) -> Any:
    """A page that waits as long as a busy machine needs."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE_MS)
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=PATIENCE_MS
        )
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_draws_everything_on_its_own(browser: Any, report: str, width: int) -> None:
    page = new_page(browser, viewport={"width": width, "height": 900})
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report)
    for name in FIGURES:
        page.wait_for_selector(f"#figure-{name} svg.main-svg .trace", state="attached")
    assert complaints == []
    assert requests
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.is_visible("text=Budget met")
    page.close()


def test_a_printed_figure_fits_the_paper(browser: Any, report: str) -> None:
    page = new_page(browser, viewport={"width": 1280, "height": 900})
    page.goto(report)
    svg = "#figure-stages svg.main-svg"
    wide = page.wait_for_selector(svg, state="attached").get_attribute("width")
    assert float(wide) > PAPER_WIDTH
    page.emulate_media(media="print")
    page.wait_for_selector(f"{svg}[width='{PAPER_WIDTH}']", state="attached")
    page.emulate_media(media="screen")
    page.wait_for_selector(f"{svg}[width='{wide}']", state="attached")
    page.close()


def test_without_scripts_the_tables_remain(browser: Any, report: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = new_page(context)
    page.goto(report)
    assert page.is_visible("#stages table")
    assert page.locator("#figure-stages").is_hidden()
    context.close()
