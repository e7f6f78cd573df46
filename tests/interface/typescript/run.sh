#!/usr/bin/env bash
# Generates a client for TypeScript from the document, compiles the session with it and runs the
# session against a server: run.sh DOCUMENT URL
set -euo pipefail
usage="usage: run.sh DOCUMENT URL"
document=$(realpath "${1:?$usage}")
url=${2:?$usage}
sources=$(realpath "$(dirname "$0")")

need() {
  command -v "$1" >/dev/null && return
  echo "$1 is missing. $2" >&2
  exit 77
}
need node "Install Node.js 20 or later: https://nodejs.org, or apt-get install nodejs"
need npm "Install it with Node.js: https://nodejs.org, or apt-get install npm"

mkdir -p "$sources/../../../target/interface/typescript"
cd "$sources/../../../target/interface/typescript"

# Only one run at a time. The lock ends with the process.
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi

# This file is written last, so that an interrupted installation does not count.
installed=node_modules/.installed
if ! cmp -s "$sources/package-lock.json" "$installed"; then
  cp "$sources/package.json" "$sources/package-lock.json" .
  npm ci --no-audit --no-fund >&2
  cp package-lock.json "$installed"
fi

cp "$sources/session.ts" "$sources/tsconfig.json" .
rm -f api.ts ./*.js
node_modules/.bin/openapi-typescript "$document" --output api.ts >&2
node_modules/.bin/tsc --project tsconfig.json >&2
node session.js "$url"
