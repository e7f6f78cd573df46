#!/usr/bin/env bash
# Builds the rule component: build.sh OUT.wasm
set -euo pipefail
out=$(realpath "${1:?usage: build.sh OUT.wasm}")
cd "$(dirname "$0")"

need() {
  command -v "$1" >/dev/null && return
  echo "$1 is missing. $2" >&2
  exit 77
}

need node "Install Node.js 20 or later: https://nodejs.org, or apt-get install nodejs"
need npm "Install it with Node.js: https://nodejs.org, or apt-get install npm"

# Only one installation at a time. The lock ends with the process.
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi

# This file is written last, so that an interrupted installation does not count.
installed=node_modules/.installed
if ! cmp -s package-lock.json "$installed"; then
  npm ci --no-audit --no-fund >&2
  cp package-lock.json "$installed"
fi
node build.js "$out" >&2
