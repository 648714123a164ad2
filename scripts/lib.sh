# Shared by the scripts here: messages, and the environment of a wasm build. Sourced, not run.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/plinto"
say()  { printf '%s\n' "$*" >&2; }
step() { printf '\n\033[1m==> %s\033[0m\n' "$*" >&2; }
die()  { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# as_root <command…>: runs it as root, or fails where that isn't possible without a question
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

# The standard library for wasm32 comes from rustup, or from Debian's own compiler.
wasm_target=wasm32-unknown-unknown
wasm_from_rustup() { [ -d "$(rustc --print sysroot)/lib/rustlib/$wasm_target/lib" ]; }
wasm_from_debian() {
  [ -x /usr/bin/rustc ] && ls "$(/usr/bin/rustc --print sysroot)/lib/rustlib/$wasm_target/lib/"libcore-*.rlib >/dev/null 2>&1
}

# use_wasm_toolchain: sets compiler and linker for wasm32, where rustup's won't do
use_wasm_toolchain() {
  wasm_from_rustup && return 0
  wasm_from_debian || die "no wasm32 standard library; run \`make setup\`"
  local name linker=
  for name in wasm-ld wasm-ld-22 wasm-ld-21 wasm-ld-20 wasm-ld-19; do
    if have "$name"; then linker="$name"; break; fi
  done
  [ -n "$linker" ] || die "no linker for wasm32: as root \`apt-get install lld\`"
  export RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker"
}

# postgres_bin: prints the folder that holds initdb and pg_ctl, newest first
postgres_bin() {
  local folder
  for folder in "${PLINTO_POSTGRES_BIN:-}" $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -Vr) \
      "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")" "$(pg_config --bindir 2>/dev/null || true)"; do
    if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then echo "$folder"; return 0; fi
  done
  return 1
}
