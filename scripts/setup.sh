#!/usr/bin/env bash
# Fetches what a build needs and doesn't have yet. Safe to repeat; the second time takes a second.
# Usage: setup.sh [run|check|test]   `check` also needs rustfmt and clippy, `test` (the default)
# Postgres besides.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
purpose="${1:-test}"
mkdir -p "$cache"

check_tools() {
  have cargo || die "cargo is missing: install Rust 1.94 or newer (https://rustup.rs)"
  have node || die "node is missing: install Node.js 20 or newer (apt-get install nodejs npm)"
  have npm || die "npm is missing: install it beside Node.js (apt-get install npm)"
  have cc || die "no C compiler: apt-get install build-essential"
  local rust node
  rust=$(rustc --version | sed -E 's/rustc 1\.([0-9]+).*/\1/')
  [ "$rust" -ge 94 ] || die "$(rustc --version | cut -d' ' -f1,2) is too old: Plinto needs Rust 1.94 or newer (rustup update)"
  node=$(node --version | sed -E 's/v([0-9]+).*/\1/')
  [ "$node" -ge 20 ] || die "node $(node --version) is too old: Plinto needs Node.js 20 or newer"
}

# Debian's compiler brings the sources of the standard library; std for wasm is built from them once.
wasm_by_debian() {
  have apt-get || return 1
  if have rustup; then say "rustup can't reach its server"; else say "there is no rustup"; fi
  say "trying Debian's compiler"
  as_root apt-get update -qq >&2 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rustc-web rust-web-src lld-22 >&2 || return 1
  local folder="$cache/wasm-std"
  mkdir -p "$folder/src"
  printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n' >"$folder/Cargo.toml"
  : >"$folder/src/lib.rs"
  say "building the standard library for $wasm_target (about a minute)"
  (cd "$folder" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 cargo build --release \
    -Zbuild-std=std,panic_abort,panic_unwind,proc_macro --target "$wasm_target" >&2) || return 1
  local into
  into="$(/usr/bin/rustc --print sysroot)/lib/rustlib/$wasm_target/lib"
  as_root mkdir -p "$into" && as_root cp "$folder/target/$wasm_target/release/deps/"*.rlib "$into/"
}

wasm() {
  if wasm_from_rustup || wasm_from_debian; then return 0; fi
  step "Rust's standard library for $wasm_target"
  if have rustup && timeout 300 rustup target add "$wasm_target" >&2; then return 0; fi
  wasm_by_debian && return 0
  die "no wasm32 standard library: run \`rustup target add $wasm_target\`, or as root \`apt-get install rustc-web rust-web-src lld-22\`"
}

npm_packages() {
  local stamp want
  stamp=node_modules/.plinto-lock
  want=$(sha256sum package-lock.json | cut -d' ' -f1)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then return 0; fi
  step "npm packages: workerd, wrangler, esbuild, wasm-opt"
  npm ci --no-audit --no-fund --prefer-offline --loglevel=error >&2 || die "npm ci failed; see the lines above"
  printf '%s' "$want" >"$stamp"
}

rust_components() {
  local component
  for component in rustfmt clippy; do
    if cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1; then continue; fi
    step "Rust component $component"
    have rustup && rustup component add "$component" >&2 || die "$component is missing: rustup component add $component"
  done
}

postgres() {
  postgres_bin >/dev/null && return 0
  step "PostgreSQL server binaries, for the tests"
  if have apt-get && as_root apt-get update -qq >&2 &&
     as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2; then
    postgres_bin >/dev/null && return 0
  fi
  die "no PostgreSQL server: as root \`apt-get install postgresql\`, or set PLINTO_POSTGRES_BIN to a folder with initdb and pg_ctl"
}

check_tools
wasm
npm_packages
case "$purpose" in check | test) rust_components ;; esac
if [ "$purpose" = test ]; then postgres; fi
step "crates"
cargo fetch --locked >&2 || die "cargo could not fetch the crates of Cargo.lock"
say "set-up is complete"
