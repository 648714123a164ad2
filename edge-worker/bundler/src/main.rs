//! Turns a compiled `wasm32-unknown-unknown` module into the pair a Worker bundle wants:
//! `<name>_bg.wasm` and `<name>_bg.js` (its imports, as an ES module), and `<name>.d.ts` (its types).
//!
//! Usage: `plinto-wasm-bundler <module.wasm> <output directory> <name>`
use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(module), Some(directory), Some(name), None) = (
        arguments.next(),
        arguments.next(),
        arguments.next(),
        arguments.next(),
    ) else {
        bail!("usage: plinto-wasm-bundler <module.wasm> <output directory> <name>");
    };
    Bindgen::new()
        .input_path(&module)
        .out_name(&name)
        .bundler(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&directory)
        .with_context(|| format!("failed to write the glue of `{module}` to `{directory}`"))
}
