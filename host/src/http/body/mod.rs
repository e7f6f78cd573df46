//! The types of request bodies and query strings. One declaration makes the type, its parser and
//! its schema.
//!
//! The type of each field ([`leaves`]) admits only valid values, so that a body that was read is
//! valid. All violations of a request are reported together, each with a JSON pointer. Members that
//! are unknown or given twice are refused: a misspelt optional member would otherwise be ignored,
//! and the request would mean something else.
//!
//! Two crates were considered instead. `eserde` stops reading an object at its first unknown or
//! repeated member. `deserr` reads from a tree in memory, where the last of two members with the
//! same name wins. With both, the schema would have to be written separately. The macro [`object!`]
//! parses the text in one pass without a tree, and makes the schema from the same lines.

mod any;
mod leaves;
mod list;
mod object;
mod optional;
mod query;
mod scalar;
pub(super) mod schema;
mod tree;
mod value;
mod violations;

pub(super) use leaves::{
    Delta, EventNumber, Limit, Moment, Prefix, Quantity, ReservationId, Seconds, Sequence, Text,
    TimeToLive, Version, Word, check_addressable, leaf, word, word_schema, words,
};
pub(super) use list::{List, items};
pub(super) use object::{Object, Slot, object, read as read_object};
pub(super) use query::{Query, parameters, read as read_query};
pub(super) use scalar::Scalar;
pub(super) use schema::Property;
pub(super) use tree::Tree;
pub(super) use value::{Leaf, Reader, Schema, Schemas, Value, read_leaf};
pub(super) use violations::{Part, Violations};

/// The maximum number of commands in a batch.
pub(super) const COMMANDS_MAX: usize = 1_000;
