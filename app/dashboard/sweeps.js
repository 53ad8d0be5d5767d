// Sweeps: a scenario under many settings and seeds, and the fan of what came of it.

import { get, post, remove } from "./api.js";
import { drawn } from "./charts.js";
import { badge, fill, h, notice, problemBox, table } from "./dom.js";
import { count, label, metric } from "./labels.js";
import { scenarioFields } from "./new.js";

const SHOWN = ["net_irr", "tvpi", "mean_days_to_reinvest", "idle_dollar_days", "covenant_breaches"];

export async function sweepsPage(place, name, _query) {
  return name ? onePage(place, name) : listPage(place);
}

async function listPage(place) {
  const fields = await scenarioFields({ seeds: true });
  const { sweeps } = await get("sweeps");
  const said = h("div");
  const axis = h("input", { size: "34", value: "reinvestment_engine.reinvestment_delay", "aria-label": "Setting" });
  const values = h("input", { size: "16", value: "0, 1, 3", "aria-label": "Values" });
  const seeds = h("input", { size: "10", value: "1:20", required: true, "aria-label": "Seeds" });
  fill(place, h("h1", "Sweeps"), sweeps.length > 0 && table(["Sweep", "Status", "Scenario", "Axes"], sweeps.map((row) => [
    h("a", { href: `#/sweeps/${encodeURIComponent(row.id)}` }, row.id), badge(row.status), row.scenario, Object.keys(row.axes).join(", "),
  ]), "Sweeps"), h("h2", "A new sweep"), h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const asked = fields.read();
      const sweep = { ...(axis.value.trim() && { [axis.value.trim()]: values.value }), seed: seeds.value };
      try {
        location.hash = `#/sweeps/${encodeURIComponent((await post("sweeps", { ...asked, sweep })).id)}`;
      } catch (error) {
        fill(said, problemBox(error));
      }
    },
  }, fields.element, h("fieldset", h("legend", "Under every combination of"), h("div.row", h("label", "Setting", axis), h("label", "Values", values), h("label", "Seeds, like 1:20 or 1, 2, 5", seeds))),
  h("p", h("button.main", "Sweep")), said));
}

async function onePage(place, name) {
  let timer = null, over = false;
  const path = `sweeps/${encodeURIComponent(name)}`;

  async function refresh() {
    clearTimeout(timer);
    let found;
    try {
      found = await get(path);
    } catch (error) {
      if (error.status) fill(place, problemBox(error));
      else if (!over) timer = setTimeout(refresh, 2000); // the service is away; it may come back
      return;
    }
    if (over) return;
    const open = ["queued", "running", "cancelling"].includes(found.status);
    fill(place, h("div.row", h("h1", name), badge(found.status), open && h("progress", { max: 1, value: found.progress, "aria-label": "Progress" }),
      open && h("button", { onclick: () => remove(path).catch((error) => notice(error.message)) }, "Cancel"),
      ["interrupted", "cancelled"].includes(found.status) && h("button", { onclick: () => post(`${path}/resume`).then(refresh) }, "Resume")),
    h("p.soft", `${found.scenario}: ${Object.entries(found.axes).map(([key, list]) => `${key} with ${count(list.length)} values`).join(", ")}`),
    found.problem && h("p.problem", found.problem.detail),
    found.figures && [drawn(found.figures.sweep_fan), h("h2", "By settings"), summary(found), h("h2", "Runs"), rows(found)]);
    if (open) timer = setTimeout(refresh, 500);
  }

  await refresh();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function summary(found) {
  const cells = found.summary.map((entry) => [Object.entries(entry.settings).map(([key, value]) => `${key} ${value}`).join(", ") || found.scenario,
    ...SHOWN.map((key) => metric(key, entry.figures[key]?.mean))]);
  return table(["Mean over draws", ...SHOWN.map(label)], cells, "Means by settings");
}

function rows(found) {
  const axes = Object.keys(found.axes).filter((key) => key !== "seed" && key !== "replication");
  const cells = found.rows.slice(0, 200).map((row) => [count(row.cell), ...axes.map((key) => String(row[key])), String(row.seed), ...SHOWN.map((key) => metric(key, row[key]))]);
  return [table(["Cell", ...axes, "Seed", ...SHOWN.map(label)], cells, "Runs"), found.rows.length > 200 && h("p.soft", `The first 200 of ${count(found.rows.length)} runs.`)];
}
