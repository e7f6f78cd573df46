# Sourced by run.sh here and in ../browser, in this folder.

# need PROGRAM HOW-TO-INSTALL-IT
need() {
  command -v "$1" >/dev/null && return
  echo "$1 is missing. $2" >&2
  exit 77
}

# prepare COMPONENT: installs jco, and transpiles the component to generated/.
prepare() {
  need node "Install Node.js 20 or later: https://nodejs.org, or apt-get install nodejs"
  need npm "Install it with Node.js: https://nodejs.org, or apt-get install npm"

  # Both examples use generated/: one at a time. The lock goes with the process.
  if command -v flock >/dev/null; then
    exec 9>.lock
    flock 9
  fi

  # Written last, so that an installation that was cut short does not count.
  local installed=node_modules/.installed
  if ! cmp -s package-lock.json "$installed"; then
    npm ci --no-audit --no-fund >&2
    cp package-lock.json "$installed"
  fi
  HOLDFAST_COMPONENT="$1" npm run --silent transpile >&2
}
