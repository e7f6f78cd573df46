#!/usr/bin/env bash
# Builds the domain component with `cargo component build` and runs the whole test suite on it. It
# must have the same imports and exports, and make the same decisions.
set -euo pipefail
cd "$(dirname "$0")/.."
target=target/cargo-component
# cargo-component builds for wasm32-wasip1 and turns the module into a component itself.
cargo component build --package domain-component --profile component --target-dir "$target"
component=$(find "$target" -path '*/component/domain_component.wasm' | head -n 1)
echo "$component: $(stat -c %s "$component") bytes"
HOLDFAST_TEST_COMPONENT="$PWD/$component" cargo test --locked --package holdfast --test holdfast
