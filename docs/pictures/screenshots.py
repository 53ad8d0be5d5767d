"""Pictures of the dashboard and the report, taken in a browser: ``python -m docs.pictures.screenshots``."""

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.support.serving import FLAGS, MANY, Served, find_browser

HERE = Path(__file__).parent
LAPTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LATER = {"reinvestment_engine.reinvestment_delay": 3}
LONG = {**MANY, "fund.size": "20bn"}


def main() -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        base, levered = served.play("base", 7), served.play("levered", 7)
        forked = served.fork(levered, at="2028-03-31", set=LATER)

        def page(width: dict[str, int] = LAPTOP, scheme: Any = "light") -> Any:
            context = browser.new_context(viewport=width, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
            return context.new_page()

        def play(shown: Any, name: str, day: int) -> None:
            shown.goto(f"{served.url}/#/run/{name}")
            shown.wait_for_selector("[data-records]")
            shown.wait_for_selector(".chart.fund .scatterlayer .trace", state="attached")
            shown.get_by_role("slider").fill(str(day))
            shown.wait_for_selector("[data-digest]")
            shown.wait_for_timeout(800)

        first = page()
        first.goto(served.url)
        first.get_by_role("link", name=base, exact=True).wait_for()
        first.screenshot(path=HERE / "first_page.png", clip={"x": 0, "y": 0, "width": 1280, "height": 260})

        scrubber = page()
        play(scrubber, levered, 1400)
        scrubber.get_by_label("Kind", exact=True).select_option("loan.recovered/1")
        scrubber.locator(".grid-row").nth(2).click()
        scrubber.wait_for_selector("[data-seq]")
        scrubber.evaluate("window.scrollTo(0, 330)")
        scrubber.screenshot(path=HERE / "scrubber.png")

        phone = page(PHONE, "dark")
        play(phone, levered, 1400)
        phone.evaluate("document.querySelector('.tabs').scrollIntoView()")
        phone.screenshot(path=HERE / "phone.png")

        compared = page()
        compared.goto(f"{served.url}/#/compare?a={levered}&b={forked}")
        compared.get_by_role("button", name="What each wait cost, in both runs").click()
        compared.locator("[data-figure=timing_waterfall] .waterfalllayer .point").nth(10).wait_for()
        compared.evaluate("window.scrollTo(0, 0)")
        compared.wait_for_timeout(500)
        compared.screenshot(
            path=HERE / "comparison.png", full_page=True, clip={"x": 0, "y": 0, "width": 1280, "height": 1750}
        )

        report = page()
        report.goto(f"{served.url}/api/v1/simulations/{levered}/report.html")
        report.wait_for_selector("#chart-cash svg.main-svg")
        report.screenshot(
            path=HERE / "report.png", full_page=True, clip={"x": 0, "y": 0, "width": 1280, "height": 1500}
        )

        live = page()
        running = served.start("base", 1, LONG)
        live.goto(f"{served.url}/#/run/{running}")
        live.locator(".chart.fund .scatterlayer .point").nth(24).wait_for(timeout=120_000)
        live.screenshot(path=HERE / "live.png")
        served.ask("DELETE", f"/simulations/{running}")
        browser.close()


if __name__ == "__main__":
    main()
