#!/usr/bin/env bash
# Runs the session in Python: run.sh COMPONENT.wasm
set -euo pipefail
component=$(realpath "${1:?usage: run.sh COMPONENT.wasm}")
cd "$(dirname "$0")"

. ../../harness/python.sh
use_python . requirements.txt
.venv/bin/python session.py "$component"
