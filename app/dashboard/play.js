// Playback: the fund's lines, a scrubber, the state of a day, its records, and why each of them is there.

import { dateOf, dayOf, fill, h } from "./dom.js";
import { Grid } from "./grid.js";
import { count, words } from "./labels.js";
import { FundLines, MARGIN } from "./lines.js";
import { EventLog } from "./log.js";
import { StatePanel } from "./state.js";
import { follow } from "./stream.js";
import { whyPanel } from "./why.js";

const PACES = [[7, "a week a second"], [30, "a month a second"], [91, "a quarter a second"], [365, "a year a second"], [1461, "four years a second"]];
const TABLE_EVERY = 100;
const THUMB = 8; // half the width of the slider's handle, which stands on the day itself

export async function playTab(place, run, again, query) {
  const log = new EventLog();
  let start = run.start_date ?? null, last = run.days ?? 1, day = 0;
  let playing = false, following = true, finished = run.status === "finished";
  const date = (number) => (start ? dateOf(start, number) : "");
  const lines = new FundLines(date), state = new StatePanel(run.id);
  Object.assign(lines, { whole: finished, last });
  state.live = !finished;

  // what there is on the page
  const byHand = (to) => { following = false; stop(); go(Math.max(0, Math.min(last, to))); };
  const slider = h("input", {
    type: "range", min: "0", max: "1", value: "0", step: "1", "aria-label": "Day", oninput: () => byHand(Number(slider.value)),
    style: `margin-left:${MARGIN.l - THUMB}px;width:calc(100% - ${MARGIN.l + MARGIN.r - 2 * THUMB}px)`,
  });
  const shown = h("output");
  const button = h("button.main", { onclick: () => (playing ? stop() : play()), style: "min-width:5.5rem" }, "▶ Play");
  const pace = h("select", { "aria-label": "Pace" }, PACES.map(([days, name]) => h("option", { value: days, selected: days === 91 }, name)));
  const step = (days, name) => h("button", { "aria-label": name, title: name, onclick: () => byHand(day + days) }, days < 0 ? "‹" : "›");
  const progress = h("progress", { max: 1, value: run.progress, "aria-label": "Progress" });
  const told = h("span.soft");
  const live = h("div.row", { hidden: finished }, h("strong", "Live"), progress, told);
  const search = h("input.grow", { type: "search", placeholder: "words in kind or payload, e.g. loan.exited green", "aria-label": "Filter records", oninput: () => refilter("typed") });
  const kinds = h("select", { "aria-label": "Kind", onchange: () => refilter("typed") }, h("option", { value: "" }, "every kind"));
  const upto = h("input", { type: "checkbox", checked: true, onchange: () => refilter("now") });
  const found = h("span.soft", { role: "status" });
  const why = whyPanel(run.id, date, (seq) => select(seq));
  const narrow = matchMedia("(max-width: 60rem)");
  const grid = new Grid(log, date, async (seq) => {
    await why.show(seq);
    if (narrow.matches) why.element.scrollIntoView({ block: "nearest" }); // it stands below the table there
  });

  fill(place, h("div.split",
    h("div",
      live, lines.element,
      h("div.row", { style: "margin-top:.5rem" }, button, step(-1, "A day back"), step(1, "A day on"), pace, h("span.grow"), shown), slider,
      h("h2", "Records"),
      h("div.row", { style: "margin-bottom:.4rem" }, search, kinds, h("label.line", upto, "up to the day"), found), grid.element),
    h("div.side", state.element, why.element)));

  // the clock
  function go(to) {
    day = to;
    slider.value = String(to);
    slider.setAttribute("aria-valuetext", date(to));
    shown.textContent = date(to);
    lines.at(to);
    if (start && log.length) state.at(date(to));
    refilter("soon");
  }

  function until(end) {
    last = lines.last = end;
    slider.max = String(end);
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
  function refilter(when) {
    clearTimeout(timer);
    const wait = filtered + TABLE_EVERY - performance.now();
    if (when === "soon" && wait > 0) {
      timer = setTimeout(() => refilter("now"), wait);
      return;
    }
    const began = performance.now();
    const seqs = log.filter({ text: search.value, kind: kinds.value, last: upto.checked ? log.until(day) : log.length });
    grid.show(seqs, (playing || following) && upto.checked);
    if (when === "typed") grid.element.scrollTop = 0;
    found.textContent = `${count(seqs.length)} of ${count(log.length)}`;
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

  /** The record that the address asks for, if the log has it. */
  function asked() {
    const seq = Number(query?.get("seq"));
    return Number.isInteger(seq) && seq >= 1 && seq <= log.length ? seq : null;
  }

  // the stream: all records of a finished run, and of one that is being played as they come
  const leave = follow(run.id, {
    async progress({ data, day: reached }) {
      progress.value = data.progress / 100;
      told.textContent = `${words(data.module)}: ${data.message}, ${data.progress.toFixed(0)} %, ${reached === null ? "" : date(reached)}`;
      if (data.message !== run.status) run = await again();
    },
    events({ data: { records } }) {
      if (records[0]?.kind === "run.started/1") {
        start = records[0].payload.start_date;
        until(dayOf(start, records[0].payload.end_date));
      }
      records.forEach((record) => lines.take(record));
      log.append(records);
      if (finished) return;
      lines.later();
      refreshKinds();
      if (following) go(log.day);
      else refilter("soon");
    },
    async done({ data }) {
      place.dataset.records = String(log.length);
      refreshKinds();
      if (data.status !== run.status) run = await again();
      if (data.status === "finished") {
        finished = lines.whole = live.hidden = true;
        state.live = false;
        until(log.day);
        await lines.fromFigures(run.id);
      }
      await lines.draw();
      const seq = asked();
      if (following) go(seq ? log.record(seq).day : log.day);
      if (seq) {
        select(seq);
        grid.element.scrollIntoView({ block: "center" });
      }
    },
    error({ data }) {
      told.textContent = data.message;
      live.hidden = false;
    },
    lost() {
      told.textContent = "the connection was lost; trying again";
    },
  });

  return () => {
    leave();
    stop();
    lines.leave();
    clearTimeout(timer);
  };
}
