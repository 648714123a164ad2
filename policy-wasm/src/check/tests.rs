//! The checks beside OPA's, which `scripts/rego-checks.py` records, and against its own cases.

use std::collections::BTreeMap;

use super::{CheckedModule, Code, Finding, check, findings};
use crate::{
    annotations, conformance,
    front::ast::{Module, Place},
};

fn parsed(texts: &[&str]) -> Result<Vec<Module>, String> {
    let modules = texts.iter().map(|text| crate::front::parse(text));
    let modules: Result<Vec<Module>, _> = modules.collect();
    let mut modules = modules.map_err(|error| error.to_string())?;
    annotations::answer(&mut modules.iter_mut().collect::<Vec<_>>()).unwrap();
    Ok(modules)
}

fn found(texts: &[&str]) -> Vec<Finding> {
    let modules = parsed(texts).unwrap();
    let trees: Vec<&Module> = modules.iter().collect();
    findings(&trees)
}

fn shown(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|one| {
        let Place { line, column } = one.place;
        let code = one.code.as_str();
        format!(
            "  ours: {}.rego:{line}:{column} {code}: {}",
            one.module, one.message
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What we refuse and OPA does not is no error there.
const REFUSED: Code = Code::Refused;

#[test]
fn every_module_of_opas_cases_passes_as_in_opa() {
    let Some(cases) = conformance::module_sets() else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, texts) in &cases {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut found = found(&texts);
        // A builtin that only the harness of the cases has.
        found.retain(|one| one.code != REFUSED && !one.message.contains("`test.sleep`"));
        if !found.is_empty() {
            wrong.push(format!(
                "{name}\n{}\n{}",
                texts.join("\n---\n"),
                shown(&found)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ",
        wrong.join("\n\n"),
        wrong.len()
    );
}

/// Small policies, one a package.
const IDIOMS: &str = include_str!("../../conformance/idioms.rego");

#[test]
fn every_idiom_passes_as_in_opa() {
    for text in IDIOMS.split("package idiom.").skip(1) {
        let text = format!("package idiom.{text}");
        if parsed(&[&text]).is_err() {
            // OPA's parser refuses these, too.
            assert!(text.starts_with("package idiom.order_of_"), "{text}");
            continue;
        }
        let found = found(&[&text]);
        assert!(found.is_empty(), "{text}\n{}", shown(&found));
    }
}

/// One of OPA's findings: code, module, line, message.
type Wanted<'t> = (&'t str, usize, u32, &'t str);

/// Why we find something else than OPA, if we do.
fn difference(texts: &[&str], wanted: &[Wanted<'_>]) -> Option<String> {
    let told = wanted.iter().map(|(code, module, line, message)| {
        format!("  OPA:  {module}.rego:{line} {code}: {message}")
    });
    let told = told.collect::<Vec<_>>().join("\n");
    let is_syntax = wanted.iter().any(|(code, ..)| *code == "rego_parse_error");
    let modules = match parsed(texts) {
        Ok(modules) if is_syntax => {
            let trees: Vec<&Module> = modules.iter().collect();
            // What OPA's parser refuses, our check may.
            return findings(&trees)
                .is_empty()
                .then(|| format!("  ours: fine\n{told}"));
        }
        Ok(modules) => modules,
        Err(_) if is_syntax => return None,
        Err(error) => return Some(format!("  ours: {error}\n{told}")),
    };
    let trees: Vec<&Module> = modules.iter().collect();
    let mut found = findings(&trees);
    found.retain(|one| one.code != REFUSED);
    let is_same = |one: &Finding, (code, module, line, _): &Wanted<'_>| {
        one.code.as_str() == *code
            && one.module == *module
            // What stands in a template has no line in OPA.
            && (*line == 0 || one.place.line == *line || one.statement.line == *line)
    };
    let is_missing = wanted
        .iter()
        .any(|one| !found.iter().any(|found| is_same(found, one)));
    let is_more = found
        .iter()
        .any(|found| !wanted.iter().any(|one| is_same(found, one)));
    (is_missing || is_more).then(|| format!("{}\n{told}", shown(&found)))
}

/// Where we find something else than OPA, and why.
const KNOWN: [(&str, &str); 14] = [
    (
        "with an unknown index in the target",
        "a target of `with` is one of names only, and nothing else is looked at",
    ),
    (
        "two defaults",
        "told at the second default, not at the package",
    ),
    (
        "default twice in modules",
        "told at the second default, not at the package",
    ),
    ("import twice", "the parser refuses it"),
    ("import with one name", "the parser refuses it"),
    ("import with one name by alias", "the parser refuses it"),
    (
        "name of a builtin for a parameter and called",
        "told with the code that a local variable has",
    ),
    ("some called data", "told as a name that is not used"),
    (
        "builtin as an output and called",
        "told at the variable, not at the call that it hides",
    ),
    (
        "builtin as a variable of a comprehension and called",
        "told as a name with two meanings, not by its type",
    ),
    ("import of rego twice", "the parser refuses it"),
    ("import of a keyword twice", "the parser refuses it"),
    (
        "recursion and an unknown variable",
        "both are told, where OPA ends with the first",
    ),
    (
        "rule called input that asks for itself",
        "`input` is the document even there, so nothing needs itself",
    ),
];

fn every_policy_is_found_as_opa_finds_it(cases: &str, answers: &str) {
    let mut wanted: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
    for line in answers.lines() {
        let mut parts = line.splitn(6, '\t');
        let mut part = || parts.next().unwrap_or_default();
        let (name, code) = (part(), part());
        let all = wanted.entry(name).or_default();
        if code != "ok" {
            let (module, line, _) = (part(), part(), part());
            all.push((code, module.parse().unwrap(), line.parse().unwrap(), part()));
        }
    }
    let mut wrong = Vec::new();
    let cases = format!("\n{cases}");
    for case in cases.split("\n=== ").skip(1) {
        let (name, policy) = case.split_once('\n').unwrap();
        let texts: Vec<&str> = policy.trim_end_matches('\n').split("\n---\n").collect();
        let is_known = KNOWN.iter().any(|(known, _)| *known == name);
        let found = difference(&texts, &wanted[name]);
        if found.is_some() != is_known {
            let found =
                found.unwrap_or_else(|| "  as OPA, though it is known to differ".to_owned());
            wrong.push(format!("=== {name}\n{policy}\n{found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ",
        wrong.join("\n"),
        wrong.len()
    );
}

macro_rules! areas {
    ($($area:ident)*) => {$(
        #[test]
        fn $area() {
            every_policy_is_found_as_opa_finds_it(
                include_str!(concat!("../../conformance/checks/", stringify!($area), ".txt")),
                include_str!(concat!("../../conformance/checks/", stringify!($area), ".answers")),
            );
        }
    )*};
}

areas! { annotations calls conflicts good rare recursion replaced syntax types variables with }

/// A rule for each of many modules, which all use each other's.
fn many(count: usize) -> Vec<String> {
    let module = |index: usize| {
        let before = index.saturating_sub(1);
        format!(
            "package app.m{index}\n\nimport data.app.m{before} as other\n\n\
             default allow := false\n\n\
             allow if {{\n\tsome role in input.user.roles\n\trole == \"r{index}\"\n\tother.size(role) > 1\n}}\n\n\
             size(x) := count(x) + {index}\n\n\
             names contains lower(name) if {{\n\tsome item in input.items\n\tname := item.name\n\t\
             not startswith(name, \"x\")\n\tcount([y | some y in item.tags; y != name]) > 0\n}}\n\n\
             all_fine if every item in input.items {{ item.kind in {{\"a\", \"b\"}} }}\n"
        )
    };
    (1..=count).map(module).collect()
}

#[test]
fn a_thousand_modules_are_checked_at_once() {
    let texts = many(1_000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let modules = parsed(&texts).unwrap();
    let trees: Vec<&Module> = modules.iter().collect();
    let found = findings(&trees);
    assert!(
        found.len() == 1 && found[0].message.contains("data.app.m0"),
        "{}",
        shown(&found)
    );
}

/// The finding of a policy of one module, as it is told.
fn first(rules: &str) -> String {
    let text = format!("package a\n\n{rules}\n");
    let modules = parsed(&[&text]).unwrap();
    let module = CheckedModule {
        path: "app/a.rego",
        text: &text,
        module: &modules[0],
    };
    let mut found = check(&[module]).into_iter();
    found.next().map_or_else(String::new, |one| one.to_string())
}

#[test]
fn a_finding_says_where_it_is_and_what_to_do() {
    for (rules, wanted) in [
        (
            "p := strings.cuont(\"a\", \"b\")",
            "app/a.rego:3:6: compile: there is no function `strings.cuont` here; did you mean \
             `strings.count`?",
        ),
        (
            "p if {\n\tx := 1\n\tx == yy\n}",
            "app/a.rego:5:7: compile: `yy` is not defined here: it is unsafe, for nothing gives it \
             a value",
        ),
        (
            "p := q\n\nq := p",
            "app/a.rego:3:1: compile: recursion: rule `data.a.p` needs itself: data.a.p -> data.a.q \
             -> data.a.p",
        ),
        (
            "p := http.send({})",
            "app/a.rego:3:6: refused: `http.send` is not permitted: a decision does not call out",
        ),
        (
            "p := \"a\" + 1",
            "app/a.rego:3:6: compile: argument 1 of `plus` must be a number, not a string",
        ),
        (
            "f(x) := x\n\np := f(1, 2)",
            "app/a.rego:5:6: compile: `data.a.f` takes 1 argument, not 2",
        ),
        (
            "p if { x := 1; x := 2 }",
            "app/a.rego:3:16: compile: `x` is assigned above; take another name",
        ),
    ] {
        let found = first(rules);
        assert_eq!(found.lines().next(), Some(wanted), "{rules}");
    }
}

/// What nests as deep as it may, and what is as large as it may be, is checked on a Worker's stack.
#[test]
fn hostile_policies_are_checked_in_time_on_a_small_stack() {
    let nested = |open: &str, inner: &str, close: &str| {
        let deepest = (1..200).rev().find_map(|depth| {
            let text = format!(
                "package a\n\np := {}{inner}{}\n",
                open.repeat(depth),
                close.repeat(depth)
            );
            crate::front::parse(&text).is_ok().then_some(text)
        });
        deepest.unwrap()
    };
    let rules = |count: usize, rule: &dyn Fn(usize) -> String| -> String {
        let rules: Vec<String> = (0..count).map(rule).collect();
        rules.concat()
    };
    let chain = rules(2_000, &|index| format!("p{index} := [p{}]\n", index + 1));
    let doubled = rules(2_000, &|index| {
        format!("p{index} := [p{0}, p{0}]\n", index + 1)
    });
    let backwards = rules(3_000, &|index| format!("\tx{index} = x{}\n", index + 1));
    let wide = rules(2_000, &|index| format!("p{index} := data[input.x].q\n"));
    let circle = rules(2_000, &|index| format!("p{index} := data.a\n"));
    let texts = [
        nested("[", "1", "]"),
        nested("{\"a\": ", "1", "}"),
        nested("[x | x := ", "1", "]"),
        nested("{[x, 1] | x := ", "1", "}"),
        nested("count(", "1", ")"),
        nested("input[", "1", "]"),
        nested("1 + ", "1", ""),
        nested("$\"{", "1", "}\""),
        nested("[1 | every x in ", "[1]", " {x > 0}]"),
        format!("package a\n{chain}"),
        format!("package a\n{doubled}"),
        format!("package a\np if {{\n{backwards}\tx3000 = 1\n}}\n"),
        format!("package a\n{wide}"),
        format!("package a\n{circle}"),
        format!("package a{}\np := data[x][y]\n", ".a".repeat(90)),
        format!("package a{}\np := data[x][y]\n", ".a".repeat(20_000)),
    ];
    let work = move || {
        for text in &texts {
            // It ends, on this stack: the effort is bounded.
            let _found = found(&[text]);
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}
