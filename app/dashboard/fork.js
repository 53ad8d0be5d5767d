// A fork: play the run again up to a day, intervene, play on with the same draws.

import { get, of, post } from "./api.js";
import { fill, h, problemBox } from "./dom.js";
import { words } from "./labels.js";
import { settingRows, valueOf } from "./settings.js";

export async function forkTab(place, run) {
  if (!run.records) {
    fill(place, h("p.soft", "Nothing is recorded yet."));
    return null;
  }
  const found = await get(of(run.id, "settings"));
  const keys = Object.fromEntries(found.changeable.map((key) => [key, found.settings[key]]));
  const settings = settingRows("Settings from that day on", keys);
  const commands = h("div");
  const day = h("input", { type: "date", required: true, min: run.start_date, max: run.end_date, value: middle(run) });
  const said = h("div", { "aria-live": "polite" });
  const button = h("button.main", "Fork it");

  function addCommand() {
    const fields = h("span.row");
    const name = h("select", { "aria-label": "Command", onchange: draw }, h("option", { value: "" }, "choose a command…"), Object.keys(found.commands).map((one) => h("option", { value: one }, words(one))));
    function draw() {
      const schema = found.commands[name.value];
      fill(fields, Object.entries(schema?.properties ?? {}).filter(([key]) => !["year", "month"].includes(key)).map(([key, property]) => {
        const choices = property.enum ?? property.anyOf?.find((one) => one.enum)?.enum;
        const required = schema.required?.includes(key);
        const attributes = { name: key, "aria-label": words(key), required };
        return h("label", words(key), choices ? h("select", attributes, !required && h("option", { value: "" }, ""), choices.map((one) => h("option", { value: one }, one)))
          : h("input", { ...attributes, size: "10", placeholder: property.default ?? example(key) }));
      }));
    }
    commands.append(h("div.row.command", { style: "margin:.3rem 0;align-items:end" }, h("label", "Command", name), fields,
      h("button", { type: "button", "aria-label": "Remove this command", onclick: (event) => event.target.parentElement.remove() }, "×")));
  }

  function readCommands() {
    return [...commands.children].map((row) => {
      const [name, ...fields] = row.querySelectorAll("select, input");
      const filled = fields.filter((field) => field.value.trim() !== "");
      return name.value && { [name.value]: Object.fromEntries(filled.map((field) => [field.name, valueOf(field.value)])) };
    }).filter(Boolean);
  }

  fill(place, h("p.soft", "The days before are played as they were; what you change holds from that morning on. The run itself stays as it is."), h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const [set, commands_] = [settings.read(), readCommands()];
      if (!Object.keys(set).length && !commands_.length) {
        fill(said, problemBox(new Error("Nothing is changed: give a setting or a command.")));
        return;
      }
      button.disabled = true;
      button.textContent = "Playing…";
      try {
        const made = await post(of(run.id, "forks"), { at: day.value, set, do: commands_ });
        location.hash = `#/run/${encodeURIComponent(made.id)}`;
      } catch (error) {
        fill(said, problemBox(error));
      }
      button.disabled = false;
      button.textContent = "Fork it";
    },
  }, h("label", "In the morning of", day), settings.element,
  h("fieldset", h("legend", "Commands on that day"), commands, h("button", { type: "button", onclick: addCommand }, "Add a command")),
  h("p", button), said));
  return null;
}

function example(key) {
  return { change: "-20%", amount: "1m", zone: "every zone" }[key] ?? "";
}

function middle(run) {
  if (!run.start_date) return "";
  return new Date((Date.parse(run.start_date) + Date.parse(run.end_date)) / 2).toISOString().slice(0, 10);
}
