// Two runs against each other: figures, money, time, settings, records.

import { get, of } from "./api.js";
import { drawn, figureOf } from "./charts.js";
import { fill, h, problemBox, table } from "./dom.js";
import { change, count, label, metric } from "./labels.js";
import { acts } from "./run.js";

export async function comparePage(place, query) {
  const { simulations } = await get("simulations?limit=200");
  const names = simulations.filter((row) => row.records).map((row) => row.id);
  const select = (chosen, text) => h("select", { "aria-label": text }, [...new Set([...(chosen ? [chosen] : []), ...names])].map((name) => h("option", { value: name, selected: name === chosen }, name)));
  const first = select(query.get("a") ?? names[1], "First run"), second = select(query.get("b") ?? names[0], "Second run");
  const said = h("div");
  fill(place, h("h1", "Compare"), h("form.row", {
    onsubmit: (event) => {
      event.preventDefault();
      const address = `#/compare?a=${encodeURIComponent(first.value)}&b=${encodeURIComponent(second.value)}`;
      if (location.hash === address) ask();
      else location.hash = address;
    },
  }, h("label", "First run", first), h("label", "Second run", second), h("button.main", { disabled: names.length === 0 }, "Compare")), said);

  async function ask() {
    fill(said, h("p.soft", "Holding them against each other…"));
    try {
      const [a, b] = [first.value, second.value];
      draw(await get(`comparisons?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`), a, b);
    } catch (error) {
      fill(said, problemBox(error));
    }
  }

  function draw(found, a, b) {
    const rows = Object.entries(found.metrics).filter(([, [one, other]]) => one !== null && other !== null && typeof one !== "object");
    const link = (run, record) => record ? h("a", { href: `#/run/${encodeURIComponent(run)}/play?seq=${record.seq}` }, `${count(record.seq)} ${record.kind}, ${record.date}`) : "–";
    const waterfalls = h("div.pair");
    const button = h("button", {
      onclick: async () => {
        button.disabled = true;
        button.textContent = "Playing both without each of their waits…";
        try {
          const figures = await Promise.all([a, b].map((run) => figureOf(run, "timing_waterfall")));
          fill(waterfalls, figures.map((figure, at) => h("div", h("h3", [a, b][at]), figure)));
          button.remove();
        } catch (error) {
          fill(waterfalls, problemBox(error));
        }
      },
    }, "What each wait cost, in both runs");
    fill(said,
      h("p", found.same ? "Both logs are the same, byte for byte." : "They differ.", found.first_difference && [" The first record that differs: ", link(a, found.first_difference.first), " and ", link(b, found.first_difference.second), "."]),
      found.interventions.map((some, at) => some.map(({ date, entries }) => h("p", h("strong", [a, b][at]), ` on ${date}: `, acts(entries)))),
      found.figures.net_cash_bridge ? [
        h("h2", "Where the partners' cash changed"), drawn(found.figures.net_cash_bridge),
        h("h2", "Where the waiting changed"), drawn(found.figures.dollar_days_bridge),
      ] : h("p", "They are in different currencies: there is no bridge between them."),
      h("h2", "Timing waterfalls"), button, waterfalls,
      h("h2", "Figures"), table(["", a, b, "Difference"], rows.map(([name, [one, other]]) => [label(name), metric(name, one), metric(name, other), change(name, one, other)]), "Figures of both"),
      found.settings.length > 0 && [h("h2", "Settings"), table(["Key", a, b], found.settings.map((row) => [row.key, ...[row.first, row.second].map((value) => JSON.stringify(value))]), "Settings that differ")],
      h("h2", "Records"), table(["Kind", "Same", "Moved", "Changed", "Only first", "Only second"], Object.entries(found.kinds).map(([kind, row]) => [kind, ...["same", "moved", "changed", "only_first", "only_second"].map((key) => count(row[key]))]), "Records by kind"));
  }

  if (query.get("a") && query.get("b")) await ask();
}
