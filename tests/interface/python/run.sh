#!/usr/bin/env bash
# Generates a client for Python from the document and runs the session with it against a server:
# run.sh DOCUMENT URL
set -euo pipefail
usage="usage: run.sh DOCUMENT URL"
document=$(realpath "${1:?$usage}")
url=${2:?$usage}
sources=$(realpath "$(dirname "$0")")

if ! python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or later with venv and pip is missing. Install it:" \
    "https://python.org, or apt-get install python3-venv" >&2
  exit 77
fi

mkdir -p "$sources/../../../target/interface/python"
cd "$sources/../../../target/interface/python"

# Only one run at a time. The lock ends with the process.
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi

# This file is written last, so that an interrupted installation does not count.
installed=.venv/installed
if ! cmp -s "$sources/requirements.txt" "$installed"; then
  python3 -m venv --clear .venv >&2
  .venv/bin/pip install --quiet --disable-pip-version-check \
    --requirement "$sources/requirements.txt" >&2
  cp "$sources/requirements.txt" "$installed"
fi

cp "$sources/session.py" "$sources/names.py" .
# A warning means that a part of the interface is missing from the client.
.venv/bin/openapi-python-client generate --path "$document" --output-path holdfast_client \
  --overwrite --meta none --config "$sources/generator.yaml" --fail-on-warning >&2
.venv/bin/python session.py "$url"
