// What figures are called and how they are written: by the labels and units that the service gives.

let labels = {}, units = {}, sections = [];

/** Take the service's labels, units, and figures by section; nothing can be written before. */
export function learn(found) {
  ({ labels, units, sections } = found);
}

/** The figures that there are, by section: its title and their names. */
export const figureSections = () => sections;

/** Words from a name with underscores. */
export const words = (name) => String(name).replaceAll("_", " ");

/** What people call a figure, or a name of a kind; an unknown name as words. */
export const label = (name, kind) => labels[kind ? `${kind}.${name}` : name]?.text ?? words(name).replace(/^./, (letter) => letter.toUpperCase());

const formats = new Map();

function decimal(value, decimals, sign = "auto") {
  const key = `${decimals} ${sign}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay: sign }));
  return formats.get(key).format(value);
}

const nothing = (text) => !/[1-9]/.test(text);

/** A value by its unit, or a dash for what is undefined. Units that are none of ours are currencies. */
export function number(value, unit, decimals) {
  if (value === null || value === undefined) return "–";
  const way = units[unit] ?? units.money;
  if (way.decimals === null) return unit === "name" ? words(value) : String(value);
  const text = decimal(Number(value) * (way.percent ? 100 : 1), decimals ?? way.decimals);
  return `${nothing(text) ? text.replace("-", "") : text}${way.percent ? "%" : ""}`;
}

/** A figure's value, by its name. */
export const metric = (name, value) => number(value, labels[name]?.unit ?? "text");

/** How much a figure changes from one value to the other: shares in basis points, a dash for nothing that would be seen. */
export function change(name, one, other) {
  const way = units[labels[name]?.unit];
  if (!way || way.decimals === null) return "–";
  const text = decimal((Number(other) - Number(one)) * (way.percent ? 1e4 : 1), way.decimals, "always");
  return nothing(text) ? "–" : `${text}${way.percent ? " bp" : ""}`;
}

/** Money to the cent. */
export const money = (value) => number(value, "money");
/** A whole number. */
export const count = (value) => number(value, "count");
/** A share, in per cent. */
export const percent = (value, decimals) => number(value, "share", decimals);

/** An amount in four characters or so. */
export function brief(value) {
  if (value === null || value === undefined) return "–";
  for (const [size, name] of [[1, ""], [1e3, "k"], [1e6, "m"], [1e9, "bn"]]) {
    const text = String(Number((value / size).toPrecision(3)));
    if (Math.abs(text) < 1000) return `${text}${name}`;
  }
  return `${decimal(value / 1e9, 0)}bn`;
}
