#![allow(warnings)]

use plinto_policy::engine::{Engine, Limits};
use std::time::Instant;
#[path = "../tests/it/fixtures.rs"]
mod f;
use f::*;

fn main() {
    let roles: String = (0..40)
        .map(|r| {
            let perms: Vec<String> = (0..40).map(|p| format!("\"p{p}\":true")).collect();
            format!("\"r{r}\":{{{}}}", perms.join(","))
        })
        .collect::<Vec<_>>()
        .join(",");
    let grants: String = (0..64)
        .map(|g| format!("{{\"role\":\"r{g}\",\"permission\":\"p{g}\"}}"))
        .collect::<Vec<_>>()
        .join(",");
    let data = format!("{{\"roles\":{{{roles}}},\"grants\":[{grants}]}}");
    let lookup = "package app.authz
import data.plinto.roles
decision := {\"allow\": allow, \"reasons\": reasons, \"obligations\": {}}
default allow := false
allow if {
	some role in input.subject.roles
	roles[role][input.action]
}
reasons contains \"not permitted\" if not allow
";
    let scan = "package app.authz
decision := {\"allow\": allow, \"reasons\": [], \"obligations\": {}}
default allow := false
allow if {
	some grant in data.plinto.grants
	grant.role in input.subject.roles
	grant.permission == input.action
}
";
    let conditions = "package app.authz
decision := {\"allow\": allow, \"reasons\": reasons, \"obligations\": {}}
default allow := false
allow if count(reasons) == 0
reasons contains \"too late\" if input.time > input.exp
reasons contains \"no badge\" if not startswith(input.subject.badge, \"k-\")
reasons contains \"role\" if not \"r63\" in input.subject.roles
owner(x) if x.owner == input.subject.id
reasons contains \"owner\" if not owner(input.resource)
";
    let request = r#"{"subject":{"id":"u","badge":"k-1","roles":["r3","r63"]},"action":"p63","time":5,"exp":9,"resource":{"owner":"u"}}"#;
    for (name, policy) in [
        ("lookup", lookup),
        ("scan", scan),
        ("conditions", conditions),
    ] {
        let files = [
            ("app/authz/policy.rego", policy),
            ("plinto/data.json", data.as_str()),
        ];
        let start = Instant::now();
        let engine = Engine::prepare(&manifest(), &source(&files)).unwrap();
        let prepared = start.elapsed();
        let evaluation = engine.evaluate(input(request), &Limits::default());
        let mut best = u128::MAX;
        for _ in 0..20 {
            let start = Instant::now();
            for _ in 0..200 {
                engine.evaluate(input(request), &Limits::default());
            }
            best = best.min(start.elapsed().as_nanos() / 200);
        }
        println!(
            "BENCH {name}: {best} ns, {} steps, {:?} prepare {prepared:?}",
            evaluation.steps, evaluation.decision.allow
        );
    }
    let mut files: Vec<(String, String)> = vec![(
        "app/authz/policy.rego".into(),
        "package app.authz\ndecision := {\"allow\": true}".into(),
    )];
    for i in 0..190 {
        files.push((format!("app/m{i}.rego"), format!("package app.m{i}\n{}", (0..10).map(|r| format!("r{r} if {{\n\tsome x in input.list\n\tx == {r}\n\tnot f{r}(x)\n}}\nf{r}(x) if x > {r}\n")).collect::<String>())));
    }
    let refs: Vec<(&str, &str)> = files
        .iter()
        .take(90)
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let start = Instant::now();
    let ok = Engine::prepare(&manifest(), &source(&refs))
        .map(|_| ())
        .map_err(|e| e.to_string());
    println!("BENCH 90 modules: {:?} {ok:?}", start.elapsed());
}
