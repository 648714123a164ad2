#!/usr/bin/env bash
# Builds the Worker: cargo for wasm32, then its JavaScript glue and wasm-opt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
use_wasm_toolchain
exec edge-worker/build.sh
