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

if ! python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or later with venv and pip is missing. Install it:" \
    "https://python.org, or apt-get install python3-venv" >&2
  exit 77
fi

mkdir -p "$sources/../../../target/interface/fuzz"
cd "$sources/../../../target/interface/fuzz"

# One run at a time. The lock goes with the process.
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi

# Written last, so that an installation that was cut short does not count.
installed=.venv/installed
if ! cmp -s "$sources/requirements.txt" "$installed"; then
  python3 -m venv --clear .venv >&2
  .venv/bin/pip install --quiet --disable-pip-version-check \
    --requirement "$sources/requirements.txt" >&2
  cp "$sources/requirements.txt" "$installed"
fi

# The seed makes a run the same as the one before it, as long as the document is the same.
SCHEMATHESIS_HOOKS="$sources/hooks.py" .venv/bin/schemathesis \
  --config-file "$sources/schemathesis.toml" \
  run "$document" --url "$url" --checks all --seed 1 --no-color "${@:5}"
