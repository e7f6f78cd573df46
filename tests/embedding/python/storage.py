"""The contract's `storage` in memory: the functions of wit/storage.wit under their Python names.

A scan reads every entry, where a database would have an index. wasmtime copies values on their way in
and out of the component, so the storage keeps them without a copy.
"""

from records import record


class Storage:
    def __init__(self, unit):
        self._unit = unit
        self._stocks = {}  # (product id, location id) -> stock-entry
        self._reservations = {}  # id -> reservation-entry, in the order of creation

    def get_stock(self, key):
        entry = self._stocks.get(_place(key))
        return entry and entry.stock

    def put_stock(self, key, stock):
        self._put(self._stocks, _place(key), record(key=key, stock=stock))

    def scan_stocks(self, scan):
        location, prefix = getattr(scan, "location-id"), getattr(scan, "product-prefix")

        def wanted(entry):
            product_id, location_id = _place(entry.key)
            return (
                location in (None, location_id)
                and product_id.startswith(prefix or "")
                and (not getattr(scan, "below-minimum") or _deficit(entry) > 0)
                and (scan.after is None or _place(entry.key) > _place(scan.after))
            )

        found = filter(wanted, self._stocks.values())
        return sorted(found, key=lambda entry: _place(entry.key))[: scan.limit]

    def scan_deficits(self, scan):
        location = getattr(scan, "location-id")

        # The largest deficit first, then in key order.
        def rank(deficit, key):
            return -deficit, _place(key)

        def wanted(entry):
            return (
                _deficit(entry) > 0
                and location in (None, getattr(entry.key, "location-id"))
                and (
                    scan.after is None
                    or rank(_deficit(entry), entry.key) > rank(scan.after.deficit, scan.after.key)
                )
            )

        found = filter(wanted, self._stocks.values())
        return sorted(found, key=lambda entry: rank(_deficit(entry), entry.key))[: scan.limit]

    def get_reservation(self, id):
        entry = self._reservations.get(id)
        return entry and entry.reservation

    def put_reservation(self, id, reservation):
        self._put(self._reservations, id, record(id=id, reservation=reservation))

    def scan_reservations(self, scan):
        self._unit.forbid_command()
        # Reservations are never removed, so the number of a reservation is a position that stays
        # valid.
        found = [
            (position, entry)
            for position, entry in reversed(list(enumerate(self._reservations.values())))
            if (scan.after is None or position < scan.after) and _matches(entry, scan)
        ]
        page = found[: scan.limit]
        more = page and len(found) > len(page)
        return record(items=[entry for _, entry in page], next=page[-1][0] if more else None)

    def _put(self, rows, id, row):
        before = rows.get(id)
        self._unit.wrote(lambda: rows.update({id: before}) if before else rows.pop(id))
        rows[id] = row


def _place(key):
    # Ids are ASCII, so tuples of them sort in the contract's order.
    return getattr(key, "product-id"), getattr(key, "location-id")


def _deficit(entry):
    level = entry.stock.level
    return level.minimum - (level.total - level.reserved)


def _expiry(entry):
    return getattr(entry.reservation.status, "expires-at")


def _matches(entry, scan):
    product, location = getattr(scan, "product-id"), getattr(scan, "location-id")
    before = getattr(scan, "expires-before")
    reservation = entry.reservation
    return (
        any(
            product in (None, product_id) and location in (None, location_id)
            for product_id, location_id in (_place(line.key) for line in reservation.lines)
        )
        and scan.state in (None, reservation.status.state)
        and scan.reference in (None, reservation.reference)
        and (before is None or (_expiry(entry) is not None and _expiry(entry) < before))
    )
