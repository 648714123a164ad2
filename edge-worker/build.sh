#!/usr/bin/env bash
# Builds the edge Worker: compile to WebAssembly, write its glue, optimise, wrap.
# Does nothing that is already done; `wrangler` and `make` both call it.
#
# Leaves edge-worker/build/edge_worker.wasm and edge-worker/build/glue.mjs.
# With PLINTO_EDGE_BUILT=1 it trusts what is there (a test run that has just built it).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
build="$here/build"
. "$root/scripts/lib.sh"

say() { printf 'edge: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
. "$root/scripts/wasm.sh"

# Wrangler says what it builds for.
case "${WRANGLER_COMMAND:-}" in
  deploy | "versions upload")
    here_only='s,^(ISSUER|CONTROL_PLANE|UPSTREAM) *= *"https?://(localhost|127\.[0-9.]+|\[::1\])[:/"].*,\1,p'
    for name in $(sed -nE "$here_only" "$root/wrangler.toml"); do
      say "warning: $name in wrangler.toml is an address of this machine, which no deployed Worker reaches"
    done
    ;;
esac

if [ "${PLINTO_EDGE_BUILT:-}" = 1 ] && [ -f "$build/edge_worker.wasm" ] && [ -f "$build/glue.mjs" ]; then
  exit 0
fi

wasm_bundler
use_wasm_toolchain
say "compiling"
cargo build ${PLINTO_CARGO_FLAGS:-} --quiet --locked --manifest-path "$root/Cargo.toml" --target-dir "$wasm_folder" \
  -p edge-worker --lib --target wasm32-unknown-unknown --profile edge
module="$wasm_folder/wasm32-unknown-unknown/edge/edge_worker.wasm"

stamp=$(sha256sum "$module" "$bundler" "$here/build.sh" "$root/scripts/wasm.sh" "$here"/shim/*.mjs | cut -d' ' -f1 | sha256sum | cut -d' ' -f1)
if [ -f "$build/glue.mjs" ] && [ "$(cat "$build/stamp" 2>/dev/null)" = "$stamp" ]; then
  say "up to date"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "writing the glue"
"$bundler" "$module" "$work" edge_worker
say "optimising (half a minute)"
wasm_optimise "$work/edge_worker_bg.wasm" "$work/edge_worker.wasm"
# a function, so that every copy of the gate has glue with state of its own
"$wasm_tools/esbuild" "$work/edge_worker_bg.js" --bundle --format=cjs --log-level=warning \
  --banner:js='export function createGlue(){const module={exports:{}};' \
  --footer:js='return module.exports}' --outfile="$work/glue.mjs"

bytes=$(gzip -9c "$work/edge_worker.wasm" "$work/glue.mjs" "$here"/shim/*.mjs | wc -c)
say "gzip $((bytes / 1024)) KiB of at most 1126 KiB"
# before anything is put where a later run would find it and believe it
[ "$bytes" -le 1153433 ] || fail "the Worker is larger than 1.1 MiB when gzipped"
mkdir -p "$build"
rm -f "$build/stamp"
mv "$work/edge_worker.wasm" "$work/glue.mjs" "$build/"
printf '%s\n' "$bytes" >"$build/gzip-bytes"
printf '%s\n' "$stamp" >"$build/stamp"
