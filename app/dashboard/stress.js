// Stress: what shocks would do to the covenant tests of a day, and how far things could go.

import { get, of } from "./api.js";
import { drawn } from "./charts.js";
import { fill, h, problemBox, table } from "./dom.js";
import { brief, count, label, number, percent } from "./labels.js";

export async function stressTab(place, run) {
  if (run.status !== "finished" || !(await get(of(run.id, "visualizations"))).figures.includes("stress_results")) {
    fill(place, h("p.soft", run.status === "finished" ? "This fund has no NAV line that was tested at a quarter's end: there is nothing to stress. Try the scenario levered." : "The run is not finished yet."));
    return null;
  }
  const said = h("div", { "aria-live": "polite" });
  const day = h("input", { type: "date", min: run.start_date, max: run.end_date });
  const search = h("input", { type: "checkbox" });
  const button = h("button.main", "Stress it");

  async function ask(event) {
    event?.preventDefault();
    button.disabled = true;
    fill(said, h("p.soft", search.checked ? "Searching for the limits, with some twenty runs…" : "…"));
    try {
      const words_ = new URLSearchParams({ ...(day.value && { at: day.value }), ...(search.checked && { headroom: "true" }) });
      const [found, figure] = await Promise.all([
        get(of(run.id, `stress?${words_}`)),
        day.value ? null : get(of(run.id, "visualizations/stress_results")),
      ]);
      fill(said, h("p", `By the test of ${found.date}.`), figure && drawn(figure), found.headroom && headroom(found.headroom), results(found.stress_test_results), smallest(found));
    } catch (error) {
      fill(said, problemBox(error));
    }
    button.disabled = false;
  }

  fill(place, h("form.row", { onsubmit: ask }, h("label", "Day (else the quarter's end with the most debt)", day), h("label.line", search, "and how far it can go"), button), said);
  await ask();
  return null;
}

function results(found) {
  const tests = Object.keys(Object.values(found)[0]?.details.tests ?? {});
  const rows = Object.entries(found).map(([name, { is_compliant: holds, details }]) => [
    label(name, "shock"), shock(details.shock),
    ...tests.map((test) => outcome(details.tests[test])),
    percent(details.leverage_ratio, 1), holds ? h("span.good", "holds") : h("span.bad", `fails ${details.failed.map((test) => label(test)).join(", ")}`),
  ]);
  return [h("h3", "Tests after each shock"), table(["Shock", "", ...tests.map((test) => label(test)), "Leverage", ""], rows, "Stress")];
}

function shock({ rate, nav, liquidity }) {
  const parts = [rate && `rates +${percent(rate)}`, nav && `loan values −${percent(nav)}`, liquidity && `cash and collections −${percent(liquidity)}`];
  return parts.filter(Boolean).join(", ") || "as it was";
}

function outcome(test) {
  if (!test) return "–";
  const text = `${number(test.value, "ratio")} of ${number(test.limit, "ratio")}`;
  return h(test.passed ? "span" : "span.bad", text, h("br"), h("span.soft", `headroom ${brief(test.headroom)}`));
}

function smallest(found) {
  const rows = Object.entries(found.smallest_shock).map(([name, { size, binding_test: test }]) => [
    label(name, "shock"), size === null ? "none does" : size === 0 ? "one fails already" : name === "combined" ? `${number(size, "multiple")} × the shocks` : percent(size), test ? label(test) : "–",
  ]);
  return [h("h3", "The smallest shock that breaks a test"), table(["Shock", "Size", "Test that breaks first"], rows, "Smallest shocks")];
}

function headroom(limits) {
  return [h("h3", "How far it can go"), table(["Limit", "Holds up to", "Fails at", "Unit", "First breach", "Runs"], limits.map((limit) => [
    label(limit.name, "limit"), limit.holds === null ? "–" : String(limit.holds), limit.fails === null ? "none found" : String(limit.fails), limit.unit,
    limit.breach ? `${label(limit.breach.facility)}, ${label(limit.breach.test ?? limit.breach.kind)}, on ${limit.breach.date}` : "–", count(limit.runs),
  ]), "Headroom")];
}
