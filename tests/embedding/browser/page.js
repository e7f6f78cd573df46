// The inventory component in a page: whether 3 can still be taken is decided here.
//
//     cd ../node && npm ci
//     HOLDFAST_COMPONENT=/path/to/domain.wasm npm run transpile
//     npm run page
//
// The page shares all other files with the example for Node. When the page loads, it runs the same
// session. ./check.js reads the lines of the session, and its stocks are those that the page shows.

import { command, dryRun, query } from "../node/inventory.js";
import { lines, session } from "../node/session.js";

const form = document.querySelector("#wish");
const { stock, quantity, answer } = form.elements;

let stocks = [];
let now = 0n;

// A wall clock can be set back, but the time of commands must not go back.
function tick() {
  const clock = BigInt(Date.now());
  now = clock > now ? clock : now;
  return now;
}

function show(happened) {
  document.querySelector("#events").append(...[...happened].map((line) => `${line}\n`));
  stocks = query("listStocks", { now: tick() }, {}, undefined, 500).ok.items;
  document.querySelector("#stocks").replaceChildren(...stocks.map(row));
  const chosen = stock.selectedIndex;
  stock.replaceChildren(...stocks.map(({ key }) => new Option(nameOf(key))));
  stock.selectedIndex = Math.max(chosen, 0);
}

function row({ key, view }) {
  const { total, reserved } = view.stock.level;
  const note = view.low ? "low" : "";
  const made = document.createElement("tr");
  for (const text of [key.productId, key.locationId, total, reserved, view.available, note]) {
    made.insertCell().textContent = text;
  }
  return made;
}

function nameOf({ productId, locationId }) {
  return `${productId} at ${locationId}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const context = { now: tick(), commandId: crypto.randomUUID(), caller: "page" };
  const wish = ["reserve", context, stocks[stock.selectedIndex].key, BigInt(quantity.value)];
  if (event.submitter.value === "ask") {
    // The page compares no numbers: the component decides what can be taken.
    const { ok, rejected } = dryRun(...wish);
    answer.value = ok ? `Yes, ${ok.view.available} would be left.` : `No: ${rejected.message}.`;
  } else {
    const done = command(...wish);
    const { ok, rejected } = done.answer;
    answer.value = ok ? `Reserved, ${ok.view.available} left.` : `No: ${rejected.message}.`;
    show(lines(done));
  }
});

show(session());
