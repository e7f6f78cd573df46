#!/usr/bin/env bash
# Generates a client for Python from the document and runs the session with it against a server:
# run.sh DOCUMENT URL
set -euo pipefail
usage="usage: run.sh DOCUMENT URL"
document=$(realpath "${1:?$usage}")
url=${2:?$usage}
sources=$(realpath "$(dirname "$0")")

. "$sources/../../harness/python.sh"
use_python "$sources/../../../target/interface/python" "$sources/requirements.txt"

cp "$sources/session.py" "$sources/names.py" .
# A warning means that a part of the interface is missing from the client.
.venv/bin/openapi-python-client generate --path "$document" --output-path holdfast_client \
  --overwrite --meta none --config "$sources/generator.yaml" --fail-on-warning >&2
.venv/bin/python session.py "$url"
