#!/usr/bin/env bash
# Checks the dependency trees, the product's and the bundler's, against deny.toml.
# Usage: deny.sh   ADVISORY_DB=<folder> names a copy of RustSec's advisory database, with `crates` in it;
# without it the database is fetched, or else taken from ~/.cargo/advisory-db, where cargo-audit keeps it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
cargo deny --version >/dev/null 2>&1 || die "cargo-deny is missing: cargo install cargo-deny --locked (ten minutes on two cores)"
manifests=(Cargo.toml edge-worker/bundler/Cargo.toml)
# both locks name everything: nothing is fetched for these three
for manifest in "${manifests[@]}"; do
  step "bans, licences and sources of $manifest"
  cargo deny --locked --offline --manifest-path "$manifest" check --hide-inclusion-graph bans licenses sources
done

# advisories [options…]: checks both trees with them
advisories() {
  local manifest
  for manifest in "${manifests[@]}"; do
    step "advisories of $manifest"
    cargo deny --locked --manifest-path "$manifest" "$@"
  done
}

database="${ADVISORY_DB:-}"
if [ -z "$database" ]; then
  if cargo deny --locked fetch db; then
    advisories check --hide-inclusion-graph advisories
    exit 0
  fi
  database="${CARGO_HOME:-$HOME/.cargo}/advisory-db"
  say "RustSec's database could not be fetched; trying $database"
fi
[ -d "$database/crates" ] ||
  die "advisories were not checked: $database is no copy of RustSec's database; name one with ADVISORY_DB=<folder>"
# cargo-deny reads a git repository at a place of its own, named after the address it fetches from
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy="$work/advisory-db-3157b0e258782691"
mkdir "$copy"
cp -R "$database/." "$copy"
rm -rf "$copy/.git"
git -C "$copy" init --quiet
git -C "$copy" add --all
git -C "$copy" -c user.name=plinto -c user.email=plinto@localhost -c commit.gpgsign=false commit --quiet --message=copy
sed "/^\[advisories\]/a db-path = \"$work\"" deny.toml >"$work/deny.toml"
say "the newest advisory in $database is of $(grep -rhoE '^date = "[0-9-]+"' "$database/crates" | sort | tail -n 1 | cut -d'"' -f2)"
advisories --offline --config "$work/deny.toml" check --hide-inclusion-graph advisories
