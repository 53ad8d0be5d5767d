// Questions to the service. Every failure is an Error with the problem's status, detail and list.

import { fill, h, problemBox } from "./dom.js";

export const BASE = "/api/v1";

/** A problem that the service has answered with. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail ?? body.title ?? "something went wrong");
    Object.assign(this, { status: body.status, title: body.title, problems: body.problems });
  }
}

async function send(method, path, body, signal) {
  const answer = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, {
    method,
    signal,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) {
    await askForToken();
    return send(method, path, body, signal);
  }
  const text = await answer.text();
  const found = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Problem(found ?? { status: answer.status, detail: `the service answered ${answer.status}` });
  return found;
}

export const get = (path, signal) => send("GET", path, undefined, signal);
export const post = (path, body = {}) => send("POST", path, body);
export const remove = (path) => send("DELETE", path);

/** The path of a simulation, or of something of it. */
export const of = (name, rest = "") => `simulations/${encodeURIComponent(name)}${rest && `/${rest}`}`;

let asking = null;

/** Ask for the token until it is right; the browser keeps a cookie for it. */
function askForToken() {
  asking ??= new Promise((resolve) => {
    const token = h("input", { type: "password", autocomplete: "current-password", required: true, "aria-label": "Token" });
    const said = h("div");
    const form = h("form", {
      method: "dialog",
      onsubmit: async (event) => {
        event.preventDefault();
        const answer = await fetch(`${BASE}/session`, {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: token.value }),
        });
        if (answer.ok) {
          dialog.close();
          dialog.remove();
          asking = null;
          resolve();
        } else fill(said, problemBox(new Problem(await answer.json())));
      },
    }, h("h2", "This service needs a token"), h("p.soft", "It was set where the service was started."), h("p.row", token, h("button.main", "Go on")), said);
    const dialog = h("dialog", { oncancel: (event) => event.preventDefault() }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}
