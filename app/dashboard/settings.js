// Rows of settings in a form: a key, and what it shall be.

import { h } from "./dom.js";

let lists = 0;

/** Numbers, lists, true and false as such; all else as text, which units (75%, 25bp, 10m) are too. */
export function valueOf(text) {
  try {
    const found = JSON.parse(text);
    return typeof found === "number" && !Number.isSafeInteger(found) && Number.isInteger(found) ? text.trim() : found;
  } catch {
    return text.trim();
  }
}

/** A group of rows; ``keys`` are settings with their present values. ``read`` gives what was filled in. */
export function settingRows(title, keys) {
  const list = h("datalist", { id: `keys-${(lists += 1)}` }, Object.keys(keys).map((key) => h("option", { value: key })));
  const rows = h("div");

  function add() {
    const key = h("input.grow", { list: list.id, "aria-label": "Setting", placeholder: "reinvestment_engine.reinvestment_delay", size: "34", oninput: hint });
    const value = h("input", { "aria-label": "Value", size: "12" });
    function hint() {
      value.placeholder = key.value in keys ? `now ${JSON.stringify(keys[key.value])}` : "";
    }
    rows.append(h("div.row", { style: "margin: .3rem 0" }, key, value, h("button", { type: "button", "aria-label": "Remove this setting", onclick: (event) => event.target.parentElement.remove() }, "×")));
  }

  add();
  return {
    element: h("fieldset", h("legend", title), list, rows, h("button", { type: "button", onclick: add }, "Another setting")),
    use(found) {
      keys = found;
      list.replaceChildren(...Object.keys(keys).map((key) => h("option", { value: key })));
    },
    read() {
      const made = {};
      for (const row of rows.children) {
        const [key, value] = row.querySelectorAll("input");
        if (key.value.trim()) made[key.value.trim()] = valueOf(value.value);
      }
      return made;
    },
  };
}
