#!/usr/bin/env bash
# Builds the npm package @plinto/policy into policy-wasm/npm/dist and runs its tests in Node.
# Usage: policy-js.sh [build|test]   `test` is the default.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. scripts/lib.sh
fail() { die "$*"; }
. scripts/wasm.sh
package=policy-wasm/npm
dist="$package/dist"
wasm_bundler
use_wasm_toolchain

say "compiling"
cargo rustc --quiet --locked --target-dir "$wasm_folder" -p policy-wasm --features js --lib --crate-type cdylib \
  --target wasm32-unknown-unknown --profile edge
module="$wasm_folder/wasm32-unknown-unknown/edge/plinto_policy.wasm"

stamp=$(sha256sum "$module" "$bundler" scripts/policy-js.sh scripts/wasm.sh | cut -d' ' -f1 | sha256sum | cut -d' ' -f1)
if [ "$(cat "$dist/stamp" 2>/dev/null)" != "$stamp" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  say "writing the glue and optimising (half a minute)"
  "$bundler" "$module" "$work" plinto_policy
  rm -rf "$dist"
  mkdir -p "$dist"
  wasm_optimise "$work/plinto_policy_bg.wasm" "$dist/plinto_policy_bg.wasm"
  cp "$work/plinto_policy.js" "$work/plinto_policy_bg.js" "$work/plinto_policy.d.ts" "$dist/"
  printf '%s\n' "$stamp" >"$dist/stamp"
fi
[ "${1:-test}" = build ] || exec node --test "$package/test/"
