#!/usr/bin/env bash
# Runs the session in a headless Chromium: run.sh COMPONENT.wasm
set -euo pipefail
component=$(realpath "${1:?usage: run.sh COMPONENT.wasm}")
cd "$(dirname "$0")/../node"
. ./prepare.sh
need chromium "Install it: apt-get install chromium"
prepare "$component"
node ../browser/check.js
