"""A low-stock alert on every fall. The domain publishes an event when a stock becomes low. This rule
publishes the event again whenever a command leaves fewer units of a low stock."""

from wit_world import exports
from wit_world.imports import event_sink, inventory as domain, storage
from wit_world.imports.types import Event_LowStockDetected, LowStockChange, StockKey


class Inventory(exports.Inventory):
    # The rule watches the commands that can leave fewer units of a stock.

    def adjust_set(self, context, key, total, minimum):
        return watch([key], domain.adjust_set, context, key, total, minimum)

    def adjust_by(self, context, key, delta):
        return watch([key], domain.adjust_by, context, key, delta)

    def reserve(self, context, key, quantity):
        return watch([key], domain.reserve, context, key, quantity)

    def transfer(self, context, product_id, from_location_id, to_location_id, quantity):
        source = StockKey(product_id, from_location_id)
        return watch(
            [source], domain.transfer,
            context, product_id, from_location_id, to_location_id, quantity,
        )

    def hold(self, context, id, lines, ttl_seconds):
        return watch([line.key for line in lines], domain.hold, context, id, lines, ttl_seconds)

    def replace(self, context, id, lines):
        return watch([line.key for line in lines], domain.replace, context, id, lines)

    # The domain decides everything else.

    release = staticmethod(domain.release)
    extend = staticmethod(domain.extend)
    confirm = staticmethod(domain.confirm)
    fulfill = staticmethod(domain.fulfill)
    cancel = staticmethod(domain.cancel)
    expire = staticmethod(domain.expire)
    get_reservation = staticmethod(domain.get_reservation)
    list_reservations = staticmethod(domain.list_reservations)
    get_stock = staticmethod(domain.get_stock)
    list_stocks = staticmethod(domain.list_stocks)
    low_stock = staticmethod(domain.low_stock)


def watch(keys, command, *arguments):
    # Several lines can name one stock.
    stocks = {(key.product_id, key.location_id): key for key in keys}.values()
    before = [level(key) for key in stocks]
    # A rejection is raised here, and the rest is not run.
    outcome = command(*arguments)
    changes = [LowStockChange(key, was, level(key)) for key, was in zip(stocks, before)]
    falls = [Event_LowStockDetected(change) for change in changes if is_fall(change)]
    if falls:
        event_sink.publish(falls)
    return outcome


def is_fall(change):
    """Whether a low stock has fewer units. When a stock becomes low, the domain publishes the event."""
    was, now = change.from_, change.to
    return was is not None and is_low(was) and is_low(now) and available(now) < available(was)


def level(key):
    stock = storage.get_stock(key)
    return stock and stock.level


def available(level):
    return level.total - level.reserved


def is_low(level):
    return available(level) < level.minimum
