// The timing audit: where dollar-days went, promises, latencies, what each wait cost.

import { get, of } from "./api.js";
import { figureOf } from "./charts.js";
import { fill, h, problemBox, table } from "./dom.js";
import { count, label, money, number, percent } from "./labels.js";

export async function auditTab(place, run) {
  if (!run.records) {
    fill(place, h("p.soft", "Nothing is recorded yet."));
    return null;
  }
  fill(place, h("p.soft", "Reading the log…"));
  const found = await get(of(run.id, "audit"));
  const ladder = h("div");
  const days = Object.entries(found.dollar_days), total = Number(found.dollar_days_total) || 1;
  const waits = Object.entries(found.waits).filter(([, row]) => row.items);
  const fates = Object.keys(Object.values(found.promises)[0] ?? {}).filter((key) => Number.isInteger(Object.values(found.promises)[0][key]));
  fill(place,
    h("h2", "Where the dollar-days went"),
    table(["Reason", "Dollar-days", "Share", "Indicative cost of waiting"], [
      ...days.map(([reason, value]) => [label(reason, "reason"), money(value), percent(Number(value) / total, 1), money(found.indicative_carry[reason])]),
      ["All cash and reserve", money(found.cash_integral), "", ""],
    ], "Dollar-days by reason"),
    waits.length > 0 && [h("h2", "Waits that are not cash"), table(["", "Items", "Mean days", "Dollar-days"], waits.map(([name, row]) => [label(name, "wait"), count(row.items), number(row.mean_days, "days"), money(row.dollar_days)]), "Waits")],
    h("h2", "What timing cost"), ladder,
    h("h2", "Promised and kept"),
    table(["Command", ...fates.map((fate) => label(fate, "fate"))], Object.entries(found.promises).map(([kind, row]) => [kind, ...fates.map((key) => count(row[key]))]), "Promises"),
    found.latencies.events.length > 0 && [h("h2", "When did we know?"), table(["Condition", "About", "True since", "Seen", "Over", "Days to see", "Days to cure"],
      found.latencies.events.map((row) => [label(row.condition, "condition"), label(row.about), ...["true_since", "seen", "over", "days_to_see", "days_to_cure"].map((key) => row[key] ?? "–")]), "Latencies")]);
  if (run.status !== "finished") {
    fill(ladder, h("p.soft", "The run is not finished, so that it can't be held against whole ones."));
    return null;
  }
  const button = h("button", { onclick: compute }, "Play the fund without each of its waits");
  fill(ladder, h("p.soft", "Some ten runs under the same draws; it takes seconds for a fund of this size, longer for large ones."), button);

  async function compute() {
    button.disabled = true;
    button.textContent = "Playing…";
    try {
      const steps = await get(of(run.id, "audit?ladder=true"));
      const figure = await figureOf(run.id, "timing_waterfall");
      fill(ladder, figure, table(["Rung", "LP net cash", "Step", "Net IRR", ""], steps.steps.map((row) => [
        label(row.name, "rung"), money(row.net_cash), row.delta_net_cash === null ? "" : money(row.delta_net_cash), percent(row.net_irr, 4), row.reason ?? "",
      ]), "Ladder"), h("p.soft", `Each rung stands on those before it; residual ${steps.residual}.`, flat(steps.steps) && " The net IRR is the same on every rung: the partners are at the hurdle, and what is earned above it goes to the general partner until it has caught up."));
    } catch (error) {
      fill(ladder, problemBox(error));
    }
  }
  return null;
}

/** Whether the rungs differ in cash and not in the rate. */
function flat(steps) {
  const rates = steps.map((row) => row.net_irr);
  return Math.max(...rates) - Math.min(...rates) < 1e-6 && new Set(steps.map((row) => row.net_cash)).size > 1;
}
