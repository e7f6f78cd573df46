#!/usr/bin/env bash
# Builds the rule component: build.sh OUT.wasm
set -euo pipefail
out=$(realpath "${1:?usage: build.sh OUT.wasm}")
cd "$(dirname "$0")"

. ../../harness/python.sh
use_python . requirements.txt
# The interpreter imports all of WASI. With stubs in its place the component imports no WASI.
.venv/bin/componentize-py --wit-path ../../../wit --world rule \
  componentize --stub-wasi --output "$out" rule >&2
