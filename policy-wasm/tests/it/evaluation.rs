//! x
use super::fixtures::*;

#[test]
fn explore() {
    for (rules, json) in [
        ("decision := {\"allow\": input.a}", r#"{"a":true}"#),
        ("f(x) := f(x)\ndecision := {\"allow\": f(1)}", "{}"),
        (
            "f(x) := g(x)\ng(x) := f(x+1)\ndecision := {\"allow\": f(1)}",
            "{}",
        ),
        (
            "f(x) := a if x\na := f(2)\ndecision := {\"allow\": f(1)}",
            "{}",
        ),
        ("a := b\nb := a\ndecision := {\"allow\": a}", "{}"),
        (
            "a contains x if some x in b\nb contains x if some x in a\ndecision := {\"allow\": a}",
            "{}",
        ),
        ("decision := {\"allow\": data.app.authz.decision}", "{}"),
        (
            "decision := {\"allow\": count([x | some x in data.app]) }",
            "{}",
        ),
        ("decision := {\"allow\": x}", "{}"),
        (
            "decision := {\"allow\": count([1 | some x in input.a; some y in input.a; some z in input.a; x+y+z > 0]) > 3}",
            r#"{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64]}"#,
        ),
    ] {
        match prepare(rules) {
            Ok(engine) => {
                let started = std::time::Instant::now();
                let e = engine.evaluate(input(json), &Default::default());
                eprintln!(
                    "{rules:?}\n   => {:?} {} {:?}",
                    e.fault,
                    e.steps,
                    started.elapsed()
                );
            }
            Err(e) => eprintln!("{rules:?}\n   => PREP {e}"),
        }
    }
}
