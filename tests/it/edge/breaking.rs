//! What happens when the gate breaks: the shim, in workerd, around a module that traps on demand.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use plinto_tests::{
    edge::Edge,
    process::{root, until},
};

/// Counts in its own memory, and traps.
const MODULE: &str = r#"(module
  (global $count (mut i32) (i32.const 0))
  (func (export "__wbindgen_start"))
  (func (export "count") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $count))
  (func (export "trap") unreachable))"#;

/// As wasm-bindgen's glue does it: a trap strikes in a callback, and the promise of the request
/// it was working for never settles.
const WORKER: &str = r#"
import wasmModule from "./module.wasm";
import { BROKEN, Gate } from "SHIM";
let waits = 0;
const glue = () => {
  let wasm;
  return {
    __wbg_set_wasm: (exports) => { wasm = exports; },
    count: () => wasm.count(),
    wait: () => { waits += 1; return new Promise((resolve) => setTimeout(resolve, 20000, "late")); },
    trap: () => new Promise(() => { setTimeout(() => wasm.trap(), 20); }),
    trapNow: () => wasm.trap(),
  };
};
const gate = new Gate(wasmModule, glue);
export default {
  async fetch(request) {
    const path = new URL(request.url).pathname.slice(1);
    if (path === "waits") return new Response(String(waits));
    if (!["count", "wait", "trap", "trapNow"].includes(path)) return new Response("ready");
    const answer = await gate.run(path);
    return answer === BROKEN ? new Response("broken", { status: 503 }) : new Response(String(answer));
  },
};
"#;

fn write(folder: &Path) {
    let text = folder.join("module.wat");
    std::fs::write(&text, MODULE).unwrap();
    let status = Command::new(root().join("node_modules/.bin/wasm-as"))
        .args([&text, Path::new("-o"), &folder.join("module.wasm")])
        .status()
        .unwrap();
    assert!(status.success());
    let shim = root().join("edge-worker/shim/instance.mjs");
    let worker = WORKER.replace("SHIM", &shim.to_string_lossy());
    std::fs::write(folder.join("worker.mjs"), worker).unwrap();
    let config =
        "name = \"breaking\"\nmain = \"worker.mjs\"\ncompatibility_date = \"2026-04-01\"\n";
    std::fs::write(folder.join("wrangler.toml"), config).unwrap();
}

/// N14: a trap refuses every request that was in the broken copy, at once, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_trap_refuses_the_requests_in_that_copy_and_the_next_gets_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let edge = Edge::of(&[&folder.path().join("wrangler.toml")]).await;
    let ask = async |path: &str| {
        let answer = reqwest::get(format!("{}/{path}", edge.url()))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let broken = || (503, "broken".to_owned());
    assert_eq!(ask("count").await, (200, "1".to_owned()));
    assert_eq!(ask("count").await, (200, "2".to_owned()));
    for (number, trap) in ["trap", "trapNow"].into_iter().enumerate() {
        let url = format!("{}/wait", edge.url());
        let waiting = tokio::spawn(async move {
            let answer = reqwest::get(url).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        });
        // it is in the copy before that breaks
        let waits = (number + 1).to_string();
        until("the request waits", Duration::from_secs(10), async || {
            (ask("waits").await.1 == waits).then_some(())
        })
        .await;
        let began = Instant::now();
        assert_eq!(ask(trap).await, broken(), "{trap}");
        assert_eq!(waiting.await.unwrap(), broken(), "{trap}");
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{trap}: {:?}",
            began.elapsed()
        );
        assert_eq!(ask("count").await, (200, "1".to_owned()), "{trap}");
    }
}

/// Runs the shim in Node, whose garbage collector can be called: five thousand requests that are
/// never heard of again, as when their clients hang up.
const HUNG_UP: &str = r#"
import { readFileSync } from "node:fs";
import { Gate } from "SHIM";
const glue = () => ({ __wbg_set_wasm() {}, wait: () => new Promise(() => {}) });
const gate = new Gate(new WebAssembly.Module(readFileSync("MODULE")), glue);
let gone = 0;
const registry = new FinalizationRegistry(() => { gone += 1; });
for (let at = 0; at < 5000; at += 1) registry.register(gate.run("wait"), at);
await new Promise((resolve) => setTimeout(resolve, 10));
globalThis.gc();
await new Promise((resolve) => setTimeout(resolve, 10));
console.log(gone);
"#;

/// A client that hangs up leaves nothing behind in an isolate that lives on.
#[test]
fn a_request_that_is_never_heard_of_again_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let shim = root().join("edge-worker/shim/instance.mjs");
    let program = HUNG_UP.replace("SHIM", &shim.to_string_lossy()).replace(
        "MODULE",
        &folder.path().join("module.wasm").to_string_lossy(),
    );
    let output = Command::new("node")
        .args(["--expose-gc", "--input-type=module", "-e", &program])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let gone: u32 = text
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("{text}{errors}"));
    assert!(gone > 4_900, "{gone} of 5000");
}
