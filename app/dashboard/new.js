// A new run: a shipped scenario or a file of one's own, a seed, some settings.

import { get, post } from "./api.js";
import { fill, h, problemBox } from "./dom.js";
import { settingRows } from "./settings.js";

/** The part of a form that says what is to be played; ``read`` gives the request. */
export async function scenarioFields({ seeds = false } = {}) {
  const { scenarios: all, starter } = await get("scenarios");
  const scenarios = all.filter((scenario) => scenario.playable);
  const about = h("p.soft");
  const seed = h("input", { type: "number", min: "0", step: "1", value: "7", required: true });
  const settings = settingRows("Settings that differ", {});
  const text = h("textarea", { spellcheck: "false", "aria-label": "Text of a scenario file", value: starter });
  const choose = h("select", { "aria-label": "Scenario", onchange: changed },
    scenarios.map((scenario) => h("option", { value: scenario.name }, scenario.name)), h("option", { value: "" }, "a file of my own…"));
  const own = h("div", { hidden: true }, h("label", "A scenario file (YAML or JSON)", h("input", {
    type: "file", accept: ".yaml,.yml,.json",
    onchange: async (event) => { text.value = (await event.target.files[0]?.text()) ?? ""; },
  })), text);

  async function changed() {
    const mine = choose.value === "";
    own.hidden = !mine;
    about.textContent = mine ? "" : scenarios.find((scenario) => scenario.name === choose.value).description;
    settings.use((await get(`scenarios/${mine ? "base" : choose.value}`)).settings);
  }

  choose.value = scenarios.some((scenario) => scenario.name === "base") ? "base" : scenarios[0].name;
  await changed();
  return {
    element: h("div", h("div.row", h("label", "Scenario", choose), !seeds && h("label", "Seed", seed)), about, own, settings.element),
    read: () => ({
      ...(choose.value ? { scenario: choose.value } : { document: text.value }), ...(seeds ? {} : { seed: Number(seed.value) }), set: settings.read(),
    }),
  };
}

export async function newPage(place) {
  const fields = await scenarioFields();
  const said = h("div");
  const button = h("button.main", "Play it");
  fill(place, h("h1", "New run"), h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        const made = await post("simulations", fields.read());
        location.hash = `#/run/${encodeURIComponent(made.id)}`;
      } catch (error) {
        fill(said, problemBox(error));
      }
      button.disabled = false;
    },
  }, fields.element, h("p", button), said));
}
