//! `holdfast openapi`.

use super::print;
use anyhow::Context;

/// Prints the OpenAPI document that `/openapi.json` serves.
pub(super) fn run() -> anyhow::Result<()> {
    print(&crate::http::document().context("writing the OpenAPI document")?)
}
