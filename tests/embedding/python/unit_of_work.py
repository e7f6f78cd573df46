"""What one command writes and publishes: kept together, or not at all."""


class UnitOfWork:
    def __init__(self):
        self._undo = None  # None while no command runs, so in every query
        self._events = None

    def run(self, decide, keeps):
        """Runs a command. All it wrote is taken back unless `keeps(answer)`, or where it raises."""
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
        """The contract's `event-sink`. Facts wait for the end of their command: one that is
        rejected after all, or traps, has published nothing."""
        self.require_command()
        self._events.extend(events)

    # Raising into the component ends its call.

    def require_command(self):
        if self._undo is None:
            raise RuntimeError("not allowed in a query")

    def forbid_command(self):
        if self._undo is not None:
            raise RuntimeError("not allowed in a command")
