"""The dashboard in a real browser: the main ways through, no other host, no error in its console."""

import os
import re
import urllib.request
from decimal import Decimal

import pytest

from fundclock.app.labels import LABELS, metric, signed
from held import Held
from serving import FLAGS, LONG, MANY, PATIENCE, Served, find_browser, until

AT = "2028-03-31"
DELAY = {"reinvestment_engine.reinvestment_delay": 3}
PHONE = {"width": 390, "height": 844}
USUAL = {"viewport": {"width": 1360, "height": 900}, "locale": "en-GB"}


@pytest.fixture(scope="module")
def chromium():
    path = find_browser()
    if path is None:
        if os.environ.get("FUNDCLOCK_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium, and these tests are required here")
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(chromium, tmp_path_factory):
    with Held(tmp_path_factory.mktemp("dashboard"), "--workers", "2") as made:
        yield made


@pytest.fixture
def brake(served):
    """What runs of a test are held with."""
    yield served.brake
    served.brake.release()


@pytest.fixture(scope="module")
def levered(served):
    return served.play("levered", 7, {"fund.term_years": 6, "fund.reinvestment_period_years": 4})


@pytest.fixture(scope="module")
def forked(served, levered):
    return served.fork(levered, at=AT, set=DELAY)


@pytest.fixture(scope="module")
def noted():
    """What pages ask another host for, and every error of theirs."""
    return []


@pytest.fixture
def wrong(noted):
    """What was noted in a test; what it does not take out fails it."""
    noted.clear()
    yield noted
    assert noted == []


def watched(context, home, noted):
    """A new page, with whatever is wrong with it noted."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.on("console", lambda said: noted.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: noted.append(str(error)))
    own = ("data:", "blob:", home, home.replace("http://", "ws://"))
    page.on("request", lambda asked: None if asked.url.startswith(own) else noted.append(f"asked {asked.url}"))
    page.on("websocket", lambda socket: None if socket.url.startswith(own) else noted.append(f"asked {socket.url}"))
    return page


@pytest.fixture
def watch(chromium, wrong):
    """Opens windows of their own."""
    contexts = []

    def open_page(home, **options):
        contexts.append(chromium.new_context(**{**USUAL, **options}))
        return watched(contexts[-1], home, wrong)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def window(chromium, served, noted):
    """A window that tests share: a new one takes longer than what most of them do in it."""
    return watched(chromium.new_context(**USUAL), served.url, noted)


@pytest.fixture
def page(window, wrong):
    """An empty page."""
    window.goto("about:blank")
    yield window
    window.goto("about:blank")


def wait_until(page, expression):
    """Wait until a JavaScript expression holds; Playwright's own way needs eval, which the page's policy forbids."""
    until(lambda: page.evaluate(expression), expression)


def open_run(page, served, name, tab="play"):
    page.goto(f"{served.url}/#/run/{name}/{tab}")
    if tab == "play":
        page.wait_for_selector("[data-records]")
        page.wait_for_selector(".chart.fund .scatterlayer .trace")


def test_a_first_run_from_the_first_page(page, served):
    page.goto(served.url)
    page.get_by_role("link", name="New run").first.click()
    page.get_by_label("Seed").fill("11")
    page.get_by_label("Setting", exact=True).fill("reinvestment_engine.reinvestment_delay")
    page.get_by_label("Value", exact=True).fill("2")
    page.get_by_role("button", name="Play it").click()
    page.get_by_text("finished", exact=True).wait_for()
    found = served.get(f"/simulations/{page.locator('h1').inner_text()}")
    assert (found["seed"], found["scenario"], found["status"]) == (11, "base", "finished")
    assert f"{found['metrics']['net_irr']:.2%}" in page.locator(".tiles").inner_text()
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("link", name=found["id"], exact=True).wait_for()


def test_what_is_wrong_with_a_form_is_said_by_its_key(page, served, wrong):
    page.goto(f"{served.url}/#/new")
    page.get_by_label("Setting", exact=True).fill("fund.sice")
    page.get_by_label("Value", exact=True).fill("5")
    page.get_by_role("button", name="Play it").click()
    said = page.get_by_role("alert")
    said.wait_for()
    assert "fund.sice" in said.inner_text()
    assert "did you mean" in said.inner_text()
    page.get_by_label("Scenario", exact=True).select_option("")
    page.get_by_label("Text of a scenario file").fill("fund: {size: 10m\n  term: 3")
    page.get_by_role("button", name="Play it").click()
    page.get_by_text("is not valid YAML").wait_for()
    browsers_own = [text for text in wrong if "status of 422" in text]  # Chromium notes each answer of that kind
    assert len(browsers_own) == len(wrong) == 2
    wrong.clear()


def test_a_live_run_grows_and_can_be_cancelled(page, served, brake):
    brake.hold(0.1)
    name = served.start("base", 1, {**LONG, "fund.size": "200m"})
    brake.held(name)
    page.goto(f"{served.url}/#/run/{name}")
    page.get_by_text("Live", exact=True).wait_for()
    wait_until(page, "document.querySelector('.grid-row') !== null")
    before = page.get_by_role("slider").input_value()
    brake.hold(0.5)
    wait_until(page, f"Number(document.querySelector('input[type=range]').value) > {before}")
    page.locator(".chart.fund .scatterlayer .point").nth(5).wait_for()
    page.get_by_role("button", name="Cancel").click()
    wait_until(page, "document.querySelector('[data-records]') !== null")
    assert served.get(f"/simulations/{name}")["status"] == "cancelled"


def test_the_scrubber_shows_the_state_of_the_day(page, served, levered):
    open_run(page, served, levered)
    slider = page.get_by_role("slider")
    slider.focus()
    for key, day in (("Home", 0), ("PageUp", None), ("ArrowRight", None)):
        slider.press(key)
        value = int(slider.input_value())
        assert day is None or value == day
    date = page.locator("output").inner_text()
    wanted = served.get(f"/simulations/{levered}/state?as_of={date}")
    assert wanted["date"] == date
    page.wait_for_selector(f"[data-digest='{wanted['state_digest']}']")
    state = page.get_by_role("region", name="State of the day").inner_text()
    assert f"{float(wanted['nav']):,.2f}" in state
    assert f"{float(wanted['cash']):,.2f}" in state
    page.get_by_text("Net asset value, cash and debt: the numbers").click()
    rows = page.get_by_role("region", name="Net asset value, cash and debt").locator("tbody tr")
    rows.first.wait_for()
    cash = served.get(f"/simulations/{levered}/visualizations/cash")["data"]["series"][0]
    assert rows.first.inner_text().startswith(cash["x"][0])
    assert f"{cash['y'][0]:,.2f}" in rows.first.inner_text()


def test_playback_at_a_chosen_pace(page, served, levered):
    open_run(page, served, levered)
    page.get_by_label("Pace").select_option("30")  # six years take more than a minute
    page.get_by_role("button", name="Play").click()
    wait_until(page, "Number(document.querySelector('input[type=range]').value) > 30")
    page.get_by_role("button", name="Pause").click()
    day = int(page.get_by_role("slider").input_value())
    page.wait_for_timeout(200)
    records = served.get(f"/simulations/{levered}/events?limit=10000")["records"]
    assert int(page.get_by_role("slider").input_value()) == day < records[-1]["day"]
    until = sum(record["day"] <= day for record in records)
    page.get_by_text(f"{until:,} of {len(records):,}").wait_for()
    for day in (0, records[100]["day"], records[100]["day"] - 1, 1500, records[-1]["day"] - 1, records[-1]["day"]):
        page.get_by_role("slider").fill(str(day))
        until = sum(record["day"] <= day for record in records)
        page.get_by_text(f"{until:,} of {len(records):,}").wait_for()


def test_records_come_whole_over_a_connection_that_is_lost(watch, served):
    name = served.play("base", 1, {**LONG, "fund.size": "330m"})
    records = served.get(f"/simulations/{name}")["records"]
    opened = []

    def between(socket):
        opened.append(socket.url)
        server = socket.connect_to_server()
        frames = []

        def passed(message):
            frames.append(message)
            if len(opened) < 3 and len(frames) == 3:  # hello, records, and the next are lost
                socket.close(code=4000)
            elif len(opened) == 3 or len(frames) < 3:
                socket.send(message)

        server.on_message(passed)

    page = watch(served.url)
    page.route_web_socket(re.compile("/stream"), between)
    open_run(page, served, name)
    assert [int(url.rpartition("=")[2]) for url in opened] == [0, 5000, 10_000]
    page.get_by_text(f"{records:,} of {records:,}").wait_for()


def test_records_are_filtered_chosen_by_key_and_explained(page, served, levered):
    open_run(page, served, levered)
    records = served.get(f"/simulations/{levered}/events?limit=10000")["records"]
    exits = [record for record in records if record["kind"] == "loan.exited/1" and record["payload"]["zone"] == "red"]
    page.get_by_label("Filter records").fill("loan.exited red-")
    page.get_by_text(f"{len(exits):,} of {len(records):,}").wait_for()
    page.get_by_label("Filter records").fill("")
    page.get_by_label("Kind", exact=True).select_option("loan.recovered/1")
    grid = page.get_by_role("grid")
    grid.focus()
    for key in ("Home", "ArrowDown"):
        grid.press(key)
    second = [record for record in records if record["kind"] == "loan.recovered/1"][1]
    why = page.get_by_role("region", name="Why")
    why.locator(f"[data-seq='{second['seq']}']").wait_for()
    wanted = served.get(f"/simulations/{levered}/events/{second['seq']}/why")
    for record in [*wanted["causes"], wanted["record"], *wanted["lots"][:5]]:
        assert f"{record['seq']:,} {record['kind']}" in why.inner_text()
    root = wanted["causes"][0]
    why.get_by_role("button", name=f"{root['seq']:,} {root['kind']}").first.click()
    why.locator(f"[data-seq='{root['seq']}']").wait_for()


def test_a_fork_from_the_form(page, served, levered):
    open_run(page, served, levered, "fork")
    page.get_by_role("button", name="Fork it").click()
    page.get_by_text("Nothing is changed").wait_for()
    page.get_by_label("In the morning of").fill(AT)
    page.get_by_label("Setting", exact=True).fill("reinvestment_engine.reinvestment_delay")
    page.get_by_label("Value", exact=True).fill("6")
    page.get_by_role("button", name="Add a command").click()
    page.get_by_label("Command", exact=True).select_option("shock_price")
    page.get_by_label("change").fill("-10%")
    page.get_by_role("button", name="Fork it").click()
    page.get_by_role("link", name="Compare with its parent").wait_for()
    found = served.get(f"/simulations/{page.locator('h1').inner_text()}")
    assert (found["parent"], found["status"], found["divergence_seq"] > 1) == (levered, "finished", True)
    told = page.locator("main").inner_text()
    assert f"On {AT}: shock price change -10%; reinvestment_engine.reinvestment_delay 6" in told
    added = served.get(f"/simulations/{found['id']}/events?kind=script.added/1")["records"][0]["payload"]["entries"]
    assert [entry["do"] for entry in added] == [
        {"shock_price": {"change": "-10%"}}, {"set": {"reinvestment_engine.reinvestment_delay": 6}},
    ]  # fmt: skip


def test_two_runs_are_compared_with_their_waterfalls(page, served, levered, forked):
    page.goto(served.url)
    for name in (levered, forked):
        page.get_by_label(f"Choose {name}").check()
    page.get_by_role("button", name="Compare the two").click()
    for figure in ("net_cash_bridge", "dollar_days_bridge"):
        page.wait_for_selector(f"[data-figure={figure}] .waterfalllayer .point")
    page.get_by_role("button", name="What each wait cost, in both runs").click()
    page.locator("[data-figure=timing_waterfall] .waterfalllayer").nth(1).wait_for()
    found = served.get(f"/comparisons?a={levered}&b={forked}")
    bridge = found["figures"]["net_cash_bridge"]["data"]["series"][0]["y"]
    assert sum(bridge[:-1]) == pytest.approx(bridge[-1], abs=0.01)
    page.locator("[data-figure=net_cash_bridge] summary").click()
    rows = page.locator("[data-figure=net_cash_bridge] tbody tr")
    rows.first.wait_for()
    assert rows.count() == len(bridge)


def test_the_stress_panel(page, served, levered):
    open_run(page, served, levered, "stress")
    page.get_by_role("table", name="Tests").or_(page.get_by_role("region", name="Smallest shocks")).first.wait_for()
    text = page.locator("main").inner_text()
    found = served.get(f"/simulations/{levered}/stress")
    assert f"By the test of {found['date']}" in text
    for size in found["smallest_shock"].values():
        shown = (f"{size['size']:.2%}", f"{size['size']:.2f} ×")
        assert any(one in text for one in shown)


def test_the_audit_and_every_figure_with_its_numbers(page, served, levered):
    open_run(page, served, levered, "audit")
    audit = served.get(f"/simulations/{levered}/audit")
    page.get_by_text(f"{float(audit['cash_integral']):,.2f}").wait_for()
    open_run(page, served, levered, "figures")
    slots = page.locator("[data-name]")
    slots.first.wait_for()
    for at in range(slots.count()):
        slots.nth(at).scroll_into_view_if_needed()
        slots.nth(at).locator("figure, p.soft:not(:text-is('…'))").first.wait_for()
    wait_until(page, "[...document.querySelectorAll('figure .chart')].every((chart) => chart.querySelector('svg'))")
    assert page.locator("figure").count() >= 20
    assert (
        page.locator("figure:has(details), figure:has(table), figure:has(p.soft)").count()
        == page.locator("figure").count()
    )
    years = page.locator("[data-figure=reinvestment_summary_table] tbody tr")
    assert years.count() == len(
        served.get(f"/simulations/{levered}/visualizations/reinvestment_summary_table")["data"]["rows"]
    )


def test_names_and_numbers_are_those_of_the_service(page, served, levered, forked):
    answer = served.get("/labels")
    called = {name: found["text"] for name, found in answer["labels"].items()}
    assert answer["units"]["share"] == {"decimals": 2, "percent": True}
    open_run(page, served, levered)
    metrics = served.get(f"/simulations/{levered}")["metrics"]
    tiles = page.locator(".tiles").inner_text()
    for name, value in (("net_irr", f"{metrics['net_irr']:.2%}"), ("tvpi", f"{metrics['tvpi']:.2f}"),
                        ("mean_days_to_reinvest", f"{metrics['mean_days_to_reinvest']:.2f}"),
                        ("distributed", f"{float(metrics['distributed']) / 1e6:.3g}m")):  # fmt: skip
        assert f"{called[name]}\n{value}" in tiles
    page.get_by_text("The ledger").click()
    page.get_by_text(called["account.Assets:Loans:Cost"], exact=True).wait_for()
    open_run(page, served, levered, "audit")
    days = served.get(f"/simulations/{levered}/audit")["dollar_days"]
    rows = page.get_by_role("region", name="Dollar-days by reason").locator("tbody tr")
    rows.first.wait_for()
    assert rows.locator("td:first-child").all_inner_texts()[:-1] == [called[f"reason.{reason}"] for reason in days]
    assert page.get_by_text(called["wait.call_notice"]).count() == 1
    open_run(page, served, levered, "stress")
    shocks = page.get_by_role("region", name="Smallest shocks").locator("tbody tr td:first-child")
    shocks.first.wait_for()
    assert shocks.all_inner_texts() == [
        called[f"shock.{name}"] for name in ("interest_rate", "nav", "liquidity", "combined")
    ]
    open_run(page, served, levered, "figures")
    page.locator("h2").first.wait_for()
    sections = [one["title"] for one in answer["sections"] if one["title"] != "Allocation"]  # it does not allocate
    assert page.locator("h2").all_inner_texts() == sections
    page.locator("[data-name=reinvestment_events_table]").scroll_into_view_if_needed()
    table = page.locator("[data-figure=reinvestment_events_table] tbody tr").first
    table.wait_for()
    first = served.get(f"/simulations/{levered}/visualizations/reinvestment_events_table")["data"]["rows"][0]
    assert table.locator("td").nth(5).inner_text() == f"{float(first[5]):,.2f}"
    figure = page.locator("[data-figure=stress_results]")
    page.locator("[data-name=stress_results]").scroll_into_view_if_needed()
    figure.locator("summary").click()
    heads = figure.locator("thead th").all_inner_texts()
    assert heads[:3] == ["Shock", called["leverage_ratio"], called["loan_to_value_ratio"]]
    data = served.get(f"/simulations/{levered}/visualizations/stress_results")["data"]
    cells = figure.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    assert cells[:2] == [called["shock.interest_rate"], f"{data['series'][0]['y'][1]:.3f}"]
    page.goto(f"{served.url}/#/compare?a={levered}&b={forked}")
    changes = page.get_by_role("region", name="Figures of both").locator("tbody tr")
    changes.first.wait_for()
    compared = served.get(f"/comparisons?a={levered}&b={forked}")["metrics"]
    rows = {row.locator("td").first.inner_text(): row.locator("td").all_inner_texts()[1:] for row in changes.all()}
    expected = {
        called[name]: [
            metric(name, one),
            metric(name, other),
            signed(Decimal(str(other)) - Decimal(str(one)), LABELS[name].unit),
        ]
        for name, (one, other) in compared.items()
        if one is not None and other is not None and not isinstance(one, dict)
    }
    assert rows == expected
    assert {row[2][-2:] for row in rows.values()} >= {"–", "bp"}


def test_a_clicked_point_leads_to_its_record(page, served, levered):
    open_run(page, served, levered, "figures")
    page.wait_for_selector("[data-figure=nav] .nsewdrag")
    box = page.locator("[data-figure=nav] .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("[data-figure=nav] .hoverlayer *", state="attached")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile(r"play\?seq=\d+"))
    page.get_by_role("region", name="Why").get_by_text("nav.reported/1").first.wait_for()


def test_a_sweep_and_its_fan(page, served):
    page.goto(f"{served.url}/#/sweeps")
    page.get_by_label("Values", exact=True).fill("0, 3")
    page.get_by_label("Seeds").fill("1:4")
    page.get_by_role("button", name="Sweep").click()
    page.wait_for_selector("[data-figure=sweep_fan] .scatterlayer")
    assert page.locator("[aria-label=Runs] tbody tr").count() == 8
    means = page.locator("[aria-label='Means by settings'] tbody tr").all_inner_texts()
    assert len(means) == 2
    assert not any("–" in row for row in means)


def test_the_report_opens_without_a_network(watch, page, served, levered, tmp_path):
    address = f"{served.url}/api/v1/simulations/{levered}/report.html"
    place = tmp_path / "report.html"
    with urllib.request.urlopen(address) as answer:
        place.write_bytes(answer.read())
    home = place.as_uri()
    phone = watch(home, viewport=PHONE, color_scheme="dark")
    phone.context.set_offline(True)
    phone.goto(home)
    wait_until(phone, "[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg.main-svg'))")
    assert phone.locator(".chart").count() > 15
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(address)  # under its strict policy too
    page.wait_for_selector("#chart-nav svg.main-svg")


SETTLED = """document.querySelector("h1") && !document.querySelector("[data-left]") &&
[...document.querySelectorAll("#main p.soft, #main .chart")].filter((one) => one.getBoundingClientRect().top < innerHeight)
.every((one) => one.matches("p") ? !one.textContent.endsWith("…") : one.querySelector("svg.main-svg"))"""
"""The page that was gone to is there, and all that can be seen of it: nothing is on its way, every chart is drawn."""


@pytest.mark.parametrize(
    "options", [{"viewport": PHONE, "color_scheme": "dark", "has_touch": True}, {"color_scheme": "dark"}]
)
def test_every_page_fits_its_screen(watch, served, levered, forked, options):
    page = watch(served.url, **options)
    pages = ["/", "/new", f"/compare?a={levered}&b={forked}", "/sweeps",
             *(f"/run/{levered}/{tab}" for tab in ("play", "figures", "audit", "stress", "fork"))]  # fmt: skip
    for path in pages:
        page.evaluate("document.querySelector('#main > *')?.setAttribute('data-left', '')")
        page.goto(f"{served.url}/#{path}")
        wait_until(page, SETTLED)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], (path, width)
        assert page.locator("h1").count() == 1, path
        unnamed = page.evaluate(
            """[...document.querySelectorAll("main :is(button, input, select, textarea)")].filter((one) =>
            !one.getAttribute("aria-label") && !one.labels?.length && !one.textContent.trim()).map((one) => one.outerHTML)"""
        )
        assert unnamed == [], path
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(18, 22, 26)"


def test_with_a_token_the_browser_is_asked_for_it(watch, wrong, tmp_path):
    token = "a token of more than sixteen"
    with Served(tmp_path, "--workers", "1", FUNDCLOCK_TOKEN=token) as mine:
        name = mine.play("base", 3)
        page = watch(mine.url)
        page.goto(f"{mine.url}/#/run/{name}")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("this is not the token").wait_for()
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Go on").click()
        page.wait_for_selector("[data-records]")  # the stream has come too
        cookie = page.context.cookies()[0]
        assert (cookie["httpOnly"], cookie["sameSite"], token not in cookie["value"]) == (True, "Strict", True)
        page.close()
        assert all("status of 401" in text for text in wrong)
        wrong.clear()


def test_a_hundred_thousand_records_are_filtered_at_once(page, served, record_measure):
    name = served.play("base", 1, {**MANY, "fund.size": "3.3bn"})
    records = served.get(f"/simulations/{name}")["records"]
    assert records > 100_000
    page.goto(served.url)
    page.wait_for_selector("h1")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    began = page.evaluate("performance.now()")
    page.goto(f"{served.url}/#/run/{name}")
    page.wait_for_selector("[data-records]")
    came = page.evaluate("performance.now()") - began
    page.get_by_text(f"{records:,} of {records:,}").wait_for()
    times = []
    for text in ("red", "loan.exited green", "sale", "no such words", ""):
        page.get_by_label("Filter records").fill(text)
        times.append(float(page.get_by_role("grid").get_attribute("data-filtered")))
    grid = page.get_by_role("grid")
    grid.focus()
    grid.press("End")
    last = page.locator(".grid-row[aria-selected=true]")
    last.wait_for()
    assert last.locator("span").first.inner_text() == f"{records:,}"
    assert page.locator(".grid-row").count() < 60
    record_measure("first paint", paint, "ms")
    record_measure(f"{records:,} records into the page", came, "ms")
    record_measure("slowest filter of them", max(times), "ms")


@pytest.mark.parametrize("query", ["seq=abc", "seq=0", "seq=999999", "seq=", "seq=1.5"])
def test_an_address_with_a_seq_that_is_none_is_no_matter(page, served, levered, query):
    page.goto(f"{served.url}/#/run/{levered}/play?{query}")
    page.wait_for_selector("[data-digest]")


def test_other_addresses_say_what_is_wrong(page, served):
    for path, text in (("nowhere", "There is no such page"), ("run/%E0%A4%A/play", "malformed")):
        page.goto(f"{served.url}/#/{path}")
        page.get_by_text(text).wait_for()


def test_a_run_says_what_it_was_played_with(page, served):
    name = served.play("base", 4, {"reinvestment_engine.reinvestment_delay": 5, "fund.size": "20m"})
    open_run(page, served, name)
    told = page.locator("main").inner_text()
    assert "reinvestment_engine.reinvestment_delay 5" in told
    assert "fund.size 20000000" in told
