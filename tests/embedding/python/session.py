"""The inventory component in Python: runs one session of commands and queries, and prints each event
and each answer as a line of JSON.

    pip install -r requirements.txt
    python session.py /path/to/domain.wasm

Every example runs this session, with the same commands and queries at the same times. So the same
component must print the same lines in every runtime.
"""

import sys

from inventory import Inventory
from records import record, render

A_DEFAULT = record(product_id="a", location_id="default")
B_NORTH = record(product_id="b", location_id="north")


def line(key, quantity):
    return record(key=key, quantity=quantity)


# The time, the command and its arguments.
COMMANDS = [
    (1_000, "adjust-set", A_DEFAULT, 10, 5),
    (2_000, "adjust-set", B_NORTH, 4, None),
    (3_000, "reserve", A_DEFAULT, 3),
    (4_000, "reserve", A_DEFAULT, 8),
    (5_000, "hold", "cart-1", [line(A_DEFAULT, 2), line(B_NORTH, 1), line(A_DEFAULT, 1)], 60),
    (6_000, "replace", "cart-1", [line(A_DEFAULT, 1), line(B_NORTH, 2)]),
    (7_000, "extend", "cart-1", 120),
    (8_000, "confirm", "cart-1"),
    (9_000, "fulfill", "cart-1", [line(B_NORTH, 1)]),
    (10_000, "cancel", "cart-1", None),
    (11_000, "hold", "cart-2", [line(A_DEFAULT, 2)], 5),
    # cart-2 is due: the host expires it before the next command meets its stock.
    (20_000, "expire", "cart-2"),
    (20_000, "reserve", A_DEFAULT, 7),
    (21_000, "release", A_DEFAULT, 10),
    (22_000, "adjust-by", A_DEFAULT, -4),
    (23_000, "transfer", "a", "default", "north", 2),
    (24_000, "hold", "cart-3", [line(B_NORTH, 3)], 1),
    (30_000, "expire", "cart-3"),
]

REFERENCES = {3: "order-1"}  # by the number of the command

QUERIES = [
    ("get-stock", A_DEFAULT),
    ("get-stock", B_NORTH),
    ("low-stock", None, None, 10),
    ("get-reservation", "cart-1"),
    ("list-stocks", record(location_id=None, product_prefix=None, low=None), None, 10),
]


def main():
    inventory = Inventory(sys.argv[1])
    for number, (now, name, *given) in enumerate(COMMANDS, start=1):
        context = record(
            now=now,
            command_id=f"step-{number}",
            caller="session",
            reason=None,
            reference=REFERENCES.get(number),
            precondition=None,
        )
        answer, events = inventory.command(name, context, *given)
        for event in events:
            print(render({"event": event.tag, **vars(event.payload)}))
        print(render(answer))
    for name, *given in QUERIES:
        print(render(inventory.query(name, record(now=31_000, caller="session"), *given)))


if __name__ == "__main__":
    main()
