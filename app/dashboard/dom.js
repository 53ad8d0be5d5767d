// Elements, and how figures are written.

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

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Money to the cent. */
export const money = (value) => (value === null || value === undefined ? "–" : cents.format(Number(value)));
/** Money in short. */
export function brief(value) {
  if (value === null || value === undefined) return "–";
  for (const [size, name] of [[1e9, "bn"], [1e6, "m"]]) if (Math.abs(value) >= size) return `${(value / size).toFixed(2)}${name}`;
  return money(value);
}
/** A whole number. */
export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));
/** A share, in per cent. */
export const percent = (value, digits = 2) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`);
/** Words from a name with underscores. */
export const words = (name) => String(name).replaceAll("_", " ");

const LABELS = {
  net_irr: "Net IRR", gross_irr: "Gross IRR", gross_levered_irr: "Gross IRR, levered", net_irr_without_line: "Net IRR without the line",
  tvpi: "TVPI", dpi: "DPI", rvpi: "RVPI", pic: "PIC", moic: "MOIC", nav: "NAV", min_dscr: "Lowest DSCR", idle_dollar_days: "Idle dollar-days",
};

/** The name of a metric as it is read. */
export const label = (name) => LABELS[name] ?? words(name).replace(/^./, (letter) => letter.toUpperCase());

const RATES = /irr|_rate$|^return$|share$/;

/** A metric's value as it is read: rates in per cent, money to the cent, counts whole. */
export function metric(name, value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return Number.isNaN(Number(value)) ? value : money(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (RATES.test(name)) return percent(value);
  if (Number.isInteger(value)) return count(value);
  return value.toLocaleString("en", { minimumFractionDigits: name.includes("days") ? 1 : 2, maximumFractionDigits: name.includes("days") ? 1 : 2 });
}

const DAY = 86_400_000;

/** The ISO date of a day of a fund that starts on an ISO date. */
export const dateOf = (start, day) => new Date(Date.parse(start) + day * DAY).toISOString().slice(0, 10);
/** The day of an ISO date. */
export const dayOf = (start, date) => Math.round((Date.parse(date) - Date.parse(start)) / DAY);

const NUMBER = /^[-+−]?[\d,.]+( %| pp)?$|^–$|^$/;

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
