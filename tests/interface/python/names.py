"""The names that the generator takes from the document, in one place.

A module of `api` is an operation: its folder is the operation's first tag, and its name is the
`operationId`. A class of `models` is a schema of the document.
"""

from holdfast_client import Client
from holdfast_client.api.batch import batch
from holdfast_client.api.inventory import list_stocks, set_stock
from holdfast_client.api.reservations import confirm, fulfill, hold, list_reservations
from holdfast_client.models import (
    BatchBody,
    BatchMode,
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
)
from holdfast_client.types import UNSET

__all__ = [
    "UNSET",
    "BatchBody",
    "BatchMode",
    "Client",
    "HoldBody",
    "HoldCommand",
    "HoldCommandType",
    "LineRequestBody",
    "SetBody",
    "ReservationState",
    "ReserveCommand",
    "ReserveCommandType",
    "FulfillBody",
    "SetCommand",
    "SetCommandType",
    "batch",
    "confirm",
    "fulfill",
    "hold",
    "list_reservations",
    "list_stocks",
    "set_stock",
]
