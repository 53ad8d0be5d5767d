// Figures: drawn by Plotly from what the service made, each with a table of its numbers.

import { get, of } from "./api.js";
import { fill, h, money, problemBox, table } from "./dom.js";

let plotly = null;

/** Plotly's script, loaded when the first figure needs it. */
export function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "/assets/plotly.js" });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("Plotly's script could not be loaded")));
    document.head.append(script);
  });
  return plotly;
}

export const CONFIG = { displaylogo: false, displayModeBar: false };
const MAX_ROWS = 400;

function shown(value) {
  if (value === null) return "–";
  if (typeof value === "string" && /^-?\d+\.\d\d$/.test(value)) return money(value);
  if (typeof value !== "number") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toLocaleString("en", Math.abs(value) < 10 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 2, minimumFractionDigits: 2 });
}

/** The numbers of a figure, the first of them where there are many. */
export function rowsOf(heads, rows, title) {
  return h("div", table(heads, rows.slice(0, MAX_ROWS).map((row) => row.map(shown)), title),
    rows.length > MAX_ROWS && h("p.soft", `The first ${MAX_ROWS} of ${rows.length.toLocaleString("en")} rows.`));
}

/** Draw when the place has its width, and again when that changes. */
function whenSeen(chart, draw) {
  let again = null;
  const watch = new ResizeObserver(async () => {
    if (!chart.clientWidth) return;
    if (again) again();
    else {
      again = () => {};
      try {
        again = await draw();
      } catch (error) {
        fill(chart, problemBox(error));
      }
    }
  });
  watch.observe(chart);
}

/** A figure as the service gives it: the drawing, and its numbers under it. ``onrecords`` gets the seqs of a clicked point. */
export function drawn(found, onrecords) {
  const { data, figure, numbers } = found;
  const chart = h("div.chart", { role: "img", "aria-label": `${data.title}; its numbers are in the table below` });
  const details = h("details", {
    ontoggle: () => {
      if (!details.open || details.childElementCount > 1) return;
      details.append(rowsOf(numbers.heads, numbers.rows, data.title));
    },
  }, h("summary", `${data.title}: the numbers`));
  if (data.schema === "fundclock.table/1" && data.name !== "cash_sankey" && numbers.rows.length) {
    return h("figure", { "data-figure": data.name }, h("h3", data.title), rowsOf(numbers.heads, numbers.rows, data.title));
  }
  if (!numbers.rows.length) return h("figure", { "data-figure": data.name }, h("p.soft", `${data.title}: nothing in this run.`));
  whenSeen(chart, async () => {
    const Plotly = await loadPlotly();
    figure.layout.font.color = getComputedStyle(document.documentElement).getPropertyValue("--soft");
    const made = await Plotly.newPlot(chart, figure.data, figure.layout, CONFIG);
    if (onrecords) made.on("plotly_click", (event) => onrecords(event.points.flatMap((point) => point.customdata ?? [])));
    return () => Plotly.Plots.resize(chart);
  });
  return h("figure", { "data-figure": data.name }, chart, details);
}

/** A run's figure by name, in a place of its own. */
export async function figureOf(name, figure, onrecords, signal) {
  return drawn(await get(of(name, `visualizations/${figure}`), signal), onrecords);
}
