"""A session through a client that is generated from the document.

The session reads every answer through the attributes of its generated class, so an answer that the
document does not describe ends the session.
"""

import sys

from names import (
    UNSET,
    BatchBody,
    BatchMode,
    Client,
    HoldBody,
    HoldCommand,
    HoldCommandType,
    LineRequestBody,
    SetBody,
    ReservationState,
    ReserveCommand,
    ReserveCommandType,
    FulfillBody,
    SetCommand,
    SetCommandType,
    batch,
    confirm,
    fulfill,
    hold,
    list_reservations,
    list_stocks,
    set_stock,
)


def lines(quantity):
    """One line of the product of the session."""
    return [LineRequestBody(product_id="sku-1", quantity=quantity)]


def reserve(quantity):
    """A command of a batch."""
    return ReserveCommand(type_=ReserveCommandType.RESERVE, product_id="sku-2", quantity=quantity)


def session(client):
    answer = set_stock.sync_detailed(
        "sku-1", client=client, body=SetBody(total_quantity=10, minimum_stock_level=2)
    )
    print(f"set sku-1: {answer.status_code}, {answer.parsed.available_quantity} available")

    answer = hold.sync_detailed(
        client=client,
        body=HoldBody(reservation_id="cart-1", lines=lines(4), ttl_seconds=900),
        idempotency_key="cart-1-hold",
    )
    print(f"hold cart-1: {answer.status_code}, {answer.parsed.state}")

    answer = hold.sync_detailed(
        client=client, body=HoldBody(reservation_id="cart-2", lines=lines(7))
    )
    short = answer.parsed.lines[0]
    print(
        f"hold cart-2: {answer.status_code}, {answer.parsed.code},"
        f" {short.requested} requested, {short.available} available"
    )

    answer = confirm.sync_detailed("cart-1", client=client)
    print(f"confirm cart-1: {answer.status_code}, {answer.parsed.state}")

    answer = fulfill.sync_detailed("cart-1", client=client, body=FulfillBody(lines=lines(4)))
    print(f"fulfill cart-1: {answer.status_code}, {answer.parsed.state}")

    for stock in list_stocks.sync(client=client, limit=10).items:
        print(f"stocks: {stock.product_id} {stock.available_quantity} of {stock.total_quantity}")

    fulfilled = list_reservations.sync(client=client, state=ReservationState.FULFILLED)
    for reservation in fulfilled.items:
        print(f"reservations: {reservation.reservation_id} {reservation.state}")

    held = HoldCommand(type_=HoldCommandType.HOLD, lines=[LineRequestBody(product_id="sku-2", quantity=3)])
    commands = [
        SetCommand(type_=SetCommandType.SET, product_id="sku-2", total_quantity=5),
        reserve(3),
        held,
    ]
    body = BatchBody(mode=BatchMode.INDEPENDENT, commands=commands)
    print("batch:", *(outcome(result) for result in batch.sync(client=client, body=body).results))

    body = BatchBody(mode=BatchMode.ATOMIC, commands=[reserve(1), reserve(2)])
    answer = batch.sync_detailed(client=client, body=body)
    problem = answer.parsed
    print(
        f"batch refused: {answer.status_code}, {problem.code}, command {problem.command_index}"
    )

    body = BatchBody(mode=BatchMode.ATOMIC, commands=[reserve(0)])
    answer = batch.sync_detailed(client=client, body=body)
    pointers = " ".join(violation.pointer for violation in answer.parsed.errors)
    print(f"batch refused: {answer.status_code}, {answer.parsed.code}, {pointers}")


def outcome(result):
    """The status of a command, and the code where the command was refused."""
    problem = getattr(result, "problem", UNSET)
    return f"{result.status} {problem.code}" if problem else f"{result.status}"


with Client(base_url=sys.argv[1]) as connected:
    session(connected)
