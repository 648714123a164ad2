//! Policies that are refused before they are ever asked, with the place.

use plinto_contract::problem::Code;
use plinto_policy::{
    bundle::Source,
    cases::{self, Outcome},
    diagnostics::{Diagnostic, Kind},
    engine::{Engine, Limits},
};

use super::fixtures::*;

/// A policy that is fine but for `rules`.
fn refused(rules: &str) -> Diagnostic {
    let rules = format!("decision := {{\"allow\": false}}\n{rules}");
    let mut error = cases::count(&manifest(), &policy(&rules)).unwrap_err();
    error.diagnostics.remove(0)
}

fn refused_source(files: &[(&str, &str)]) -> Diagnostic {
    let mut files = files.to_vec();
    if files
        .iter()
        .all(|(path, _)| *path != "app/authz/policy.rego")
    {
        let policy = "package app.authz\ndecision := {\"allow\": false}";
        files.push(("app/authz/policy.rego", policy));
    }
    let mut error = cases::count(&manifest(), &source(&files)).unwrap_err();
    error.diagnostics.remove(0)
}

#[test]
fn a_syntax_error_names_file_line_and_column_with_a_caret() {
    let finding = refused("allow if {\n\tinput.a == \n}");
    assert_eq!(finding.kind, Kind::Syntax);
    assert_eq!(finding.kind.problem(), Code::PolicySyntax);
    assert_eq!(finding.file, "app/authz/policy.rego");
    assert_eq!((finding.line, finding.column), (5, 1));
    let shown = finding.to_string();
    assert!(
        shown.starts_with("app/authz/policy.rego:5:1: syntax: "),
        "{shown}"
    );
    assert!(shown.ends_with("5 | }\n  | ^"), "{shown}");
}

#[test]
fn a_tab_is_one_character() {
    let finding = refused("allow if {\n\t\tinput.a == }\n}");
    assert_eq!((finding.line, finding.column), (4, 14), "{finding}");
    assert!(
        finding
            .to_string()
            .ends_with("4 | \t\tinput.a == }\n  | \t\t           ^")
    );
}

#[test]
fn the_caret_stands_under_its_character_behind_tabs_and_wide_letters() {
    let finding = Diagnostic::at(Kind::Syntax, "a.rego", "x\n\té := \"ü\" !", (2, 10), "why");
    assert!(
        finding
            .to_string()
            .ends_with("2 | \té := \"ü\" !\n  | \t        ^")
    );
}

#[test]
fn every_file_with_a_syntax_error_is_reported() {
    let files = [
        ("app/a.rego", "package app.a\nx := "),
        ("app/b.rego", "package"),
    ];
    let error = Engine::prepare(&manifest(), &source(&files)).unwrap_err();
    let names: Vec<&str> = error
        .diagnostics
        .iter()
        .map(|one| one.file.as_str())
        .collect();
    assert_eq!(names, ["app/a.rego", "app/b.rego"]);
}

#[test]
fn builtins_that_call_out_or_roll_dice_are_refused() {
    for (rule, line, column) in [
        ("x := http.send({})", 3, 6),
        ("x := rand.intn(\"a\", 5)", 3, 6),
        ("x := uuid.rfc4122(\"a\")", 3, 6),
        ("x := opa.runtime()", 3, 6),
        ("x := net.lookup_ip_addr(\"a\")", 3, 6),
        (
            "x if {\n\tinput.a\n\ty := [rand.intn(a, 2) | some a in input.b]\n\ty\n}",
            5,
            8,
        ),
        ("x if every a in input.b { rand.intn(a, 2) > 0 }", 3, 27),
        ("f(a) := 1 if rand.intn(a, 2) == 1\nelse := 2", 3, 14),
        ("x contains rand.intn(a, 2) if some a in input.b", 3, 12),
        ("x[rand.intn(a, 2)] := 1 if some a in input.b", 3, 3),
    ] {
        let finding = refused(rule);
        assert_eq!(finding.kind, Kind::Refused, "{rule}: {finding}");
        assert_eq!(finding.kind.problem(), Code::PolicyRefused);
        assert_eq!(
            (finding.line, finding.column),
            (line, column),
            "{rule}: {finding}"
        );
    }
}

/// Where OPA passes over a branch or a default, or says at the evaluation that a path is none, nothing is
/// evaluated that looks right.
#[test]
fn what_opa_passes_over_is_refused() {
    for (rules, part) in [
        (
            "x if 1 == 2 with equal as true",
            "`equal` can't be replaced",
        ),
        (
            "blocked[1] := false if input.zz else := true",
            "`else` can't follow a key",
        ),
        (
            "blocked.a[true].b := 1 if input.zz else := 2",
            "`else` can't follow a key",
        ),
        (
            "d[input.k] := 1 if input.zz else := 2",
            "`else` can't follow a rule",
        ),
        (
            "d[x] := 1 if x := 1 else := 2",
            "`else` can't follow a rule",
        ),
        (
            "default d.allow := true\nd[k] := v if some k, v in input",
            "the default of",
        ),
        (
            "default d.a.allow := true\nd[k] := v if some k, v in input",
            "the default of",
        ),
        (
            "default d.allow := true\nd[k].why := v if some k, v in input",
            "the default of",
        ),
        (
            "x if input with input.l[0] as 5",
            "`with` replaces what names lead to",
        ),
        (
            "x if input with input[input.n] as 5",
            "`with` replaces what names lead to",
        ),
        (
            "x if data.u with data.u[0] as 5",
            "`with` replaces what names lead to",
        ),
    ] {
        let finding = refused(rules);
        assert!(finding.message.contains(part), "{rules}: {finding}");
    }
    for rules in [
        "d.a := 1 if input.zz else := 2",
        "d[\"a\"] := 1 if input.zz else := 2",
        "default d.allow := true\nd.allow := false if input.x\nd.b[k] := v if some k, v in input",
        "x if input with input.l as [5]",
    ] {
        let rules = format!("decision := {{\"allow\": false}}\n{rules}");
        let counted = cases::count(&manifest(), &policy(&rules));
        assert!(counted.is_ok(), "{rules}: {counted:?}");
    }
}

#[test]
fn a_package_of_that_name_is_not_the_builtin() {
    let files = [
        ("app/strings.rego", "package app.strings\ncount(a, b) := 1"),
        (
            "app/authz/policy.rego",
            "package app.authz\nimport data.app.strings\ndecision := {\"allow\": strings.count(1, 2) == 1}",
        ),
    ];
    let engine = Engine::prepare(&manifest(), &source(&files)).unwrap();
    assert!(
        engine
            .evaluate(input("{}"), &Limits::default())
            .decision
            .allow
    );
}

#[test]
fn recursion_is_refused_however_it_is_hidden() {
    for rules in [
        "f(x) := f(x)",
        "f(x) := g(x)\ng(x) := f(x)",
        "f(x) := a if x\na := f(2)",
        "a := b\nb := a",
        "a contains x if some x in b\nb contains x if some x in a",
        "a := data.app.authz.a",
        "a := count(data.app)",
        "a[x] := 1 if some x in object.keys(a)",
        "default f(_) := 1\nf(x) := data.app.authz.f(x)",
        "f(x) := max([g(y) | some y in x])\ng(x) := f([x])",
        "f(x) := lib.f(x)\nlib.f(x) := f(x)",
    ] {
        let finding = refused(rules);
        assert_eq!(finding.kind, Kind::Compile, "{rules}: {finding}");
        assert!(finding.message.contains("recursion"), "{rules}: {finding}");
    }
}

#[test]
fn a_local_name_like_a_rules_is_no_recursion() {
    for rules in [
        "user := f(input.a)\nf(user) := user",
        "user := f(input.a)\nf(x) := user if { user := x }",
        "user := f(input.a)\nf(x) := [y | some y in x; user := y; user > 0]",
        "user := f(input.a)\nf(x) := 1 if every user in x { user > 1 }",
    ] {
        let rules = format!("decision := {{\"allow\": false}}\n{rules}");
        let checked = cases::count(&manifest(), &policy(&rules));
        assert!(checked.is_ok(), "{rules}: {checked:?}");
    }
}

#[test]
fn an_unknown_function_is_named() {
    let finding = refused("x := strings.cuont(\"a\")");
    assert_eq!(finding.kind, Kind::Compile);
    assert!(finding.message.contains("`strings.cuont`"), "{finding}");
}

#[test]
fn a_name_that_nothing_defines_is_found_before_it_decides() {
    for (rules, line, column) in [
        ("allow if inptu.a", 3, 10),
        ("allow if {\n\tsome x in input.a\n\tx == y\n}", 5, 7),
        ("f(x) := z if x", 3, 9),
        ("allow contains x", 3, 16),
    ] {
        let finding = refused(rules);
        assert_eq!(finding.kind, Kind::Compile, "{rules}: {finding}");
        assert_eq!(
            (finding.line, finding.column),
            (line, column),
            "{rules}: {finding}"
        );
    }
    for rules in [
        "allow if { x := input.a; x }",
        "allow if { x = input.a; x }",
        "allow if { input.a[i].b; i > 0 }",
        "allow if { [x, {\"a\": y}] := input.a; x == y }",
        "allow contains x if some x in input.a",
        "p[x] := y if some x, y in input.a",
        "allow if { walk(input, [path, value]); path; value }",
        "allow if { some i; input.a[i]; every k, v in input.b { k == v } }",
        "f([x, y]) := x + y",
        "f(x) := {k: v | some k, v in x}",
    ] {
        let rules = format!("decision := {{\"allow\": false}}\n{rules}");
        let checked = cases::count(&manifest(), &policy(&rules));
        assert!(checked.is_ok(), "{rules}: {checked:?}");
    }
}

#[test]
fn the_entrypoint_must_be_one_value() {
    for (text, wanted) in [
        ("package app.authz\nother := 1", "does not exist"),
        ("package app.authz\ndecision(x) := x", "set or a function"),
        (
            "package app.authz\ndecision contains 1",
            "set or a function",
        ),
        ("package app.other\ndecision := 1", "does not exist"),
    ] {
        let finding = refused_source(&[("app/authz/policy.rego", text)]);
        assert_eq!(finding.kind, Kind::Entrypoint, "{text}: {finding}");
        assert!(finding.message.contains(wanted), "{finding}");
    }
    for entrypoint in [
        "",
        "decision",
        "app/authz/decision/",
        "app/../x",
        "app/authz/1x",
        "app.authz",
    ] {
        let mut manifest = manifest();
        manifest.metadata.plinto.entrypoint = entrypoint.to_owned();
        let error = Engine::prepare(&manifest, &policy("decision := 1")).unwrap_err();
        assert_eq!(
            error.problem(),
            Code::PolicyEntrypointMissing,
            "{entrypoint}"
        );
    }
}

#[test]
fn everything_must_lie_under_the_roots() {
    let finding = refused_source(&[("x.rego", "package apps.x\ny := 1")]);
    assert_eq!(
        (finding.kind, finding.line, finding.column),
        (Kind::Roots, 1, 9)
    );
    let finding = refused_source(&[("data.json", r#"{"app":{"x":1},"users":{}}"#)]);
    assert_eq!(finding.kind, Kind::Roots);
    assert!(finding.message.contains("`users`"), "{finding}");
    let finding = refused_source(&[("users/data.json", "{}")]);
    assert_eq!(finding.kind, Kind::Roots);
}

#[test]
fn data_must_fit_rules_and_other_data() {
    let finding = refused_source(&[("app/authz/data.json", r#"{"decision":{"allow":true}}"#)]);
    assert_eq!((finding.kind, finding.line), (Kind::Data, 2));
    for above in [r#"{"app":5}"#, r#"{"app":{"authz":null}}"#] {
        let finding = refused_source(&[("data.json", above)]);
        assert_eq!((finding.kind, finding.line), (Kind::Data, 2), "{above}");
        assert!(finding.message.contains("without members"), "{finding}");
    }
    let rules = (
        "app/authz/policy.rego",
        "package app.authz\ndecision := {\"allow\": false}\nx.y := 1",
    );
    let finding = refused_source(&[rules, ("app/authz/data.json", r#"{"x":[5]}"#)]);
    assert_eq!((finding.kind, finding.line), (Kind::Data, 3));
    let finding = refused_source(&[
        ("data.json", r#"{"app":{"x":1}}"#),
        ("app/data.json", r#"{"x":2}"#),
    ]);
    assert_eq!(finding.kind, Kind::Data);
    let finding = refused_source(&[("data.json", "[]")]);
    assert_eq!(finding.kind, Kind::Data);
}

#[test]
fn routes_are_checked_once() {
    let route = |members: &str| {
        format!(
            r#"{{"routes":[{{"methods":["GET"],"path":"/a/{{id}}","action":"read","resource_type":"a"{members}}}]}}"#
        )
    };
    let fine = route(r#","resource_id":"{id}","timeout_s":3600"#);
    let files = [
        ("plinto/data.json", fine.as_str()),
        ("app/authz/policy.rego", "package app.authz\ndecision := 1"),
    ];
    let engine = Engine::prepare(&manifest(), &source(&files)).unwrap();
    assert_eq!(engine.routes().len(), 1);
    assert!(engine.data(&["plinto", "routes"]).is_some());
    assert!(engine.data(&["plinto", "roles"]).is_none());
    for wrong in [
        route(r#","resource_id":"{name}""#),
        route(r#","resource_id":"{id""#),
        route(r#","resource_id":"id}""#),
        route(r#","unknown":1"#),
        route(r#","timeout_s":0"#),
        route(r#","timeout_s":3601"#),
        route(r#","timeout_s":"1""#),
        fine.replace("GET", "get"),
        fine.replace(r#"["GET"]"#, "[]"),
        fine.replace("/a/{id}", "a/{id}"),
        fine.replace("/a/{id}", "/a//{id}"),
        fine.replace("/a/{id}", "/a/../{id}"),
        fine.replace("/a/{id}", "/a/%2e/{id}"),
        fine.replace("/a/{id}", "/{id}/{id}"),
        fine.replace("/a/{id}", "/.plinto/{id}"),
        fine.replace("read", ""),
        r#"{"routes":{}}"#.to_owned(),
    ] {
        let finding = refused_source(&[("plinto/data.json", &wrong)]);
        assert_eq!(finding.kind, Kind::Routes, "{wrong}: {finding}");
    }
    let twice = format!(
        r#"{{"routes":[{0},{0}]}}"#,
        r#"{"methods":["GET"],"path":"/{x}","action":"a","resource_type":"r"}"#
    );
    let finding = refused_source(&[("plinto/data.json", &twice)]);
    assert!(finding.message.contains("earlier route"), "{finding}");
}

/// What another router takes for a pattern must not match itself only.
#[test]
fn a_star_in_a_route_is_refused_with_what_to_write_instead() {
    let files = |path: &str| {
        format!(
            r#"{{"routes":[{{"methods":["GET"],"path":"{path}","action":"a","resource_type":"r"}}]}}"#
        )
    };
    for path in ["/api/*", "/api/**", "/*", "/api/*.json"] {
        let finding = refused_source(&[("plinto/data.json", &files(path))]);
        assert_eq!(finding.kind, Kind::Routes, "{path}");
        assert!(finding.message.contains("`{rest...}`"), "{finding}");
    }
    let routes = files("/api/{rest...}");
    let policy = "package app.authz\ndecision := 1";
    let files = [
        ("plinto/data.json", routes.as_str()),
        ("app/authz/policy.rego", policy),
    ];
    let engine = Engine::prepare(&manifest(), &source(&files)).unwrap();
    assert_eq!(engine.routes().len(), 1);
}

#[test]
fn a_failing_test_is_reported_with_its_place() {
    let files = [
        (
            "app/authz/policy.rego",
            "package app.authz\ndecision := {\"allow\": true}",
        ),
        (
            "app/authz/policy_test.rego",
            "package app.authz_test\nimport data.app.authz\n\
             test_right if authz.decision.allow\n\
             test_wrong if not authz.decision.allow\n\
             test_false := false\n\
             test_broken if to_number(\"x\") == 1\n\
             test_endless if count([1 | some a in l; some b in l; some c in l; some d in l; a + b + c + d < 0]) == 0\n\
             l := numbers.range(1, 99)\n\
             helper := 1",
        ),
    ];
    let source = source(&files);
    let report = cases::run(&manifest(), &source, &Limits::default()).unwrap();
    assert_eq!(cases::count(&manifest(), &source).unwrap(), 5);
    assert_eq!(report.passed(), 1);
    let lines: Vec<(u32, bool)> = report
        .failures()
        .map(|case| (case.line, matches!(case.outcome, Outcome::Errored(_))))
        .collect();
    assert_eq!(lines, [(4, false), (5, false), (6, false), (7, true)]);
    assert!(!report.is_ok());
    // The engine that decides never sees them.
    assert!(Engine::prepare(&manifest(), &source).is_ok());
    assert!(Source::is_test("app/authz/policy_test.rego"));
}

/// Two thousand tests that are each within their bound would hold a core for minutes.
#[test]
fn all_tests_of_a_bundle_share_one_budget() {
    let test = |index: u32| {
        format!("test_{index} if count([1 | some x in numbers.range(1, 1200); x > 0]) == 1200\n")
    };
    let tests: String = (0..40).map(test).collect();
    let tests = format!("package app.authz_test\n{tests}");
    let source = source(&[
        (
            "app/authz/policy.rego",
            "package app.authz\ndecision := {\"allow\": true}",
        ),
        ("app/authz/policy_test.rego", &tests),
    ]);
    let limits = Limits {
        steps: 500,
        ..Limits::default()
    };
    let report = cases::run(&manifest(), &source, &limits).unwrap();
    let passed = report.passed();
    assert!((5..35).contains(&passed), "{passed}");
    let spent: u64 = report.cases.iter().map(|case| case.steps).sum();
    assert!((125_000..130_000).contains(&spent), "{spent}");
    let last = report.cases.last().unwrap();
    let Outcome::Errored(why) = &last.outcome else {
        panic!("{last:?}");
    };
    assert_eq!(
        why,
        "the bundle's tests together took more than 125000 steps"
    );
}
