#!/usr/bin/env bash
# Checks the dependency tree against deny.toml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
cargo deny --version >/dev/null 2>&1 || die "cargo-deny is missing: cargo install cargo-deny --locked (ten minutes on two cores)"
cargo deny --locked check bans licenses sources
# the advisory database is a git repository; without a way to it there is nothing to compare with
cargo deny --locked check advisories
