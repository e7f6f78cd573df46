// Calls the component's exports, with the duties of a host around them.
//
// An answer is `{ ok }` or `{ rejected }`. An exception means that the component trapped or that an
// import threw. The instance cannot be used afterwards: restart the process, or reload the page.

import { inventory } from "./generated/domain.js";
import { unitOfWork } from "./unit-of-work.js";

/** Answers a query, which changes nothing. */
export function query(name, context, ...given) {
  return call(name, context, given);
}

/** Decides a command, and keeps its writes where it is accepted: `{ answer, events }`. */
export function command(name, context, ...given) {
  return unitOfWork(() => call(name, context, given), (answer) => "ok" in answer);
}

/** Decides a command and drops its writes: the answer that the command would get. */
export function dryRun(name, context, ...given) {
  return unitOfWork(() => call(name, context, given), () => false).answer;
}

function call(name, context, given) {
  try {
    return { ok: inventory[name](context, ...given) };
  } catch (error) {
    // jco throws the `err` of a result, with its value as the payload.
    if (error.payload === undefined) throw error;
    return { rejected: error.payload };
  }
}
