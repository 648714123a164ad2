//! The routes in a bundle's data, checked once so that a request can rely on them.

use std::collections::BTreeSet;

use plinto_contract::bundle::{ROUTES_PATH, Route};
use regorus::Value;

use crate::{
    data::lookup,
    diagnostics::{Diagnostic, Kind},
    input::json_of,
};

/// Methods a route may name. Source: RFC 9110 §9, RFC 5789.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Routes a bundle may have.
const ROUTES_MAX: usize = 1_000;

/// Reads `data.plinto.routes`. A bundle without it has no routes.
pub(crate) fn read(data: &Value) -> Result<Vec<Route>, Diagnostic> {
    let Some(value) = lookup(data, &ROUTES_PATH) else {
        return Ok(Vec::new());
    };
    let refuse = |message: String| Diagnostic::of_file(Kind::Routes, "data.plinto.routes", message);
    let Some(serde_json::Value::Array(items)) = json_of(value) else {
        return Err(refuse("must be an array".to_owned()));
    };
    if items.len() > ROUTES_MAX {
        return Err(refuse(format!(
            "must not have more than {ROUTES_MAX} routes"
        )));
    }
    let mut routes = Vec::with_capacity(items.len());
    let mut seen = BTreeSet::new();
    for (index, item) in items.into_iter().enumerate() {
        let route: Route =
            serde_json::from_value(item).map_err(|error| refuse(format!("[{index}]: {error}")))?;
        check(&route).map_err(|why| refuse(format!("[{index}]: {why}")))?;
        for method in &route.methods {
            if !seen.insert((method.clone(), shape_of(&route.path))) {
                return Err(refuse(format!(
                    "[{index}]: `{method} {}` is covered by an earlier route",
                    route.path
                )));
            }
        }
        routes.push(route);
    }
    Ok(routes)
}

/// Two paths of one shape match the same requests.
fn shape_of(path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        })
        .collect();
    segments.join("/")
}

fn check(route: &Route) -> Result<(), String> {
    if route.methods.is_empty() {
        return Err("`methods` must not be empty".to_owned());
    }
    if let Some(method) = route
        .methods
        .iter()
        .find(|method| !METHODS.contains(&method.as_str()))
    {
        return Err(format!("`{method}` is not one of {}", METHODS.join(", ")));
    }
    if route.action.is_empty() || route.resource_type.is_empty() {
        return Err("`action` and `resource_type` must not be empty".to_owned());
    }
    let names = path_names(&route.path)?;
    check_template("resource_id", &route.resource_id, &names)?;
    for (property, template) in &route.properties {
        check_template(property, template, &names)?;
    }
    Ok(())
}

/// The named segments of a path.
fn path_names(path: &str) -> Result<BTreeSet<&str>, String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("the path `{path}` must begin with `/`"));
    };
    let mut names = BTreeSet::new();
    if rest.is_empty() {
        return Ok(names);
    }
    for segment in rest.split('/') {
        let name = segment
            .strip_prefix('{')
            .and_then(|segment| segment.strip_suffix('}'));
        match name {
            Some(name) if is_name(name) => {
                if !names.insert(name) {
                    return Err(format!("the path `{path}` names `{name}` twice"));
                }
            }
            None if is_literal(segment) => {}
            _ => return Err(format!("the path `{path}` has the segment `{segment}`")),
        }
    }
    Ok(names)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Literal segments are compared with the decoded path; what decodes ambiguously is refused.
fn is_literal(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}' | b'%' | b'?' | b'#' | b'\\')
        })
}

/// A template is text with `{name}` in it.
fn check_template(member: &str, template: &str, names: &BTreeSet<&str>) -> Result<(), String> {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("`{member}` has a `{{` without a `}}`"));
        };
        if !names.contains(name) {
            return Err(format!(
                "`{member}` uses `{name}`, which the path does not name"
            ));
        }
        rest = after;
    }
    if template.matches('{').count() == template.matches('}').count() {
        Ok(())
    } else {
        Err(format!("`{member}` has a `}}` without a `{{`"))
    }
}
