# What both wasm builds share: the tool that writes the glue, and the optimiser. Sourced, not run.
# Needs `root`, `cache`, `say` and `fail`.
wasm_tools="$root/node_modules/.bin"
wasm_folder="${CARGO_TARGET_DIR:-$root/target}"

# wasm_bundler: builds the tool once and names it in `bundler`
wasm_bundler() {
  local source="$root/edge-worker/bundler" version wanted sum
  [ -x "$wasm_tools/wasm-opt" ] && [ -x "$wasm_tools/esbuild" ] || fail "node_modules is missing: run \`npm ci\` first"
  # the tool and the library it reads after must agree on wasm-bindgen's version
  version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$root/Cargo.lock")
  wanted=$(sed -n 's/^wasm-bindgen-cli-support = "=\(.*\)"$/\1/p' "$source/Cargo.toml")
  [ "$version" = "$wanted" ] ||
    fail "Cargo.lock has wasm-bindgen $version, edge-worker/bundler/Cargo.toml wants $wanted: make them equal"
  sum=$(cat "$source"/Cargo.{toml,lock} "$source"/src/*.rs | sha256sum | cut -c1-12)
  bundler="$cache/wasm-bundler-$version-$sum"
  [ -x "$bundler" ] && return 0
  say "building the bundler for wasm-bindgen $version (once, about a minute)"
  cargo build --quiet --locked --release --manifest-path "$source/Cargo.toml" --target-dir "$wasm_folder"
  mkdir -p "$cache"
  install -m 755 "$wasm_folder/release/plinto-wasm-bundler" "$bundler.$$"
  mv "$bundler.$$" "$bundler"
}

# wasm_optimise <from> <to>: named one by one, since --all-features writes a module that workerd refuses
wasm_optimise() {
  "$wasm_tools/wasm-opt" -O3 --strip-debug --strip-producers \
    --enable-bulk-memory --enable-bulk-memory-opt --enable-reference-types \
    --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-multivalue \
    "$1" -o "$2"
}
