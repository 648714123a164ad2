//! The routes in a bundle's data, checked once so that a request can rely on them.

use std::collections::BTreeSet;

use plinto_contract::{
    bundle::{ROUTES_PATH, Route},
    limits::UPSTREAM_TIMEOUT_S,
};

use crate::{
    diagnostics::{Diagnostic, Kind},
    pattern::{Pattern, Template},
    value::Value,
};

/// Methods a route may name. Source: RFC 9110 §9, RFC 5789.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Routes a bundle may have.
const ROUTES_MAX: usize = 1_000;
/// First segment of the paths that the edge answers itself.
const OWN: &str = ".plinto";

/// Reads `data.plinto.routes`. A bundle without it has no routes.
pub(crate) fn read(data: &Value) -> Result<Vec<Route>, Diagnostic> {
    let Some(value) = data.at(&ROUTES_PATH) else {
        return Ok(Vec::new());
    };
    let refuse = |message: String| Diagnostic::of_file(Kind::Routes, "data.plinto.routes", message);
    let Some(serde_json::Value::Array(items)) = value.to_json() else {
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
        let pattern = check(&route).map_err(|why| refuse(format!("[{index}]: {why}")))?;
        for method in &route.methods {
            if !seen.insert((method.clone(), pattern.shape())) {
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

/// Its path, if all of it can be used.
fn check(route: &Route) -> Result<Pattern, String> {
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
    if let Some(seconds) = route.timeout_s
        && !UPSTREAM_TIMEOUT_S.contains(&seconds)
    {
        return Err(format!(
            "`timeout_s` must be a whole number from {} to {}",
            UPSTREAM_TIMEOUT_S.start(),
            UPSTREAM_TIMEOUT_S.end()
        ));
    }
    let pattern = Pattern::parse(&route.path).map_err(|error| error.to_string())?;
    if pattern.first_literal() == Some(OWN) {
        return Err(format!(
            "the path `{}` is the edge's own and reaches no route",
            route.path
        ));
    }
    let members = route.properties.iter();
    let members = members.map(|(name, text)| (name.as_str(), text));
    for (member, text) in members.chain([("resource_id", &route.resource_id)]) {
        Template::parse(text, &pattern).map_err(|why| format!("`{member}`: {why}"))?;
    }
    Ok(pattern)
}
