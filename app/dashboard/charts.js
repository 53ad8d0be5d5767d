// Figures: drawn by Plotly from what the service made, each with a table of its numbers.

import { get, of } from "./api.js";
import { fill, h, problemBox, table } from "./dom.js";
import { count, label, number } from "./labels.js";

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

/** Rows of numbers for people: each by the unit of its column, names by their label. */
function written(data, rows) {
  const columns = data.columns ?? [{ unit: "date", names: data.x_names }, ...data.series];
  return rows.map((row) => row.map((value, at) => (columns[at].names ? label(value, columns[at].names) : number(value, columns[at].unit))));
}

/** The numbers of a figure, the first of them where there are many. */
export function rowsOf(heads, rows, title) {
  return h("div", table(heads, rows.slice(0, MAX_ROWS), title),
    rows.length > MAX_ROWS && h("p.soft", `The first ${MAX_ROWS} of ${count(rows.length)} rows.`));
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
  const { data, figure, numbers: { heads, rows } } = found;
  const numbers = () => rowsOf(heads, written(data, rows), data.title);
  const chart = h("div.chart", { role: "img", "aria-label": `${data.title}; its numbers are in the table below` });
  const details = h("details", {
    ontoggle: () => {
      if (!details.open || details.childElementCount > 1) return;
      details.append(numbers());
    },
  }, h("summary", `${data.title}: the numbers`));
  if (!rows.length) return h("figure", { "data-figure": data.name }, h("p.soft", `${data.title}: nothing in this run.`));
  if (data.form === "table") return h("figure", { "data-figure": data.name }, h("h3", data.title), numbers());
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
