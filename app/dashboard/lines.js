// The fund's lines over its life, with what is to come veiled: net asset value, cash, debt.

import { get, of } from "./api.js";
import { CONFIG, loadPlotly, rowsOf } from "./charts.js";
import { fill, h } from "./dom.js";
import { label, money } from "./labels.js";

export const MARGIN = { l: 62, r: 12, t: 32, b: 28 };
const COLOURS = { nav: "#0072b2", cash: "#e69f00", debt: "#d55e00" };
const NAMES = { nav: "net asset value", cash: "cash and reserve", debt: "debt" };
const AGAIN = 250; // milliseconds between two drawings of lines that grow

export class FundLines {
  /** ``date`` gives a day's date. */
  constructor(date) {
    Object.assign(this, { date, unit: "", last: 1, day: 0, whole: false, drawings: 0, timer: null });
    this.lines = { nav: [[], []], cash: [[], []], debt: [[], []] };
    this.chart = h("div.chart.fund", { role: "img", "aria-label": "Net asset value, cash and debt; the numbers are in the table below" });
    this.veil = h("div.veil", { style: `top:${MARGIN.t}px;bottom:${MARGIN.b}px;right:${MARGIN.r}px` });
    this.numbers = h("details", { ontoggle: () => this.numbers.open && this.list() }, h("summary", "Net asset value, cash and debt: the numbers"), h("div"));
    this.element = h("div", h("div", { style: "position:relative" }, this.chart, this.veil), this.numbers);
    this.watch = new ResizeObserver(async () => {
      if (this.chart.data) (await loadPlotly()).Plots.resize(this.chart);
      this.moveVeil();
    });
    this.watch.observe(this.chart);
  }

  /** Take what a record says of the lines; net asset value and cash of a finished run come from its figures. */
  take({ kind, day, payload }) {
    if (kind === "nav.reported/1" && !this.whole) {
      this.put("nav", day, payload.nav_cents);
      this.put("cash", day, payload.cash_cents + payload.reserve_cents);
    } else if (kind === "leverage.measured/1") this.put("debt", day, payload.debt_cents);
  }

  put(line, day, cents) {
    this.lines[line][0].push(this.date(day));
    this.lines[line][1].push(cents / 100);
  }

  /** Net asset value, and cash of each day, of a finished run. */
  async fromFigures(name) {
    const [nav, cash] = await Promise.all(["nav", "cash"].map((figure) => get(of(name, `visualizations/${figure}`))));
    const [worth] = nav.data.series, [free, kept] = cash.data.series;
    this.unit = worth.unit;
    this.lines.nav = [worth.x, worth.y];
    this.lines.cash = [free.x, free.y.map((value, at) => value + kept.y[at])];
  }

  /** Draw soon: lines that grow are not drawn with each record. */
  later() {
    this.timer ??= setTimeout(() => { this.timer = null; this.draw(); }, this.drawings ? AGAIN : 0);
  }

  async draw() {
    const Plotly = await loadPlotly();
    this.drawings += 1;
    const traces = Object.entries(this.lines).filter(([, [x]]) => x.length).map(([line, [x, y]]) => ({
      x, y, name: label(NAMES[line]), mode: this.whole ? "lines" : "lines+markers", marker: { size: 5 }, line: { color: COLOURS[line], width: 2, shape: "hv" },
    }));
    const axis = { gridcolor: "rgba(128,136,144,0.25)", zerolinecolor: "rgba(128,136,144,0.25)", fixedrange: true };
    await Plotly.react(this.chart, traces, {
      margin: MARGIN, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: getComputedStyle(document.documentElement).getPropertyValue("--soft"), family: "system-ui, sans-serif", size: 12 },
      xaxis: { ...axis, type: "date", range: [this.date(0), this.date(this.last)] },
      yaxis: { ...axis, exponentformat: "B", title: { text: this.unit }, rangemode: "tozero" },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "x unified", showlegend: true,
      datarevision: this.drawings, // they grow in place
    }, CONFIG);
    this.moveVeil();
    if (this.numbers.open) this.list();
  }

  list() {
    const days = [...new Set(Object.values(this.lines).flatMap(([x]) => x))].sort();
    const at = Object.values(this.lines).map(([x, y]) => new Map(x.map((one, place) => [one, y[place]])));
    const rows = days.map((one) => [one, ...at.map((line) => (line.has(one) ? money(line.get(one)) : ""))]);
    fill(this.numbers.lastElementChild, rowsOf(["Date", ...Object.values(NAMES).map((name) => label(name))], rows, "Net asset value, cash and debt"));
  }

  /** The day that is looked at: what comes after it is veiled. */
  at(day) {
    this.day = day;
    this.moveVeil();
  }

  moveVeil() {
    const width = this.chart.clientWidth - MARGIN.l - MARGIN.r;
    this.veil.style.left = `${MARGIN.l + width * Math.min(1, this.day / this.last)}px`;
  }

  leave() {
    this.watch.disconnect();
    clearTimeout(this.timer);
  }
}
