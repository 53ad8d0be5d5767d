// Playback: the fund's lines, a scrubber, the state of a day, its records, and why each of them is there.

import { get, of } from "./api.js";
import { loadPlotly, CONFIG } from "./charts.js";
import { count, dateOf, fill, h, money, problemBox, words } from "./dom.js";
import { Grid } from "./grid.js";
import { EventLog } from "./log.js";
import { follow } from "./stream.js";
import { whyPanel } from "./why.js";

const PACES = [[7, "a week a second"], [30, "a month a second"], [91, "a quarter a second"], [365, "a year a second"], [1461, "four years a second"]];
const TABLE_EVERY = 100, STATE_EVERY = 150, STATE_EVERY_LIVE = 1000;
const MARGIN = { l: 62, r: 12, t: 32, b: 28 };
const THUMB = 8; // half the width of the slider's handle, which stands on the day itself
const COLOURS = { nav: "#0072b2", cash: "#e69f00", debt: "#d55e00" };
const NAMES = { nav: "net asset value", cash: "cash and reserve", debt: "debt" };

export async function playTab(place, run, again, query) {
  const log = new EventLog();
  let start = run.start_date ?? null, last = run.days ?? 1, day = 0;
  let playing = false, following = true, finished = run.status === "finished";
  let unit = "";
  const lines = { nav: [[], []], cash: [[], []], debt: [[], []] };

  // what there is on the page
  const date = (number) => (start ? dateOf(start, number) : "");
  const chart = h("div.chart.fund", { role: "img", "aria-label": "Net asset value, cash and debt; the numbers are in the table below" });
  const veil = h("div", { style: "position:absolute;top:32px;bottom:28px;right:12px;background:var(--ground);opacity:.72;border-left:2px solid var(--accent);pointer-events:none" });
  const numbers = h("details", { ontoggle: () => numbers.open && drawNumbers() }, h("summary", "Net asset value, cash and debt: the numbers"), h("div"));
  const slider = h("input", { type: "range", min: "0", max: "1", value: "0", step: "1", "aria-label": "Day", style: `margin-left:${MARGIN.l - THUMB}px;width:calc(100% - ${MARGIN.l + MARGIN.r - 2 * THUMB}px)`, oninput: () => { following = false; stop(); go(Number(slider.value)); } });
  const shown = h("output", { style: "font-variant-numeric:tabular-nums;font-weight:600" });
  const button = h("button.main", { onclick: () => (playing ? stop() : play()), style: "min-width:5.5rem" }, "▶ Play");
  const pace = h("select", { "aria-label": "Pace" }, PACES.map(([days, name]) => h("option", { value: days, selected: days === 91 }, name)));
  const step = (days, name) => h("button", { "aria-label": name, title: name, onclick: () => { following = false; stop(); go(Math.max(0, Math.min(last, day + days))); } }, days < 0 ? "‹" : "›");
  const progress = h("progress", { max: 1, value: run.progress, "aria-label": "Progress" });
  const told = h("span.soft");
  const live = h("div.row", { hidden: finished }, h("strong", "Live"), progress, told);
  const state = h("div", h("p.soft", "…"));
  const search = h("input.grow", { type: "search", placeholder: "words in kind or payload, e.g. loan.exited green", "aria-label": "Filter records", oninput: () => refilter("typed") });
  const kinds = h("select", { "aria-label": "Kind", onchange: () => refilter("typed") }, h("option", { value: "" }, "every kind"));
  const upto = h("input", { type: "checkbox", checked: true, onchange: () => refilter(true) });
  const found = h("span.soft", { role: "status" });
  const why = whyPanel(run.id, date, (seq) => select(seq));
  const narrow = matchMedia("(max-width: 60rem)");
  const grid = new Grid(log, date, async (seq) => {
    await why.show(seq);
    if (narrow.matches) why.element.scrollIntoView({ block: "nearest" }); // it stands below the table there
  });

  fill(place, h("div.split",
    h("div",
      live,
      h("div", { style: "position:relative" }, chart, veil), numbers,
      h("div.row", { style: "margin-top:.5rem" }, button, step(-1, "A day back"), step(1, "A day on"), pace, h("span.grow"), shown), slider,
      h("h2", "Records"),
      h("div.row", search, kinds, h("label.line", upto, "up to the day"), found), h("div", { style: "height:.4rem" }), grid.element),
    h("div.side", h("section.card", { "aria-label": "State of the day" }, h("h3", "In the evening of the day"), state), h("div", { style: "height:1rem" }), why.element)));

  // the lines
  function point(record) {
    if (record.kind === "run.started/1") {
      start = record.payload.start_date;
      last = Math.round((Date.parse(record.payload.end_date) - Date.parse(start)) / 86_400_000);
      slider.max = String(last);
    } else if (!finished && record.kind === "nav.reported/1") {
      put("nav", record.day, record.payload.nav_cents / 100);
      put("cash", record.day, (record.payload.cash_cents + record.payload.reserve_cents) / 100);
    } else if (record.kind === "leverage.measured/1") put("debt", record.day, record.payload.debt_cents / 100);
  }

  function put(line, at, value) {
    lines[line][0].push(date(at));
    lines[line][1].push(value);
  }

  async function fromFigures() {
    const [nav, cash] = await Promise.all(["nav", "cash"].map((name) => get(of(run.id, `visualizations/${name}`))));
    unit = nav.data.series[0].unit;
    const [worth] = nav.data.series, [free, kept] = cash.data.series;
    lines.nav = [worth.x, worth.y];
    lines.cash = [free.x, free.y.map((value, at) => value + kept.y[at])];
  }

  async function drawLines() {
    const Plotly = await loadPlotly();
    drew += 1;
    const traces = Object.keys(lines).filter((line) => lines[line][0].length).map((line) => ({
      x: lines[line][0], y: lines[line][1], name: NAMES[line], mode: finished ? "lines" : "lines+markers", marker: { size: 5 }, line: { color: COLOURS[line], width: 2, shape: "hv" },
    }));
    const axis = { gridcolor: "rgba(128,136,144,0.25)", zerolinecolor: "rgba(128,136,144,0.25)" };
    await Plotly.react(chart, traces, {
      margin: MARGIN, font: { color: "#808890", family: "system-ui, sans-serif", size: 12 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: { ...axis, type: "date", range: [date(0), date(last)], fixedrange: true }, yaxis: { ...axis, exponentformat: "B", title: { text: unit }, rangemode: "tozero", fixedrange: true },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "x unified", showlegend: true, datarevision: drew, // the lines grow in place
    }, CONFIG);
    moveVeil();
    if (numbers.open) drawNumbers();
  }

  function drawNumbers() {
    const days = [...new Set(Object.values(lines).flatMap(([x]) => x))].sort();
    const at = Object.fromEntries(Object.entries(lines).map(([line, [x, y]]) => [line, new Map(x.map((one, place) => [one, y[place]]))]));
    const rows = days.slice(0, 400).map((one) => [one, ...Object.keys(lines).map((line) => (at[line].has(one) ? money(at[line].get(one)) : ""))]);
    fill(numbers.lastElementChild, h("div.scroll", { tabindex: "0" }, h("table", h("thead", h("tr", ["Date", ...Object.values(NAMES)].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", rows.map((row) => h("tr", row.map((cell) => h("td", cell))))))), days.length > 400 && h("p.soft", `The first 400 of ${count(days.length)} days.`));
  }

  function moveVeil() {
    const width = chart.clientWidth - MARGIN.l - MARGIN.r;
    veil.style.left = `${MARGIN.l + width * Math.min(1, day / last)}px`;
  }
  const resized = new ResizeObserver(async () => {
    if (chart.data) (await loadPlotly()).Plots.resize(chart);
    moveVeil();
  });
  resized.observe(chart);

  // the clock
  function go(to) {
    day = to;
    slider.value = String(to);
    slider.setAttribute("aria-valuetext", date(to));
    shown.textContent = date(to);
    moveVeil();
    markStale();
    refilter(false);
    wantState();
  }

  let frame = 0, before = 0, exact = 0;
  function play() {
    if (day >= last) go(0);
    following = false;
    playing = true;
    button.textContent = "❚❚ Pause";
    before = performance.now();
    exact = day;
    frame = requestAnimationFrame(tick);
  }

  function tick(now) {
    exact += (Number(pace.value) * (now - before)) / 1000;
    before = now;
    if (Math.floor(exact) !== day) go(Math.min(last, Math.floor(exact)));
    if (day >= last) stop();
    else if (playing) frame = requestAnimationFrame(tick);
  }

  function stop() {
    playing = false;
    cancelAnimationFrame(frame);
    button.textContent = "▶ Play";
  }

  // the records of the day, and of those before it
  let filtered = 0, timer = null;
  function refilter(now) {
    clearTimeout(timer);
    const wait = filtered + TABLE_EVERY - performance.now();
    if (!now && wait > 0) {
      timer = setTimeout(() => refilter(true), wait);
      return;
    }
    const began = performance.now();
    const until = upto.checked ? log.until(day) : log.length;
    const seqs = log.filter({ text: search.value, kind: kinds.value, last: until });
    grid.show(seqs, (playing || following) && upto.checked);
    found.textContent = `${count(seqs.length)} of ${count(log.length)}`;
    if (now === "typed") grid.element.scrollTop = 0;
    filtered = performance.now();
    grid.element.dataset.filtered = (filtered - began).toFixed(1);
  }

  function refreshKinds() {
    const names = log.kinds.map((kind, at) => [kind, log.counts[at]]).sort();
    const chosen = kinds.value;
    kinds.replaceChildren(h("option", { value: "" }, "every kind"), ...names.map(([kind, number]) => h("option", { value: kind }, `${kind} (${count(number)})`)));
    kinds.value = chosen;
  }

  function select(seq) {
    const at = grid.seqs.indexOf(seq);
    if (at >= 0) grid.select(at);
    else why.show(seq);
  }

  // the state, one question at a time; what is shown of another day is dimmed
  let shownDay = null;
  const markStale = () => state.classList.toggle("stale", shownDay !== date(day));
  let asking = false, wanted = null;
  async function wantState() {
    wanted = day;
    if (asking || !start || !log.length) return;
    asking = true;
    while (wanted !== null) {
      const at = wanted;
      wanted = null;
      try {
        drawState(await get(of(run.id, `state?as_of=${date(at)}`)));
      } catch (error) {
        fill(state, problemBox(error));
      }
      await new Promise((resolve) => setTimeout(resolve, finished ? STATE_EVERY : STATE_EVERY_LIVE));
    }
    asking = false;
  }

  function drawState(now) {
    shownDay = now.date;
    markStale();
    const rows = [["Date", now.date], ["Net asset value", money(now.nav)], ["Cash", money(now.cash)], ["Reserve", money(now.reserve)],
      ["Loans made", count(now.loans.originated)], ["Performing", count(now.loans.performing)], ["In recovery", count(now.loans.in_recovery)],
      ["Promises to come", count(now.pending_commands)]];
    for (const [name, line] of Object.entries(now.facilities)) {
      rows.push([h("span.head", words(name)), h("span.head", words(line.status))], ["Balance", money(line.balance)], ["Commitment", money(line.commitment)], ["Undrawn", money(line.undrawn)]);
      if (line.breaches.length) rows.push(["In breach", h("span.bad", line.breaches.map(words).join(", "))]);
    }
    state.dataset.digest = now.state_digest;
    const open = state.querySelector("details")?.open;
    fill(state, h("dl.facts", rows.map(([name, value]) => [h("dt", name), h("dd", value)])),
      h("details", { open }, h("summary", "The ledger"), h("dl.facts", Object.entries(now.ledger).map(([account, value]) => [h("dt", account), h("dd", money(value))]))));
  }

  // the stream: all records of a finished run, and of one that is being played as they come
  let drawing = null, drew = 0;
  function lineSoon() {
    if (drawing) return;
    drawing = setTimeout(() => { drawing = null; drawLines(); }, drew ? 250 : 0);
  }

  const leave = follow(run.id, {
    async progress(frame_) {
      if (frame_.data.message !== run.status) run = await again();
      progress.value = frame_.data.progress / 100;
      told.textContent = `${words(frame_.data.module)}: ${frame_.data.message}, ${frame_.data.progress.toFixed(0)} %, ${frame_.day === null ? "" : date(frame_.day)}`;
    },
    events(frame_) {
      frame_.data.records.forEach(point);
      log.append(frame_.data.records);
      if (!finished) {
        lineSoon();
        refreshKinds();
        if (following) go(log.day);
        else refilter(false);
      }
    },
    async done(frame_) {
      place.dataset.records = String(log.length);
      const asked = Number(query?.get("seq"));
      const seen = Number.isInteger(asked) && asked >= 1 && asked <= log.length ? asked : null;
      refreshKinds();
      if (frame_.data.status !== run.status) run = await again();
      if (frame_.data.status === "finished") {
        finished = true;
        live.hidden = true;
        last = log.day;
        slider.max = String(last);
        await fromFigures();
      }
      await drawLines();
      if (following) go(seen ? log.record(seen).day : log.day);
      if (seen) {
        select(seen);
        grid.element.scrollIntoView({ block: "center" });
      }
    },
    error(frame_) {
      told.textContent = frame_.data.message;
      live.hidden = false;
    },
    lost() {
      told.textContent = "the connection was lost; trying again";
    },
  });

  return () => {
    leave();
    stop();
    resized.disconnect();
    clearTimeout(timer);
    clearTimeout(drawing);
  };
}
