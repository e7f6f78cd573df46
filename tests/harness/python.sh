# Sourced by scripts that run Python with packages.
#
# use_python FOLDER REQUIREMENTS changes to FOLDER, which is created where it is missing, and brings
# the packages of the file REQUIREMENTS into its environment `.venv`. Exits with 77, which tests take
# as skipped, where Python 3.11 with venv and pip is missing. One script at a time uses a folder: the
# lock ends with the process.
use_python() {
  local folder=$1 requirements
  requirements=$(realpath "$2")
  # On Debian, venv needs a package of its own.
  if ! python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or later with venv and pip is missing. Install it:" \
      "https://python.org, or apt-get install python3-venv" >&2
    exit 77
  fi
  mkdir -p "$folder"
  cd "$folder"
  if command -v flock >/dev/null; then
    exec 9>.lock
    flock 9
  fi
  # This file is written last, so that an interrupted installation does not count.
  local installed=.venv/installed
  if ! cmp -s "$requirements" "$installed"; then
    python3 -m venv --clear .venv >&2
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$installed"
  fi
}
