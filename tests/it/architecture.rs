//! The rules of the house, N1 to N22, as far as a program can check them, and the map that
//! `docs/architecture.md` draws. Each rule is a function from a repository to its offences;
//! `refusals` shows every one of them an offence.

mod arrows;
mod authority;
mod features;
mod groups;
mod house;
mod manifests;
mod map;
mod paths;
mod refusals;
mod rings;
mod source;
mod sources;

use std::fmt::Write as _;

use house::House;

/// One rule: what it forbids, and who finds the offences.
struct Rule {
    name: &'static str,
    never: &'static str,
    offences: fn(&House) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "N1",
        never: "`contract` and `jose` depend on nothing of ours and do no I/O",
        offences: manifests::n1,
    },
    Rule {
        name: "N2",
        never: "arrows between crates only as drawn",
        offences: manifests::n2,
    },
    Rule {
        name: "N3",
        never: "the command line never opens the database",
        offences: manifests::n3,
    },
    Rule {
        name: "N4 SQL",
        never: "SQL only in stores, `db` and migrations",
        offences: features::n4_sql,
    },
    Rule {
        name: "N4 engine",
        never: "only `db` knows which database it is",
        offences: features::n4_engine,
    },
    Rule {
        name: "N5",
        never: "no HTTP library in model, service, store or events",
        offences: features::n5,
    },
    Rule {
        name: "N6",
        never: "a handler never calls a store",
        offences: features::n6,
    },
    Rule {
        name: "N7",
        never: "no service verb without an actor",
        offences: features::n7,
    },
    Rule {
        name: "N8",
        never: "no store function without a tenant",
        offences: features::n8,
    },
    Rule {
        name: "N9 order",
        never: "a feature uses only faces to its left",
        offences: arrows::n9_order,
    },
    Rule {
        name: "N9 tables",
        never: "a table belongs to one feature",
        offences: features::n9_tables,
    },
    Rule {
        name: "arrows",
        never: "what stands below names nothing above it",
        offences: arrows::layers,
    },
    Rule {
        name: "drawn",
        never: "the order of features is the same wherever it is told",
        offences: arrows::drawn,
    },
    Rule {
        name: "inside",
        never: "inside a feature, what stands below names nothing above it",
        offences: arrows::inside,
    },
    Rule {
        name: "states",
        never: "what a feature keeps in memory is its own",
        offences: arrows::states,
    },
    Rule {
        name: "rings",
        never: "no modules that name each other in a ring",
        offences: rings::rings,
    },
    Rule {
        name: "N10",
        never: "no state change without its event",
        offences: features::n10,
    },
    Rule {
        name: "N11",
        never: "time and chance are passed in",
        offences: sources::n11,
    },
    Rule {
        name: "N12 env",
        never: "the environment is read in `config`",
        offences: sources::n12_env,
    },
    Rule {
        name: "N12 secrets",
        never: "secrets have no `Debug`",
        offences: sources::n12_secrets,
    },
    Rule {
        name: "N13 lints",
        never: "every crate takes the workspace's lints",
        offences: manifests::n13,
    },
    Rule {
        name: "N13 allow",
        never: "`#[expect(…, reason)]`, never `#[allow]`",
        offences: sources::n13,
    },
    Rule {
        name: "N13 panics",
        never: "nothing that ships is let off the lints against panics",
        offences: sources::n13_panics,
    },
    Rule {
        name: "N14",
        never: "the gate is pure",
        offences: sources::n14,
    },
    Rule {
        name: "N17",
        never: "no secret, address or body in a log line",
        offences: sources::n17,
    },
    Rule {
        name: "N18",
        never: "no drawers",
        offences: sources::n18,
    },
    Rule {
        name: "idioms",
        never: "functions and modules are called by the field's words",
        offences: sources::idioms,
    },
    Rule {
        name: "claims",
        never: "a claim is named where it is defined, shown and issued",
        offences: sources::claims,
    },
    Rule {
        name: "N19",
        never: "no long file, none without a first line of doc",
        offences: sources::n19,
    },
    Rule {
        name: "N20",
        never: "no ignored, retried or sleeping test",
        offences: sources::n20,
    },
    Rule {
        name: "N21",
        never: "no write begins but where its actor is looked at again",
        offences: authority::n21,
    },
    Rule {
        name: "N22",
        never: "no route's group is told by its path",
        offences: groups::n22,
    },
    Rule {
        name: "work",
        never: "transaction, application and actor go as one `Work`, never side by side",
        offences: authority::work,
    },
    Rule {
        name: "map",
        never: "the documents name no path that is gone",
        offences: map::dead_paths,
    },
    Rule {
        name: "words",
        never: "every decision fits on a page",
        offences: map::long_decisions,
    },
];

#[test]
fn the_house_keeps_its_rules() {
    let house = House::read();
    assert!(house.sources.len() > 50, "the repository was not found");
    let mut report = String::new();
    for rule in RULES {
        for offence in (rule.offences)(&house) {
            writeln!(report, "{}: {offence}\n    ({})", rule.name, rule.never).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
