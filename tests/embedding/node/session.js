// The session that every example runs: the same commands and queries at the same times, so that
// the same component must print the same lines in every runtime.

import { command, query } from "./inventory.js";
import { render } from "./render.js";

const aDefault = { productId: "a", locationId: "default" };
const bNorth = { productId: "b", locationId: "north" };

const line = (key, quantity) => ({ key, quantity });

const cart = [line(aDefault, 2n), line(bNorth, 1n), line(aDefault, 1n)];

const commands = [
  { now: 1_000n, call: ["adjustSet", aDefault, 10n, 5n] },
  { now: 2_000n, call: ["adjustSet", bNorth, 4n, undefined] },
  { now: 3_000n, call: ["reserve", aDefault, 3n], reference: "order-1" },
  { now: 4_000n, call: ["reserve", aDefault, 8n] },
  { now: 5_000n, call: ["hold", "cart-1", cart, 60] },
  { now: 6_000n, call: ["replace", "cart-1", [line(aDefault, 1n), line(bNorth, 2n)]] },
  { now: 7_000n, call: ["extend", "cart-1", 120] },
  { now: 8_000n, call: ["confirm", "cart-1"] },
  { now: 9_000n, call: ["fulfill", "cart-1", [line(bNorth, 1n)]] },
  { now: 10_000n, call: ["cancel", "cart-1", undefined] },
  { now: 11_000n, call: ["hold", "cart-2", [line(aDefault, 2n)], 5] },
  // cart-2 is due: the host expires it before the next command meets its stock.
  { now: 20_000n, call: ["expire", "cart-2"] },
  { now: 20_000n, call: ["reserve", aDefault, 7n] },
  { now: 21_000n, call: ["release", aDefault, 10n] },
  { now: 22_000n, call: ["adjustBy", aDefault, -4n] },
  { now: 23_000n, call: ["transfer", "a", "default", "north", 2n] },
  { now: 24_000n, call: ["hold", "cart-3", [line(bNorth, 3n)], 1] },
  { now: 30_000n, call: ["expire", "cart-3"] },
];

const queries = [
  ["getStock", aDefault],
  ["getStock", bNorth],
  ["lowStock", undefined, undefined, 10],
  ["getReservation", "cart-1"],
  ["listStocks", {}, undefined, 10],
];

/** Runs the session, and yields a line for each event and each answer. */
export function* session() {
  for (const [index, { now, call, reference }] of commands.entries()) {
    const context = { now, commandId: `step-${index + 1}`, caller: "session", reference };
    const [name, ...given] = call;
    yield* lines(command(name, context, ...given));
  }
  for (const [name, ...given] of queries) {
    yield render(query(name, { now: 31_000n, caller: "session" }, ...given));
  }
}

/** The lines of a command: its events, then its answer. */
export function* lines({ answer, events }) {
  for (const { tag, val } of events) {
    yield render({ event: tag, ...val });
  }
  yield render(answer);
}
