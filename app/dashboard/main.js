// The pages, by the address after "#".

import { get } from "./api.js";
import { fill, h, problemBox } from "./dom.js";
import { learn } from "./labels.js";
import { comparePage } from "./compare.js";
import { newPage } from "./new.js";
import { runPage } from "./run.js";
import { runsPage } from "./runs.js";
import { sweepsPage } from "./sweeps.js";

const main = document.getElementById("main");
let leave = null;
let turn = 0;

/** Each page fills the place that it is given, and may return what to do when it is left. */
const PAGES = [
  [/^$/, runsPage],
  [/^new$/, newPage],
  [/^compare$/, comparePage],
  [/^sweeps(?:\/([^/]+))?$/, sweepsPage],
  [/^run\/([^/]+)(?:\/(\w+))?$/, runPage],
];

async function show() {
  const mine = (turn += 1);
  leave?.();
  leave = null;
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  for (const link of document.querySelectorAll(".top nav a")) {
    const own = link.getAttribute("href").slice(2);
    if (own === "" ? path === "" || path.startsWith("run/") : path.startsWith(own)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = "Fundclock";
  const place = h("div", h("p.soft", "Loading…"));
  fill(main, place);
  for (const [pattern, page] of PAGES) {
    const match = path.match(pattern);
    if (!match) continue;
    try {
      const words = match.slice(1).map((word) => word && decodeURIComponent(word));
      const left = await page(place, ...words, new URLSearchParams(query));
      if (mine === turn) leave = left;
      else left?.();
    } catch (error) {
      fill(place, problemBox(error));
      if (!error.status && !(error instanceof URIError)) throw error;
    }
    return;
  }
  fill(place, h("p", "There is no such page. ", h("a", { href: "#/" }, "To the runs")));
}

try {
  learn(await get("labels"));
  window.addEventListener("hashchange", show);
  show();
} catch (error) {
  fill(main, problemBox(error));
}
