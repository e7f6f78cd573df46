"""Calls the component's exports, with the duties of a host around them."""

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

from storage import Storage
from unit_of_work import UnitOfWork

CONTRACT = "holdfast:inventory/{}@0.2.0"


class Inventory:
    """An answer is `{"ok": ...}` or `{"rejected": ...}`. An exception means that the component trapped
    or that an import raised. The instance cannot be used afterwards."""

    def __init__(self, path):
        self._unit = UnitOfWork()
        storage = Storage(self._unit)
        imports = {
            "storage": {
                "get-stock": storage.get_stock,
                "put-stock": storage.put_stock,
                "scan-stocks": storage.scan_stocks,
                "scan-deficits": storage.scan_deficits,
                "get-reservation": storage.get_reservation,
                "put-reservation": storage.put_reservation,
                "scan-reservations": storage.scan_reservations,
            },
            "event-sink": {"publish": self._unit.publish},
        }
        engine = Engine()
        linker = Linker(engine)
        with linker.root() as root:
            for interface, functions in imports.items():
                with root.add_instance(CONTRACT.format(interface)) as instance:
                    for name, function in functions.items():
                        instance.add_func(name, _without_store(function))
        self._store = Store(engine)
        self._instance = linker.instantiate(self._store, Component.from_file(engine, path))
        self._exports = self._instance.get_export_index(self._store, CONTRACT.format("inventory"))

    def query(self, name, context, *given):
        """Answers a query, which changes nothing."""
        return self._call(name, context, given)

    def command(self, name, context, *given):
        """Decides a command, and keeps its writes where it is accepted. Returns answer and events."""
        return self._unit.run(
            lambda: self._call(name, context, given), keeps=lambda answer: "ok" in answer
        )

    def _call(self, name, context, given):
        index = self._instance.get_export_index(self._store, name, self._exports)
        function = self._instance.get_func(self._store, index)
        result = function(self._store, context, *given)
        return {"ok" if result.tag == "ok" else "rejected": result.payload}


def _without_store(function):
    # wasmtime passes each import the store first, for imports that call back into the component.
    return lambda _store, *given: function(*given)
