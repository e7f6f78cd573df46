//! Errors of admin requests as problems.

use super::bodies;
use crate::{admin::AdminError, engine::SwapError, http::problem::Problem, replay::ReplayError};

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let code = match &error {
            AdminError::Busy | AdminError::Swap(SwapError::UnderWay) => "swap-under-way",
            AdminError::Refused(refusal) => {
                let steps = serde_json::to_value(bodies::steps(&refusal.steps));
                return Self::new("component-refused", error.to_string())
                    .with("steps", steps.unwrap_or_default());
            }
            AdminError::Swap(SwapError::Refused(_))
            | AdminError::Replay(ReplayError::Refused(_)) => "component-refused",
            AdminError::Swap(SwapError::NothingBefore) | AdminError::NoShadow => "no-component",
            AdminError::Swap(SwapError::Engine(inner)) => return inner.clone().into(),
            AdminError::Replay(ReplayError::NotRecorded(_)) => "not-recorded",
            AdminError::Replay(ReplayError::Store(_)) => "store-unavailable",
            AdminError::Library(_)
            | AdminError::Lost(_)
            | AdminError::Replay(ReplayError::Lost) => {
                tracing::error!(%error, "an operator's request failed");
                "internal-error"
            }
        };
        Self::new(code, error.to_string())
    }
}
