#!/usr/bin/env bash
# Compares generated policies with a real `opa`, compiled in from Go, until PAIRS were asked.
# Usage: fuzz.sh [record]   SEED (default: the time), PAIRS (default: a million; 10,000 to record).
# What differs is shown as small as it can be made. `record` renews what `make test` compares with.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. scripts/lib.sh
have go || die "Go is needed: https://go.dev/doc/install"
program="$cache/fuzz-opa"
step "OPA"
mkdir -p "$cache"
go build -C policy-wasm/conformance/differential -o "$program" .
case "${1:-}" in
  record) export RECORD=1 PAIRS="${PAIRS:-10000}" ;;
  "") export PAIRS="${PAIRS:-1000000}" SEED="${SEED:-$(date +%s)}"; step "$PAIRS pairs from seed $SEED" ;;
  *) die "usage: fuzz.sh [record]" ;;
esac
PLINTO_FUZZ_OPA="$program" cargo test --quiet --locked -p policy-wasm --lib \
  --config 'profile.dev.package.policy-wasm.opt-level=1' differential::live -- --nocapture
