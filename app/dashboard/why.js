// Why a record is there: its causes up to the root, what it led to, the lots that paid for it.

import { get, of } from "./api.js";
import { fields, fill, h, problemBox } from "./dom.js";
import { count } from "./labels.js";

const MANY = 40;

export function whyPanel(name, date, onselect) {
  const body = h("div", h("p.soft", "Choose a record to see what led to it and what it led to."));
  let asked = 0;

  function line(record, here) {
    return h("li", { class: here ? "here" : null },
      h("button", { onclick: () => onselect(record.seq), "aria-current": here ? "true" : null }, `${count(record.seq)} ${record.kind}`),
      h("span.soft", ` ${date(record.day)}`));
  }

  function tree(effects) {
    if (!effects.length) return null;
    return h("ul.chain", effects.slice(0, MANY).map((effect) => {
      const item = line(effect, false);
      const inner = tree(effect.effects);
      if (inner) item.append(inner);
      return item;
    }), effects.length > MANY && h("li.soft", `and ${count(effects.length - MANY)} more`));
  }

  return {
    element: h("section.card", { "aria-label": "Why", "aria-live": "polite" }, h("h3", "Why"), body),
    async show(seq) {
      const mine = (asked += 1);
      try {
        const found = await get(of(name, `events/${seq}/why`));
        if (mine !== asked) return;
        body.dataset.seq = String(seq);
        fill(body,
          h("ul.chain", found.causes.map((record) => line(record, false)), line(found.record, true)),
          h("dl.facts", fields(found.record.payload, date).map(([name, value]) => [h("dt", name), h("dd.long", value)])),
          h("details", h("summary", "As it is in the log"), h("pre", { tabindex: "0" }, JSON.stringify(found.record, null, 1))),
          found.lots.length > 0 && [h("h3", "Paid for by"), h("ul.chain", found.lots.slice(0, MANY).map((record) => line(record, false)), found.lots.length > MANY && h("li.soft", `and ${count(found.lots.length - MANY)} more`))],
          h("h3", "Led to"), tree(found.effects) ?? h("p.soft", "nothing further"));
      } catch (error) {
        if (mine === asked) fill(body, problemBox(error));
      }
    },
  };
}
