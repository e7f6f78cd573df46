// Commands and queries: the component's exports, and what the contract asks of their caller.
//
// An answer is `{ ok }` or `{ rejected }`. Anything thrown is neither: the component trapped, or an
// import threw. The instance is spent then: start the process, or load the page, anew.

import { inventory } from "./generated/domain.js";
import { unitOfWork } from "./unit-of-work.js";

/** Asks, and changes nothing. */
export function query(name, context, ...given) {
  return call(name, context, given);
}

/** Decides, and keeps what the component wrote where it accepted: `{ answer, events }`. */
export function command(name, context, ...given) {
  return unitOfWork(() => call(name, context, given), (answer) => "ok" in answer);
}

/** What a command would be answered. */
export function dryRun(name, context, ...given) {
  return unitOfWork(() => call(name, context, given), () => false).answer;
}

function call(name, context, given) {
  try {
    return { ok: inventory[name](context, ...given) };
  } catch (error) {
    // jco throws the error case of a result, with the value as its payload.
    if (error.payload === undefined) throw error;
    return { rejected: error.payload };
  }
}
