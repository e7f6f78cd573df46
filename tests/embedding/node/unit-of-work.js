// What one command writes and publishes: kept together, or not at all.

let current; // undefined while no command runs, so in every query

/** Runs a command; all it wrote is taken back unless `keeps(answer)`, also where it throws. */
export function unitOfWork(run, keeps) {
  const unit = (current = { undo: [], events: [] });
  let kept = false;
  try {
    const answer = run();
    kept = keeps(answer);
    return { answer, events: kept ? unit.events : [] };
  } finally {
    current = undefined;
    if (!kept) unit.undo.reverse().forEach((takeBack) => takeBack());
  }
}

/** The unit of work of the command at hand. Throwing into the component ends its call. */
export function currentUnit() {
  if (!current) throw new Error("not allowed in a query");
  return current;
}

export function forbidInCommand() {
  if (current) throw new Error("not allowed in a command");
}
