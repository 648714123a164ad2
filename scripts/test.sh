#!/usr/bin/env bash
# Runs the checks and the tests, and says at the end how many ran.
# Usage: test.sh [all|quick|lint|wasm]   `quick` leaves out Postgres and workerd.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
part="${1:-all}"
log=$(mktemp "${TMPDIR:-/tmp}/plinto-test.XXXXXX")
trap 'rm -f "$log"' EXIT
failed_checks=()
export CARGO_TERM_PROGRESS_WHEN=never WRANGLER_SEND_METRICS=false

# check <name> <command…>: a failed one is remembered, and the rest still runs
check() {
  local name="$1" began=$SECONDS
  shift
  step "$name"
  if "$@"; then say "$name: ok ($((SECONDS - began)) s)"; else failed_checks+=("$name"); say "$name: FAILED"; fi
}

format() { cargo fmt --all --check; }
lints() { cargo clippy --locked --workspace --all-targets --features policy-wasm/js -- -D warnings; }
wasm_crates() (
  use_wasm_toolchain
  cargo check --locked --target "$wasm_target" -p plinto-contract -p plinto-jose -p jwks-cache -p policy-wasm -p edge-worker --features policy-wasm/js
)
shim() { node --test edge-worker/shim/test/; }
binaries() { cargo build --locked --workspace --bins; }
# the tests start what was built above
tests() { PLINTO_BINARIES_ARE_BUILT=1 PLINTO_EDGE_BUILT=1 cargo test --locked --workspace --no-fail-fast "$@" 2>&1 | tee "$log"; return "${PIPESTATUS[0]}"; }
export -f tests
export log

# Postgres is for `all` only: what it needs may have to be installed
if [ "$part" = all ]; then scripts/setup.sh test || exit 1; else scripts/setup.sh check || exit 1; fi
case "$part" in lint | quick | all) check "format" format; check "lints" lints ;; esac
case "$part" in wasm | quick | all) check "wasm32" wasm_crates ;; esac
case "$part" in
  all)
    check "edge bundle" edge-worker/build.sh
    check "shim in Node" shim
    check "policy package in Node" scripts/policy-js.sh
    check "binaries" binaries
    check "tests on SQLite, Postgres and workerd" scripts/with-postgres.sh bash -c tests
    ;;
  quick)
    check "binaries" binaries
    check "tests on SQLite" tests -- --skip edge:: --skip journeys:: --skip on_postgres
    ;;
esac

# cargo prints one line per test binary: "test result: ok. 12 passed; 0 failed; 0 ignored; …"
count() { sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }
passed=$(count passed)
failed=$(count failed)
for name in "${failed_checks[@]:+${failed_checks[@]}}"; do
  case "$name" in tests*) [ "$failed" -gt 0 ] || failed=1 ;; *) failed=$((failed + 1)) ;; esac
done

printf '\n'
grep -E '^test .* FAILED$|^    [a-z0-9_:]+$' "$log" | sort -u | sed 's/^ */  failed: /' | head -n 40
# what passes without having run says so, past the capture of output; so do we
grep -ohE 'not run: .*' "$log" | sort -u
if [ "$part" = quick ]; then echo "not run: tests of the edge, of journeys and on Postgres (\`make test\` runs everything)"; fi
if [ ${#failed_checks[@]} -gt 0 ]; then printf 'failed: %s\n' "${failed_checks[@]}"; else echo "every check is green"; fi
case "$part" in all | quick) echo "$((passed + $(count failed))) tests ran, $(count ignored) ignored" ;; esac
echo "$passed passed, $failed failed"
[ ${#failed_checks[@]} -eq 0 ]
