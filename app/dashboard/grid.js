// A table of records of any length: only the rows that can be seen are in the page.

import { fields, h } from "./dom.js";
import { count } from "./labels.js";

const HEIGHT = 26;
const SPARE = 8;
const MAX_PIXELS = 15_000_000; // what browsers can still scroll

export class Grid {
  /** ``log`` is an EventLog, ``date`` gives a day's date, ``onselect`` is told the seq of a chosen record. */
  constructor(log, date, onselect) {
    Object.assign(this, { log, date, onselect, seqs: new Int32Array(0), selected: 0 });
    this.body = h("div.grid-body");
    this.empty = h("p.soft", { style: "padding: 0 .7rem", hidden: true }, "No record matches.");
    this.head = h("div.grid-head", { role: "row" }, ["Seq", "Date", "Kind", "Cause", "What"].map((name) => h("span", { role: "columnheader" }, name)));
    this.element = h("div.grid", {
      role: "grid", tabindex: "0", "aria-label": "Records", onscroll: () => this.later(), onkeydown: (event) => this.key(event),
    }, this.head, this.empty, this.body);
    this.pool = [];
    this.pending = false;
    new ResizeObserver(() => this.later()).observe(this.element);
  }

  /** Show these seqs; with ``follow`` the last ones. */
  show(seqs, follow = false) {
    this.seqs = seqs;
    this.empty.hidden = seqs.length > 0;
    this.height = Math.min(seqs.length * HEIGHT, MAX_PIXELS);
    this.body.style.height = `${this.height}px`;
    this.element.setAttribute("aria-rowcount", String(seqs.length + 1));
    if (follow) this.element.scrollTop = this.element.scrollHeight;
    this.render();
  }

  /** Rows that can be seen at once. */
  get fits() {
    return Math.max(1, Math.floor(this.element.clientHeight / HEIGHT) - 1);
  }

  /** Rows to a pixel of the scroll bar's way: more than there are, where browsers can't scroll as far. */
  get stride() {
    const way = this.height - this.fits * HEIGHT;
    return way > 0 ? (this.seqs.length - this.fits) / way : 1 / HEIGHT;
  }

  later() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.render();
    });
  }

  render() {
    const top = this.element.scrollTop;
    const visible = top * this.stride;
    const first = Math.max(0, Math.floor(visible) - SPARE);
    const last = Math.min(this.seqs.length, first + this.fits + 2 * SPARE);
    while (this.pool.length < last - first) this.pool.push(this.row());
    this.pool.forEach((row, at) => this.put(row, first + at < last ? first + at : -1, top - visible * HEIGHT));
  }

  row() {
    const cells = Array.from({ length: 5 }, () => h("span", { role: "gridcell" }));
    const element = h("div.grid-row", { role: "row", onclick: () => this.select(element.place) }, cells);
    element.cells = cells;
    this.body.append(element);
    return element;
  }

  /** Show the record at a place; ``shift`` is by how much places are off their pixels. */
  put(row, place, shift) {
    row.hidden = place < 0;
    row.style.display = place < 0 ? "none" : "";
    if (place < 0) return;
    const record = this.log.record(this.seqs[place]);
    row.place = place;
    row.style.transform = `translateY(${place * HEIGHT + shift}px)`;
    row.setAttribute("aria-rowindex", String(place + 2));
    row.setAttribute("aria-selected", String(record.seq === this.selected));
    row.id = `record-${record.seq}`;
    const texts = [count(record.seq), this.date(record.day), record.kind, record.cause ? count(record.cause) : "", this.what(record)];
    texts.forEach((text, at) => {
      if (row.cells[at].textContent !== text) row.cells[at].textContent = text;
    });
  }

  /** The first fields of a payload, in words. */
  what(record) {
    return fields(JSON.parse(record.payload), this.date).slice(0, 6).map(([name, value]) => `${name} ${value}`).join(" · ");
  }

  select(place) {
    if (place < 0 || place >= this.seqs.length) return;
    this.place = place;
    this.selected = this.seqs[place];
    const visible = this.element.scrollTop * this.stride;
    if (place < visible) this.element.scrollTop = place / this.stride;
    if (place > visible + this.fits - 1) this.element.scrollTop = (place - this.fits + 1) / this.stride;
    this.render();
    this.element.setAttribute("aria-activedescendant", `record-${this.selected}`);
    this.onselect(this.selected);
  }

  key(event) {
    const page = this.fits - 1;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const from = this.place ?? -1;
    this.select(Math.max(0, Math.min(this.seqs.length - 1, from + steps[event.key])));
  }
}
