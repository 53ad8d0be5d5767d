// One run: how it stands, and what can be looked at in it.

import { BASE, get, of, post, remove } from "./api.js";
import { auditTab } from "./audit.js";
import { badge, fill, h, notice } from "./dom.js";
import { figuresTab } from "./figures.js";
import { forkTab } from "./fork.js";
import { brief, count, label, metric, words } from "./labels.js";
import { playTab } from "./play.js";
import { stressTab } from "./stress.js";

const TABS = {
  play: ["Playback and events", playTab],
  figures: ["Figures", figuresTab],
  audit: ["Timing audit", auditTab],
  stress: ["Stress", stressTab],
  fork: ["Fork", forkTab],
};
const TILES = ["net_irr", "gross_irr", "tvpi", "dpi", "distributed", "mean_days_to_reinvest", "idle_dollar_days", "reinvested", "carry", "peak_debt", "covenant_breaches", "loans_defaulted"];
const DEBT = ["peak_debt", "covenant_breaches"];
const STOPPED = ["interrupted", "cancelled"];

const tile = (name, value) => (typeof value === "string" && Math.abs(Number(value)) >= 1e6 ? brief(value) : metric(name, value));

/** Settings with their values, in one line. */
const pairs = (settings) => Object.entries(settings).map(([key, value], at) => [at > 0 && ", ", h("code", key), ` ${typeof value === "object" ? JSON.stringify(value) : value}`]);

/** What script entries do, in one line. */
export const acts = (entries) => entries.map(({ do: act, when }, at) => [at > 0 && "; ", when && `when ${when}: `,
  act.set ? pairs(act.set) : Object.entries(act).map(([command, words_]) => [words(command), " ", typeof words_ === "object" ? Object.entries(words_ ?? {}).map(([key, value]) => `${words(key)} ${value}`).join(", ") : words_])]);

export async function runPage(place, name, tab = "play", query) {
  const head = h("div"), tabs = h("nav.tabs", { "aria-label": "Parts of the run" }), body = h("div");
  fill(place, head, tabs, body);
  let run = await get(of(name));
  document.title = `${name} · Fundclock`;

  function draw() {
    const address = `${BASE}/${of(name)}`;
    const open = ["queued", "running"].includes(run.status);
    fill(head,
      h("div.row",
        h("h1", name), badge(run.status), h("span.grow"),
        open && h("button", { onclick: cancel }, "Cancel"),
        STOPPED.includes(run.status) && h("button", { onclick: () => post(of(name, "resume")).then(() => location.reload(), (error) => notice(error.message)) }, "Resume"),
        run.parent && run.records > 0 && h("a.button", { href: `#/compare?a=${encodeURIComponent(run.parent)}&b=${encodeURIComponent(name)}` }, "Compare with its parent"),
        run.records > 0 && h("a.button", { href: `${address}/report.html`, target: "_blank", rel: "noopener" }, "Report")),
      h("p.soft", `${run.scenario}, seed ${run.seed}${open ? "" : `, ${count(run.records)} records`}`,
        run.parent && [", a fork of ", h("a", { href: `#/run/${encodeURIComponent(run.parent)}` }, run.parent), run.divergence_seq ? ` (other records from ${count(run.divergence_seq)} on)` : ""],
        !open && run.head_hash && [", head ", h("code", run.head_hash.slice(0, 16))]),
      run.changes && Object.keys(run.changes).length > 0 && h("p.soft", "Played with ", pairs(run.changes)),
      run.interventions?.map(({ date, seq, entries }) => h("p.soft", "On ", h("a", { href: `#/run/${encodeURIComponent(name)}/play?seq=${seq}` }, date), ": ", acts(entries))),
      run.problem && h("p.problem", run.problem.detail),
      run.metrics && h("dl.tiles", TILES.filter((key) => run.metrics[key] !== null && run.metrics[key] !== undefined)
        .filter((key) => !DEBT.includes(key) || Number(run.metrics.peak_debt) > 0)
        .map((key) => h("div", h("dt", label(key)), h("dd", { title: metric(key, run.metrics[key]) }, tile(key, run.metrics[key]))))),
      run.warnings?.length > 0 && h("details", h("summary", `${run.warnings.length} ${run.warnings.length === 1 ? "note" : "notes"} on these figures`), h("ul", run.warnings.map((text) => h("li", text)))));
    fill(tabs, Object.entries(TABS).map(([key, [title]]) =>
      h("a", { href: `#/run/${encodeURIComponent(name)}/${key}`, "aria-current": key === tab ? "page" : null }, title)));
  }

  async function cancel(event) {
    event.target.disabled = true;
    event.target.textContent = "Cancelling…";
    try {
      await remove(of(name));
    } catch (error) {
      notice(error.message);
    }
    await again();
  }

  async function again() {
    run = await get(of(name));
    draw();
    return run;
  }

  draw();
  fill(body, h("p.soft", "Loading…"));
  const [, show] = TABS[tab] ?? TABS.play;
  return show(body, run, again, query);
}
