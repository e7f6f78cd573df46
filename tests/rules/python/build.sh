#!/usr/bin/env bash
# Builds the rule component: build.sh OUT.wasm
set -euo pipefail
out=$(realpath "${1:?usage: build.sh OUT.wasm}")
cd "$(dirname "$0")"

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo "python3 with venv and pip is missing. Install Python 3.10 or later:" \
    "https://python.org, or apt-get install python3-venv" >&2
  exit 77
fi

# Only one installation at a time. The lock ends with the process.
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi

# This file is written last, so that an interrupted installation does not count.
installed=.venv/installed
if ! cmp -s requirements.txt "$installed"; then
  python3 -m venv --clear .venv >&2
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt >&2
  cp requirements.txt "$installed"
fi
# The interpreter imports all of WASI. With stubs in its place the component imports no WASI.
.venv/bin/componentize-py --wit-path ../../../wit --world rule \
  componentize --stub-wasi --output "$out" rule >&2
