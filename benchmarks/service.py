"""The service under load on loopback, and the dashboard in a browser that is on the machine."""

import http.client
import itertools
import json
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from websockets.sync.client import connect

from tests.support.hostile import DOCUMENTS
from tests.support.serving import BASE, FLAGS, MANY, OPEN, Served, find_browser

Row = tuple[str, str, str, bool]
CLIENTS, RUNS = 20, 50
READERS, READS = 4, 3_000


def service(folder: Path) -> list[Row]:
    """Runs queued by many clients, reads while two runs compute, a long log over the WebSocket."""
    with Served(folder, "--workers", "2") as served:
        return [*_queued(served), *_reads(served), *_streamed(served), *_refused(served)]


def _queued(served: Served) -> list[Row]:
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        names = list(pool.map(lambda seed: served.start("base", seed), range(RUNS)))
    asked = time.perf_counter() - began
    while any(served.get(f"/simulations/{name}")["status"] in OPEN for name in names):
        time.sleep(0.05)
    took = time.perf_counter() - began
    found = [served.get(f"/simulations/{name}") for name in names]
    lost = RUNS - len({one["id"] for one in found if one["status"] == "finished" and one["head_hash"]})
    text = f"{lost} lost; queued in {asked:.1f} s, played in {took:.1f} s"
    return [(f"{RUNS} runs of base queued by {CLIENTS} clients", text, "0 lost", lost == 0)]


def _reads(served: Served) -> list[Row]:
    """Latencies of reads of a finished run while both workers are busy."""
    name = served.play("levered", 7)
    head = f"{BASE}/simulations/{name}"
    figures = served.get(f"/simulations/{name}/visualizations")["figures"]
    dates = [f"{year}-{month:02}-15" for year in range(2026, 2036) for month in range(1, 13)]
    for figure in figures:  # what was computed once is kept
        served.get(f"/simulations/{name}/visualizations/{figure}")
    served.get(f"/simulations/{name}/state?as_of={dates[0]}")
    kinds = {
        "how it stands": [head],
        "list of runs": [f"{BASE}/simulations?limit=50"],
        "records": [f"{head}/events?after_seq={seq}&limit=200" for seq in range(0, 2600, 100)],
        "state of a day": [f"{head}/state?as_of={date}" for date in dates],
        "figures": [f"{head}/visualizations/{figure}" for figure in figures],
        "causes": [f"{head}/events/{seq}/why" for seq in range(2, 2600, 13)],
    }
    running = [served.start("base", seed, {**MANY, "fund.size": "20bn"}) for seed in (1, 2)]
    while served.get(f"/simulations/{running[1]}")["status"] != "running":
        time.sleep(0.05)
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    lock, asked = threading.Lock(), itertools.count()

    def read(seed: int) -> None:
        chance = random.Random(seed)
        line = http.client.HTTPConnection("127.0.0.1", served.port)
        while next(asked) < READS:
            kind = chance.choice(list(kinds))
            began = time.perf_counter()
            line.request("GET", chance.choice(kinds[kind]))
            answer = line.getresponse()
            answer.read()
            took = time.perf_counter() - began
            assert answer.status == 200, answer.status
            with lock:
                taken[kind].append(took)

    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(read, range(READERS)))
    still = all(served.get(f"/simulations/{run}")["status"] == "running" for run in running)
    for run in running:
        served.ask("DELETE", f"/simulations/{run}")
    every = [one for some in taken.values() for one in some]
    p99 = statistics.quantiles(every, n=100)[98] * 1000
    middle = statistics.median(every) * 1000
    what = f"p99 of {READS:,} reads by {READERS} readers while two runs compute (median {middle:.0f} ms)"
    rows: list[Row] = [
        (what, f"{p99:.0f} ms" + ("" if still else ", runs ended before"), "≤ 50 ms", p99 <= 50 and still)
    ]
    for kind, some in taken.items():
        rows.append((f"  p99 of {kind}", f"{statistics.quantiles(some, n=100)[98] * 1000:.0f} ms", "", True))
    while any(served.get(f"/simulations/{run}")["status"] in OPEN for run in running):
        time.sleep(0.05)
    return rows


def _streamed(served: Served) -> list[Row]:
    name = served.play("base", 1, MANY)
    began, got = time.perf_counter(), 0
    with connect(f"ws://127.0.0.1:{served.port}{BASE}/simulations/{name}/stream", max_size=None) as socket:
        for text in socket:
            frame = json.loads(text)
            got += len(frame["data"]["records"]) if frame["type"] == "events" else 0
    took = (time.perf_counter() - began) * 100_000 / got
    assert got == served.get(f"/simulations/{name}")["records"]
    return [(f"100,000 of {got:,} records over the WebSocket, parsed", f"{took:.1f} s", "≤ 3 s", took <= 3)]


def _refused(served: Served) -> list[Row]:
    """The slowest of all hostile files."""
    times = {}
    for what, (text, _) in DOCUMENTS.items():
        began = time.perf_counter()
        assert served.ask("POST", "/simulations", {"document": text})["status"] == 422
        times[what] = time.perf_counter() - began
    slowest = max(times, key=lambda what: times[what])
    took = times[slowest]
    return [(f"the slowest of {len(times)} hostile files refused ({slowest})", f"{took:.2f} s", "≤ 1 s", took <= 1)]


def dashboard(folder: Path) -> list[Row]:
    """First paint, and the filter of a long log, in a browser."""
    path = find_browser()
    if path is None:
        return [("the dashboard in a browser", "there is none on this machine", "", True)]
    from playwright.sync_api import sync_playwright

    with Served(folder) as served, sync_playwright() as playwright:
        name = served.play("base", 1, MANY)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        paints = []
        for _ in range(5):
            page = browser.new_context().new_page()
            page.goto(served.url)
            page.get_by_role("link", name=name).wait_for()
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        page.goto(f"{served.url}/#/run/{name}")
        page.wait_for_selector("[data-records]", timeout=60_000)
        records = int(page.locator("[data-records]").get_attribute("data-records") or 0)
        page.get_by_text(f"{records:,} of {records:,}").wait_for()
        times = []
        for text in ("red", "loan.exited green", "sale 2", "no such words", ""):
            page.get_by_label("Filter records").fill(text)
            times.append(float(page.get_by_role("grid").get_attribute("data-filtered") or "nan"))
        browser.close()
    paint, slowest = statistics.median(paints), max(times)
    return [
        ("first paint of the dashboard", f"{paint:.0f} ms", "≤ 1 s", paint <= 1000),
        (f"slowest of five filters of {records:,} records", f"{slowest:.0f} ms", "≤ 100 ms", slowest <= 100),
    ]
