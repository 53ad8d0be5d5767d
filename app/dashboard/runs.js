// The list of runs.

import { get, of, post, remove } from "./api.js";
import { badge, fill, h, notice, problemBox, table } from "./dom.js";
import { count } from "./labels.js";

const SIZE = 50;
const OPEN = ["queued", "running", "cancelling"];

export async function runsPage(place) {
  const chosen = new Set();
  const list = h("div");
  const compare = h("button", { onclick: () => (location.hash = `#/compare?a=${[...chosen].map(encodeURIComponent).join("&b=")}`) }, "Compare the two");
  let pages = 1, timer = null, over = false, round = 0;

  fill(place,
    h("div.row", h("h1.grow", "Runs"), compare, h("a.button", { href: "#/new" }, "New run")),
    h("p.soft", "Newest first. Choose two to hold them against each other."), list);

  async function refresh() {
    const mine = (round += 1);
    clearTimeout(timer);
    const rows = [];
    let next = `simulations?limit=${SIZE}`;
    try {
      for (let page = 0; page < pages && next; page += 1) {
        const found = await get(next);
        rows.push(...found.simulations);
        next = found.next;
      }
      if (!over && mine === round) draw(rows, next);
    } catch (error) {
      if (!over && mine === round) fill(list, problemBox(error));
    }
    if (!over && mine === round) timer = setTimeout(refresh, rows.some((row) => OPEN.includes(row.status)) ? 700 : 4000);
  }

  function draw(rows, next) {
    compare.disabled = chosen.size !== 2;
    const focused = document.activeElement?.dataset?.key;
    if (!rows.length) {
      fill(list, h("div.empty", h("p", "Fundclock plays a private loan fund day by day and shows what timing does to it. Nothing has been played into this store yet."), h("a.button.main", { href: "#/new" }, "Play a first run")));
      return;
    }
    fill(list, table(["Run", "Status", "Scenario", "Seed", "Records", "Fork of", ""], rows.map(cells), "Runs"),
      next && h("p", h("button", { onclick: () => { pages += 1; clearTimeout(timer); refresh(); } }, "Older runs")));
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function cells(row) {
    const mark = h("input", {
      type: "checkbox", checked: chosen.has(row.id), "data-key": `mark ${row.id}`, "aria-label": `Choose ${row.id}`,
      onchange: () => {
        if (mark.checked) chosen.add(row.id);
        else chosen.delete(row.id);
        compare.disabled = chosen.size !== 2;
      },
    });
    const open = OPEN.includes(row.status);
    return [
      h("label.line", mark, h("a", { href: `#/run/${encodeURIComponent(row.id)}`, "data-key": `run ${row.id}` }, row.id)),
      open && row.status !== "queued"
        ? h("span", badge(row.status), " ", h("progress", { max: 1, value: row.progress, "aria-label": `Progress of ${row.id}` }))
        : badge(row.status),
      row.scenario, String(row.seed), count(row.records), row.parent ?? "",
      open ? act("Cancel", () => remove(of(row.id)), row) : ["interrupted", "cancelled"].includes(row.status) ? act("Resume", () => post(of(row.id, "resume")), row) : "",
    ];
  }

  function act(name, what, row) {
    return h("button", {
      "data-key": `${name} ${row.id}`, "aria-label": `${name} ${row.id}`,
      onclick: async () => {
        try {
          await what();
        } catch (error) {
          notice(error.message);
        }
        clearTimeout(timer);
        refresh();
      },
    }, name);
  }

  refresh();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
