// The contract's `event-sink`. Facts wait for the end of their command: one that is rejected after
// all, or traps, has published nothing.

import { currentUnit } from "./unit-of-work.js";

export function publish(events) {
  currentUnit().events.push(...events);
}
