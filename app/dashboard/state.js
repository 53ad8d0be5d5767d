// The state in the evening of a day: one question at a time, and what is shown of another day is dimmed.

import { get, of } from "./api.js";
import { fill, h, problemBox } from "./dom.js";
import { count, label, money } from "./labels.js";

const PAUSE = 150, PAUSE_LIVE = 1000;

export class StatePanel {
  constructor(name) {
    Object.assign(this, { name, live: false, wanted: null, asking: false, shown: null, date: null });
    this.body = h("div", h("p.soft", "…"));
    this.element = h("section.card", { "aria-label": "State of the day" }, h("h3", "In the evening of the day"), this.body);
  }

  /** Show the state of a date, as soon as the one before has come. */
  async at(date) {
    this.date = this.wanted = date;
    this.dim();
    if (this.asking) return;
    this.asking = true;
    while (this.wanted !== null) {
      const date_ = this.wanted;
      this.wanted = null;
      try {
        this.draw(await get(of(this.name, `state?as_of=${date_}`)));
      } catch (error) {
        fill(this.body, problemBox(error));
      }
      await new Promise((resolve) => setTimeout(resolve, this.live ? PAUSE_LIVE : PAUSE));
    }
    this.asking = false;
  }

  dim() {
    this.body.classList.toggle("stale", this.shown !== this.date);
  }

  draw(now) {
    this.shown = now.date;
    this.dim();
    const rows = [["Date", now.date], ["Net asset value", money(now.nav)], ["Cash", money(now.cash)], ["Reserve", money(now.reserve)],
      ["Loans made", count(now.loans.originated)], ["Performing", count(now.loans.performing)], ["In recovery", count(now.loans.in_recovery)],
      ["Promises to come", count(now.pending_commands)]];
    for (const [name, line] of Object.entries(now.facilities)) {
      rows.push([h("span.head", label(name)), h("span.head", label(line.status))], ["Balance", money(line.balance)], ["Commitment", money(line.commitment)], ["Undrawn", money(line.undrawn)]);
      if (line.breaches.length) rows.push(["In breach", h("span.bad", line.breaches.map((test) => label(test)).join(", "))]);
    }
    this.body.dataset.digest = now.state_digest;
    const open = this.body.querySelector("details")?.open;
    fill(this.body, h("dl.facts", rows.map(([name, value]) => [h("dt", name), h("dd", value)])),
      h("details", { open }, h("summary", "The ledger"), h("dl.facts", Object.entries(now.ledger).map(([account, value]) => [h("dt", { title: account }, label(account, "account")), h("dd", money(value))]))));
  }
}
