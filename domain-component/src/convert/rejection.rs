//! Preconditions and the rejections that answer them.

use crate::contract::holdfast::inventory::types;
use domain::{Detail, Precondition, Rejection, Value};

/// Converts a precondition.
pub(crate) fn precondition_from_wit(precondition: types::Precondition) -> Precondition {
    match precondition {
        types::Precondition::Exists => Precondition::Exists,
        types::Precondition::Absent => Precondition::Absent,
        types::Precondition::VersionIn(versions) => Precondition::VersionIn(versions),
    }
}

/// Converts a rejection to its code, message and details.
pub(crate) fn rejection_to_wit(rejection: Rejection) -> types::Rejection {
    types::Rejection {
        code: rejection.code().into(),
        message: rejection.message(),
        details: rejection.into_details().into_iter().map(detail_to_wit).collect(),
    }
}

/// Converts one detail of a rejection.
fn detail_to_wit(detail: Detail) -> types::Detail {
    let value = match detail.value {
        Value::Text(text) => types::DetailValue::Text(text),
        Value::Unsigned(units) => types::DetailValue::Unsigned(units),
        Value::Signed(units) => types::DetailValue::Signed(units),
    };
    types::Detail { line: detail.line, name: detail.name.into(), value }
}
