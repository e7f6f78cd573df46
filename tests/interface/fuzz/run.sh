#!/usr/bin/env bash
# Sends a server what its document allows and what it does not allow, and holds every answer
# against the document: run.sh DOCUMENT URL TOKEN COMPONENT [OPTION...]. TOKEN is the server's admin
# token, COMPONENT the file of a component that the server can be asked to use. Further options are
# Schemathesis's own: `--seed 7 --max-examples 100` tries other cases, and more of them.
set -euo pipefail
usage="usage: run.sh DOCUMENT URL TOKEN COMPONENT [OPTION...]"
document=$(realpath "${1:?$usage}")
url=${2:?$usage}
export ADMIN_TOKEN=${3:?$usage}
COMPONENT=$(realpath "${4:?$usage}")
export COMPONENT
sources=$(realpath "$(dirname "$0")")

. "$sources/../../harness/python.sh"
use_python "$sources/../../../target/interface/fuzz" "$sources/requirements.txt"

# The seed makes a run the same as the one before it, as long as the document is the same.
SCHEMATHESIS_HOOKS="$sources/hooks.py" .venv/bin/schemathesis \
  --config-file "$sources/schemathesis.toml" \
  run "$document" --url "$url" --checks all --seed 1 --no-color "${@:5}"
