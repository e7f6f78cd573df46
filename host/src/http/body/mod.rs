//! One type per body, and per query string: the type, the parser and the schema in one.
//!
//! A field of such a type is valid by its own type ([`leaves`]), so what has been read cannot be
//! wrong. All violations of a request are told at once, each with a JSON pointer; members that are
//! unknown or given twice are refused, since a misspelt member would ask for something else.
//!
//! Two crates were weighed for this. `eserde` stops reading an object at its first unknown or
//! repeated member. `deserr` reads from a tree in memory, and the last of two members with the
//! same name wins. Both would still need a schema beside the type. The macro [`object!`] reads
//! straight from the text, in one pass, without a tree, and makes the schema from the same lines.

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
    TimeToLive, Version, Word, leaf, word, word_schema, words,
};
pub(super) use list::{List, items};
pub(super) use object::{Object, Slot, object, read as read_object};
pub(super) use query::{Query, parameters, read as read_query};
pub(super) use scalar::Scalar;
pub(super) use schema::Property;
pub(super) use tree::Tree;
pub(super) use value::{Leaf, Reader, Schema, Schemas, Value, read_leaf};
pub(super) use violations::{Part, Violations};

/// The most commands of one batch.
pub(super) const COMMANDS_MAX: usize = 1_000;
