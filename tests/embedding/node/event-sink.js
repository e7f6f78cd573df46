// The contract's `event-sink`. Events wait for the end of their command, because a command that is
// rejected or traps must publish nothing.

import { currentUnit } from "./unit-of-work.js";

export function publish(events) {
  currentUnit().events.push(...events);
}
