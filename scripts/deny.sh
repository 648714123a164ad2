#!/usr/bin/env bash
# Checks the dependency trees, the product's and the bundler's, against deny.toml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
cargo deny --version >/dev/null 2>&1 || die "cargo-deny is missing: cargo install cargo-deny --locked (ten minutes on two cores)"
# both locks name everything: nothing is fetched for these three
for manifest in Cargo.toml edge-worker/bundler/Cargo.toml; do
  step "bans, licences and sources of $manifest"
  cargo deny --locked --offline --manifest-path "$manifest" check --hide-inclusion-graph bans licenses sources
done
# the advisories are a git repository: without a way to it there is nothing to compare with
step "advisories"
if ! cargo deny --locked fetch db; then
  say "not run: advisories (their database could not be fetched)"
  exit 0
fi
for manifest in Cargo.toml edge-worker/bundler/Cargo.toml; do
  cargo deny --locked --manifest-path "$manifest" check advisories
done
