#!/usr/bin/env bash
# Builds what the benches of the policy engine run: the npm package, the native program, npm's peers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. scripts/lib.sh
scripts/policy-js.sh build
cargo build --quiet --locked --release --manifest-path benches/policy/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-$root/target}"
lock=benches/policy/package-lock.json
if [ ! -e benches/policy/node_modules/.package-lock.json ] || [ "$lock" -nt benches/policy/node_modules/.package-lock.json ]; then
  npm ci --prefix benches/policy --no-audit --no-fund >&2
fi
