// The stream of a simulation: records without a gap, also when the connection was lost.

import { BASE, of } from "./api.js";

const PATIENCE = 1000;

/** Read a simulation's stream; ``on`` has a function for each type of frame. Returns a function that ends it. */
export function follow(name, on) {
  let seq = 0, ended = false, socket = null, timer = null;

  function open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}${BASE}/${of(name)}/stream?after_seq=${seq}`);
    socket.addEventListener("message", (event) => {
      const frame = JSON.parse(event.data);
      if (frame.type === "events") seq = frame.seq;
      if (frame.type === "done") ended = true;
      on[frame.type]?.(frame);
    });
    socket.addEventListener("close", (event) => {
      if (ended || event.code === 1008) return;
      on.lost?.();
      timer = setTimeout(open, PATIENCE);
    });
  }

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket.close();
  };
}
