// Elements: made, filled, and put together to tables, problems and the fields of a record.

import { money, words } from "./labels.js";

/** An element: h("a.button", { href: "#/" }, "text", [more]). Null and false children are left out. */
export function h(name, attributes, ...children) {
  if (attributes === null || typeof attributes !== "object" || attributes instanceof Node || Array.isArray(attributes)) {
    children.unshift(attributes);
    attributes = {};
  }
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Put these children into an element, in place of what it holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

const DAY = 86_400_000;

/** The ISO date of a day of a fund that starts on an ISO date. */
export const dateOf = (start, day) => new Date(Date.parse(start) + day * DAY).toISOString().slice(0, 10);
/** The day of an ISO date. */
export const dayOf = (start, date) => Math.round((Date.parse(date) - Date.parse(start)) / DAY);

const NUMBER = /^[-+−]?[\d,.]+(%| bp)?$|^–$|^$/;

/** A table of plain cells; a cell may be an element. Columns of words stand to the left. */
export function table(heads, rows, caption) {
  const left = heads.map((_, at) => rows.some((row) => row[at] instanceof Node || !NUMBER.test(String(row[at] ?? ""))) ? "left" : null);
  return h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption ?? "table" },
    h("table",
      caption && h("caption.visually-hidden", caption),
      h("thead", h("tr", heads.map((head, at) => h("th", { scope: "col", class: left[at] }, head)))),
      h("tbody", rows.map((row) => h("tr", row.map((cell, at) => h("td", { class: left[at] }, cell)))))));
}

/** Say something for a moment. */
export function notice(text) {
  const place = document.getElementById("notice");
  fill(place, h("div", text));
  setTimeout(() => place.textContent.includes(text) && fill(place), 6000);
}

/** What went wrong, with each thing that is wrong. */
export function problemBox(error) {
  const rows = error.problems ?? [];
  const place = (row) => (row.line ? `line ${row.line}, column ${row.column}: ` : "");
  return h("div.problem", { role: "alert" }, h("strong", rows.length ? "This can't be done as it is:" : error.message),
    rows.length > 0 && h("ul", rows.map((row) => h("li",
      place(row), row.key ? h("code", row.key) : null, row.key ? ": " : "", row.message, row.suggestion ? ` (did you mean ${row.suggestion}?)` : ""))));
}

/** A record's payload as words by name: money to the cent, days as dates. */
export function fields(payload, date) {
  const found = [];
  const write = (key, value) => {
    if (value === null || value === "") return "–";
    if (key.endsWith("_cents")) return typeof value === "object" ? list(value, (_, one) => money(one / 100)) : money(value / 100);
    if ((key === "day" || key.endsWith("_day")) && Number.isInteger(value)) return date(value);
    if (Array.isArray(value)) return value.length > 6 ? `${value.length} items` : JSON.stringify(value);
    if (typeof value === "object") return list(value, write);
    if (typeof value === "number") return value.toLocaleString("en", { maximumFractionDigits: 6 });
    return String(value);
  };
  const list = (value, each) => Object.entries(value).map(([name, one]) => `${words(name)} ${each(name, one)}`).join(", ");
  for (const [key, value] of Object.entries(payload)) {
    if (key !== "kind" && value !== null) found.push([words(key.replace(/_cents$/, "")), write(key, value)]);
  }
  return found;
}

/** A badge for a status. */
export const badge = (status) => h(`span.badge.${status}`, status);
