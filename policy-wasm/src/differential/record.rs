//! Compares with what OPA said once; `scripts/fuzz.sh record` renews it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};

use super::{
    compare::{Kind, difference, kind},
    pair::{Policy, answers},
};

/// A policy and what OPA answers to its questions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Recorded {
    pub(super) policy: Policy,
    pub(super) opa: Vec<String>,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/differential/pairs.jsonl.gz")
}

pub(super) fn write(recorded: &[Recorded]) {
    let mut file = GzEncoder::new(File::create(file()).unwrap(), Compression::best());
    for one in recorded {
        writeln!(file, "{}", serde_json::to_string(one).unwrap()).unwrap();
    }
    file.finish().unwrap();
}

/// What we answer otherwise, by a part of the policy that shows it, and why.
const KNOWN: [(&str, &str); 4] = [
    (
        "some _ in [false, true] with input.a as input[i]",
        "a name that OPA takes for another one beside `some` is refused",
    ),
    (
        "some v in [v | not q; not input.a, q in input.a.c]",
        "a name that is declared twice is refused wherever its second value comes from",
    ),
    (
        "with input.b as input.list[1.0][_] with count as max} e",
        "a value of `with` in a template has no variables",
    ),
    (
        "input.a.c <= data.lib.q[_]",
        "what is gone through is evaluated before what it is compared with",
    ),
];

/// Ten thousand pairs of a policy and an input have OPA's answers, value for value.
#[test]
fn ten_thousand_answers_are_opas() {
    let work = || {
        let (mut pairs, mut wrong) = (0_usize, Vec::new());
        let lines = BufReader::new(GzDecoder::new(File::open(file()).unwrap())).lines();
        for line in lines {
            let one: Recorded = serde_json::from_str(&line.unwrap()).unwrap();
            for (opa, ours) in one.opa.iter().zip(answers(&one.policy)) {
                pairs += usize::from(kind(opa) != Kind::Refused);
                let text = one.policy.modules.join("---\n");
                let is_known = KNOWN.iter().any(|(part, _)| text.contains(part));
                if difference(opa, &ours.text).is_some() != is_known {
                    wrong.push(format!("{text}\nOPA:  {opa}\nours: {}", ours.text));
                }
            }
        }
        (pairs, wrong)
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    let (pairs, wrong) = thread.spawn(work).unwrap().join().unwrap();
    assert!(pairs >= 10_000, "{pairs}");
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n\n"), wrong.len());
}
