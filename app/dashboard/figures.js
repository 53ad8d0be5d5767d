// All figures of a run, made when they come into view.

import { get, of } from "./api.js";
import { figureOf } from "./charts.js";
import { fill, h, problemBox } from "./dom.js";
import { figureSections } from "./labels.js";

const AT_ONCE = 2; // so that whatever else is asked for finds a connection

export async function figuresTab(place, run) {
  if (!run.records) {
    fill(place, h("p.soft", "Nothing is recorded yet."));
    return null;
  }
  const { figures } = await get(of(run.id, "visualizations"));
  const sections = figureSections().map(({ title, names }) => [title, names.filter((name) => figures.includes(name))]).filter(([, names]) => names.length);
  const open = (seqs) => {
    if (seqs.length) location.hash = `#/run/${encodeURIComponent(run.id)}/play?seq=${seqs[0]}`;
  };
  const leaving = new AbortController();
  const wanted = [];
  let asking = 0;

  function next() {
    while (asking < AT_ONCE && wanted.length) {
      const target = wanted.shift();
      asking += 1;
      figureOf(run.id, target.dataset.name, open, leaving.signal).then((figure) => fill(target, figure))
        .catch((error) => error.name === "AbortError" || fill(target, problemBox(error)))
        .finally(() => { asking -= 1; next(); });
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      wanted.push(target);
    }
    next();
  }, { rootMargin: "400px" });
  fill(place, h("p.soft", "A click on a point leads to the record behind it."), sections.map(([title, names]) => h("section", h("h2", title),
    h("div.pair", names.map((name) => {
      const slot = h("div", { "data-name": name, style: "min-height:14rem" }, h("p.soft", "…"));
      seen.observe(slot);
      return slot;
    })))));
  return () => {
    seen.disconnect();
    wanted.length = 0;
    leaving.abort();
  };
}
