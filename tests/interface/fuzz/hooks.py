"""What the document cannot tell Schemathesis."""

import os
import pathlib

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData

# No generator makes a component: half of the bodies are this one, the others any bytes.
COMPONENT = pathlib.Path(os.environ["COMPONENT"]).read_bytes()
schemathesis.openapi.media_type(
    "application/wasm", strategies.just(COMPONENT) | strategies.binary()
)


# Entity tags, often those of the first versions. Without a format of its own, Schemathesis makes
# headers of letters and digits; none of these is an entity tag, and for want of one it would send
# the number 0 in requests that are meant to be accepted.
ENTITY_TAGS = "holdfast-entity-tags"
schemathesis.openapi.format(
    ENTITY_TAGS,
    strategies.sampled_from(["*", '"1"', 'W/"1"', '"1", "2"', '"a,b"', '""'])
    | strategies.from_regex(r'(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*', fullmatch=True),
)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Names the format of entity tags, which have a pattern only."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in ("If-Match", "If-None-Match"):
                    parameter["schema"].setdefault("format", ENTITY_TAGS)


# The requests that can create what they are about.
CREATING = {("PUT", "/v1/inventory/{product_id}"), ("POST", "/v1/reservations")}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out of requests that are meant to be accepted what a schema cannot make acceptable."""
    if not case.meta or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # The server makes cursors, and refuses one that it did not make: no schema can tell the two
    # apart. `tests/lists.rs` follows real cursors and sends false ones.
    case.query.pop("cursor", None)
    # What a request creates is not there to be matched by `*`: most would end with that.
    if (case.method, case.path) in CREATING and case.headers.get("If-Match") == "*":
        case.headers.pop("If-Match")
    # The two headers exclude each other, which no schema of a header can say.
    if "If-Match" in case.headers:
        case.headers.pop("If-None-Match", None)


# Valid requests may be refused for these reasons, which no schema can tell: each is about what the
# server has, about the time, or about two values of the request together.
REFUSALS = {
    # An entity tag that is not the current one.
    "version-mismatch",
    # A key that another request of the run has used.
    "idempotency-key-reused",
    # Bytes that are no component.
    "component-refused",
}
VIOLATIONS = {
    # A transfer moves units to another location.
    ("/to_location_id", "must not be where the units are"),
    # The past ends now.
    ("/as_of", "must not be in the future"),
}

# Invalid requests may be refused for these reasons too: they exceed a bound of the document, and
# are refused as too large (413) rather than as invalid.
TOO_LARGE = {"batch-too-large", "body-too-large"}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps the failures but for refusals whose reason is one of those above."""
    if isinstance(failure, AcceptedNegativeData):
        return not (response.status_code == 413 and response.json()["code"] in TOO_LARGE)
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    if problem["code"] != "invalid-request":
        return problem["code"] not in REFUSALS
    violations = {(error["pointer"], error["detail"]) for error in problem["errors"]}
    return not violations <= VIOLATIONS
