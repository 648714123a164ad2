//! Asks OPA, as long as it is told to.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use super::{
    compare::{difference, is_none, is_stricter},
    generate::policy,
    pair::{Policy, answers},
    record::Recorded,
    shrink::shrunk,
};

/// Policies that are asked at once.
const BATCH: u64 = 512;
/// Policies that OPA's compiler refuses, among those that are recorded.
const REFUSALS: u64 = 500;
const STACK_BYTES: usize = 64 << 20;

#[expect(
    clippy::disallowed_methods,
    reason = "where OPA is, and how much to ask, is the caller's to say"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str, otherwise: u64) -> u64 {
    variable(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// A running OPA.
pub(super) struct Opa {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Opa {
    pub(super) fn start(program: &PathBuf) -> Self {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        // It says its version first.
        from.read_line(&mut String::new()).unwrap();
        Self { child, to, from }
    }

    pub(super) fn ask(&mut self, policies: &[Policy]) {
        let mut text = String::new();
        for policy in policies {
            writeln!(text, "{}", serde_json::to_string(policy).unwrap()).unwrap();
        }
        text.push('\n');
        self.to.write_all(text.as_bytes()).unwrap();
        self.to.flush().unwrap();
    }

    pub(super) fn answers(&mut self) -> Vec<String> {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Opa {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What differs in one question, as it is told.
fn told(policy: &Policy, opa: &str, ours: &str) -> String {
    let mut text = String::new();
    for module in &policy.modules {
        writeln!(text, "{}\n---", module.trim_end()).unwrap();
    }
    let ask = &policy.asks[0];
    let input = ask.input.as_ref().map_or("none", |input| input.get());
    writeln!(text, "data: {}\ninput: {input}", policy.data.get()).unwrap();
    writeln!(text, "strict: {}\nOPA:  {opa}\nours: {ours}", ask.strict).unwrap();
    text
}

/// Asks both about one policy.
fn both(opa: &mut Opa, policy: &Policy) -> (String, String) {
    opa.ask(std::slice::from_ref(policy));
    let ours = answers(policy).swap_remove(0).text;
    (opa.answers().swap_remove(0), ours)
}

fn run(program: &PathBuf) -> Vec<String> {
    let pairs = number("PAIRS", 1_000_000);
    let differences = number("DIFFERENCES", 20);
    let first = number("SEED", 1);
    let mut opa = Opa::start(program);
    let mut stderr = std::io::stderr();
    let began = Instant::now();
    let (mut seed, mut compared, mut refused) = (first, 0_u64, 0_u64);
    let mut kinds = std::collections::BTreeMap::<String, u64>::new();
    let mut stricter = 0_u64;
    let mut shown = std::collections::BTreeSet::new();
    let mut found: Vec<(String, String)> = Vec::new();
    while compared < pairs {
        let policies: Vec<Policy> = (seed..seed + BATCH).map(policy).collect();
        opa.ask(&policies);
        let ours: Vec<_> = policies.iter().map(answers).collect();
        let mut differing = Vec::new();
        for (policy, ours) in policies.iter().zip(ours) {
            for ((ask, opa), ours) in policy.asks.iter().zip(opa.answers()).zip(ours) {
                if is_none(&opa) {
                    refused += 1;
                    continue;
                }
                compared += 1;
                let kind = opa.split([' ', ':']).next().unwrap();
                let kind = if kind.starts_with('=') { "=" } else { kind };
                *kinds.entry(kind.to_owned()).or_default() += 1;
                if let Some(kinds) = difference(&opa, &ours.text) {
                    if is_stricter(&kinds) {
                        stricter += 1;
                    }
                    let one = Policy {
                        asks: vec![ask.clone()],
                        ..policy.clone()
                    };
                    differing.push((one, kinds));
                }
            }
        }
        seed += BATCH;
        for (policy, kinds) in differing {
            let name = format!("{kinds:?}");
            // One of each kind is enough to read.
            if shown.contains(&name) || found.iter().any(|(other, _)| *other == name) {
                continue;
            }
            let small = shrunk(&policy, |policy| {
                let (opa, ours) = both(&mut opa, policy);
                difference(&opa, &ours).as_ref() == Some(&kinds)
            });
            let (opa, ours) = both(&mut opa, &small);
            let text = told(&small, &opa, &ours);
            writeln!(stderr, "{text}").unwrap();
            if is_stricter(&kinds) {
                shown.insert(name);
            } else {
                found.push((name, text));
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "a rate to be read"
        )]
        let rate = compared as f64 / seconds;
        writeln!(
            stderr,
            "{compared} pairs, {stricter} refused beyond OPA, {refused} without an answer, {rate:.0} pairs/s, \
             seeds to {seed}, {kinds:?}"
        )
        .unwrap();
        if u64::try_from(found.len()).unwrap() >= differences {
            break;
        }
    }
    found.into_iter().map(|(_, text)| text).collect()
}

/// Records OPA's answers, until `PAIRS` of them are no refusals.
fn record(program: &PathBuf) {
    let pairs = number("PAIRS", 10_000);
    let mut opa = Opa::start(program);
    let (mut seed, mut answered, mut refusals) = (1, 0_u64, 0_u64);
    let mut recorded = Vec::new();
    while answered < pairs {
        let policies: Vec<Policy> = (seed..seed + BATCH).map(policy).collect();
        seed += BATCH;
        opa.ask(&policies);
        for policy in policies {
            let said = opa.answers();
            if said.iter().any(|answer| is_none(answer)) {
                continue;
            }
            if said.iter().all(|answer| answer.starts_with("refused")) {
                refusals += 1;
                if refusals > REFUSALS {
                    continue;
                }
            } else {
                answered += u64::try_from(said.len()).unwrap();
            }
            recorded.push(Recorded { policy, opa: said });
        }
    }
    super::record::write(&recorded);
}

/// Nothing differs, but that some requests are refused which OPA lets through: they are shown and counted.
/// `scripts/fuzz.sh` says how much is asked; without it nothing is, and
/// [`super::record`] compares with what OPA said once.
#[test]
fn opa_answers_as_we_do() {
    let Some(program) = variable("PLINTO_FUZZ_OPA") else {
        return;
    };
    let is_record = variable("RECORD").is_some();
    let work = std::thread::Builder::new().stack_size(STACK_BYTES);
    let work = work.spawn(move || {
        let program = PathBuf::from(program);
        if is_record {
            record(&program);
            return Vec::new();
        }
        run(&program)
    });
    let found = work.unwrap().join().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
