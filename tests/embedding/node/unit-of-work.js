// The writes and events of one command, which are kept together or not at all.

let current; // undefined while no command runs, and so in every query

/** Runs a command. Undoes its writes unless `keeps(answer)` is true, and also where it throws. */
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

/** The unit of work of the current command. An exception in an import ends the component's call. */
export function currentUnit() {
  if (!current) throw new Error("not allowed in a query");
  return current;
}

export function forbidInCommand() {
  if (current) throw new Error("not allowed in a command");
}
