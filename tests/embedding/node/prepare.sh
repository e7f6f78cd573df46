# run.sh here and in ../browser source this file, with this folder as the current one.

# need PROGRAM HOW-TO-INSTALL-IT
need() {
  command -v "$1" >/dev/null && return
  echo "$1 is missing. $2" >&2
  exit 77
}

# prepare COMPONENT: installs jco and transpiles the component to generated/.
prepare() {
  need node "Install Node.js 20 or later: https://nodejs.org, or apt-get install nodejs"
  need npm "Install it with Node.js: https://nodejs.org, or apt-get install npm"

  # Both examples use generated/, so only one may run at a time. The lock ends with the process.
  if command -v flock >/dev/null; then
    exec 9>.lock
    flock 9
  fi

  # This file is written last, so that an interrupted installation does not count.
  local installed=node_modules/.installed
  if ! cmp -s package-lock.json "$installed"; then
    npm ci --no-audit --no-fund >&2
    cp package-lock.json "$installed"
  fi
  HOLDFAST_COMPONENT="$1" npm run --silent transpile >&2
}
