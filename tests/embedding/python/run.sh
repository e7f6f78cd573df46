#!/usr/bin/env bash
# Runs the session in Python: run.sh COMPONENT.wasm
set -euo pipefail
component=$(realpath "${1:?usage: run.sh COMPONENT.wasm}")
cd "$(dirname "$0")"

# On Debian, venv needs a package of its own.
if ! python3 -c "import ensurepip" 2>/dev/null; then
  echo "python3 with venv is missing. Install it: apt-get install python3-venv" >&2
  exit 77
fi

# This file is written last, so that an interrupted installation does not count.
installed=.venv/requirements.txt
if ! cmp -s requirements.txt "$installed"; then
  python3 -m venv --clear .venv >&2
  .venv/bin/pip install --disable-pip-version-check --requirement requirements.txt >&2
  cp requirements.txt "$installed"
fi
.venv/bin/python session.py "$component"
