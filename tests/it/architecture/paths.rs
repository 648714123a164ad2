//! The paths that a file names: `use` trees taken apart, `self` and `super` resolved.

use std::sync::LazyLock;

use regex::Regex;

use super::house::House;
use super::source::{Source, matching, split};

/// One path, from `crate` or from the name of another crate on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) parts: Vec<String>,
}

impl Named {
    /// Whether it begins with these parts.
    pub(super) fn starts_with(&self, parts: &[&str]) -> bool {
        self.parts.len() >= parts.len() && parts.iter().zip(&self.parts).all(|(a, b)| a == b)
    }

    /// Whether it ends with these parts.
    pub(super) fn ends_with(&self, parts: &[&str]) -> bool {
        let end = parts.iter().rev().zip(self.parts.iter().rev());
        self.parts.len() >= parts.len() && end.into_iter().all(|(a, b)| a == b)
    }

    /// `path:line: …`, as rules tell it.
    pub(super) fn told(&self, source: &Source) -> String {
        format!("{}:{}: `{}`", source.path, self.line, self.parts.join("::"))
    }
}

impl Source {
    /// Every path of two or more parts in the code that ships.
    pub(super) fn paths(&self) -> Vec<Named> {
        static PATH: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?:\b[A-Za-z_]\w*\s*::\s*)+(?:[A-Za-z_]\w*|\{|\*)").unwrap()
        });
        let code = &self.production;
        let own = self.module();
        let (mut found, mut line, mut counted) = (Vec::new(), 1, 0);
        for hit in PATH.find_iter(code) {
            line += code[counted..hit.start()].matches('\n').count();
            counted = hit.start();
            let mut named = Vec::new();
            match hit.as_str().strip_suffix('{') {
                None => named.push(parts(hit.as_str())),
                Some(head) => {
                    let open = hit.end() - 1;
                    let close = matching(code, open).unwrap_or(code.len());
                    expand(&parts(head), &code[open + 1..close], &mut named);
                }
            }
            found.extend(named.into_iter().map(|parts| Named {
                line,
                parts: resolve(&own, parts),
            }));
        }
        found
    }

    /// Its module, from `crate` on.
    fn module(&self) -> Vec<String> {
        let inside = self
            .path
            .split_once("/src/")
            .map_or("", |(_, inside)| inside);
        let mut parts = vec!["crate".to_owned()];
        parts.extend(inside.trim_end_matches(".rs").split('/').map(str::to_owned));
        if parts
            .last()
            .is_some_and(|last| ["mod", "lib", "main", ""].contains(&last.as_str()))
        {
            parts.pop();
        }
        parts
    }
}

fn parts(path: &str) -> Vec<String> {
    let words = path.split("::").map(str::trim);
    words
        .filter(|part| !part.is_empty() && *part != "*")
        .map(str::to_owned)
        .collect()
}

/// Takes a group of a `use` apart: `a, b::{c, d as e}` below `head`.
fn expand(head: &[String], group: &str, named: &mut Vec<Vec<String>>) {
    for element in split(group) {
        let (path, inner) = match element.split_once('{') {
            Some((path, rest)) => (path, Some(rest.trim_end().trim_end_matches('}'))),
            None => (element.as_str(), None),
        };
        let path = path.split(" as ").next().unwrap_or_default();
        let tail = parts(path).into_iter().filter(|part| part != "self");
        let whole: Vec<String> = head.iter().cloned().chain(tail).collect();
        match inner {
            Some(inner) => expand(&whole, inner, named),
            None => named.push(whole),
        }
    }
}

fn resolve(own: &[String], parts: Vec<String>) -> Vec<String> {
    let ups = parts
        .iter()
        .take_while(|part| *part == "self" || *part == "super")
        .count();
    if ups == 0 {
        return parts;
    }
    let (relative, rest) = parts.split_at(ups);
    let supers = relative.iter().filter(|part| *part == "super").count();
    let kept = own.len().saturating_sub(supers);
    own.iter().take(kept).chain(rest).cloned().collect()
}

/// The files of a crate that the module `first` reaches, itself included.
pub(super) fn reached<'a>(house: &'a House, folder: &str, first: &str) -> Vec<&'a Source> {
    let (mut known, mut next) = (vec![first.to_owned()], 0);
    let mut files = Vec::new();
    while let Some(name) = known.get(next).cloned() {
        next += 1;
        let below = format!("{folder}/{name}/");
        let file = format!("{folder}/{name}.rs");
        for source in house.below(folder) {
            if source.path != file && !source.path.starts_with(&below) {
                continue;
            }
            files.push(source);
            for named in source.paths() {
                if let [start, module, ..] = named.parts.as_slice()
                    && start == "crate"
                    && !known.contains(module)
                {
                    known.push(module.clone());
                }
            }
        }
    }
    files
}

#[test]
fn paths_are_resolved_and_groups_taken_apart() {
    let source = Source::new(
        "control-plane/directory/src/users/service/verb.rs",
        "use crate::{Platform, roles::{self, Role, sessions::Open}};\n\
         use super::super::store;\nfn f() { super::own(); std::fs::read(x) }\n\
         use std::{fs as files, net};\nuse super::super::super::oauth as o;",
    );
    let named: Vec<String> = source
        .paths()
        .into_iter()
        .map(|named| format!("{} {}", named.line, named.parts.join("::")))
        .collect();
    for expected in [
        "1 crate::Platform",
        "1 crate::roles",
        "1 crate::roles::Role",
        "1 crate::roles::sessions::Open",
        "2 crate::users::store",
        "3 crate::users::service::own",
        "3 std::fs::read",
        "4 std::fs",
        "4 std::net",
        "5 crate::oauth",
    ] {
        assert!(
            named.contains(&expected.to_owned()),
            "{expected}: {named:?}"
        );
    }
}
