"""The writes and events of one command, which are kept together or not at all."""


class UnitOfWork:
    def __init__(self):
        self._undo = None  # None while no command runs, and so in every query
        self._events = None

    def run(self, decide, keeps):
        """Runs a command. Undoes its writes unless `keeps(answer)` is true, and also where it raises."""
        self._undo, self._events = [], []
        kept = False
        try:
            answer = decide()
            kept = keeps(answer)
            return answer, self._events if kept else []
        finally:
            if not kept:
                for take_back in reversed(self._undo):
                    take_back()
            self._undo = self._events = None

    def wrote(self, take_back):
        self.require_command()
        self._undo.append(take_back)

    def publish(self, events):
        """The contract's `event-sink`. Events wait for the end of their command, because a command that
        is rejected or traps must publish nothing."""
        self.require_command()
        self._events.extend(events)

    # An exception in an import ends the component's call.

    def require_command(self):
        if self._undo is None:
            raise RuntimeError("not allowed in a query")

    def forbid_command(self):
        if self._undo is not None:
            raise RuntimeError("not allowed in a command")
