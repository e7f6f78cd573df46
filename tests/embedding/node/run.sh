#!/usr/bin/env bash
# Runs the session in Node: run.sh COMPONENT.wasm
set -euo pipefail
component=$(realpath "${1:?usage: run.sh COMPONENT.wasm}")
cd "$(dirname "$0")"
. ./prepare.sh
prepare "$component"
npm run --silent start
