//! From a request's method and path to an action on a resource, as the bundle's routes say.

use std::collections::BTreeMap;

use plinto_contract::bundle::Route;

use crate::path::CanonicalPath;

/// Why a bundle's routes can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{path}`: {why}")]
pub struct RouteError {
    path: String,
    why: String,
}

/// The routes of a bundle, ready to be matched.
#[derive(Debug, Default)]
pub struct Routes {
    /// By number of segments, so that a request meets only those that can fit.
    by_length: BTreeMap<usize, Vec<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    methods: Vec<String>,
    segments: Vec<Segment>,
    ends_with_slash: bool,
    action: String,
    resource_type: String,
    resource_id: Template,
    properties: Vec<(String, Template)>,
    is_public: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Named(String),
}

/// Text with the values of named segments in it.
#[derive(Debug, Default)]
struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Segment(usize),
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'r> {
    /// The action's name.
    pub action: &'r str,
    /// The resource's type.
    pub resource_type: &'r str,
    /// The resource's id; empty for a collection.
    pub resource_id: String,
    /// Further properties of the resource.
    pub properties: Vec<(&'r str, String)>,
    /// Whether a request without a token is put to the policy.
    pub is_public: bool,
}

impl Routes {
    /// Prepares a bundle's routes.
    /// Errors: a path the gate would refuse in a request, an unknown or repeated `{name}`.
    pub fn compile(routes: &[Route]) -> Result<Self, RouteError> {
        let mut by_length: BTreeMap<usize, Vec<Compiled>> = BTreeMap::new();
        for route in routes {
            let compiled = Compiled::new(route).map_err(|why| RouteError {
                path: route.path.clone(),
                why,
            })?;
            by_length
                .entry(compiled.segments.len())
                .or_default()
                .push(compiled);
        }
        // A literal segment wins over a named one, from left to right; a stable sort keeps the
        // bundle's order where that says nothing.
        for routes in by_length.values_mut() {
            routes.sort_by_cached_key(|route| {
                let named = |segment: &Segment| matches!(segment, Segment::Named(_));
                route.segments.iter().map(named).collect::<Vec<_>>()
            });
        }
        Ok(Self { by_length })
    }

    /// The route that covers a request. `HEAD` is covered by `GET` where nothing else covers it.
    pub fn find(&self, method: &str, path: &CanonicalPath) -> Option<Target<'_>> {
        let candidates = self.by_length.get(&path.segments().len())?;
        let fitting = |method: &str| {
            candidates
                .iter()
                .find(|route| route.has_method(method) && route.fits(path))
        };
        let route = fitting(method).or_else(|| (method == "HEAD").then(|| fitting("GET"))?)?;
        Some(route.target(path))
    }
}

impl Compiled {
    fn new(route: &Route) -> Result<Self, String> {
        let path = CanonicalPath::parse(&route.path).map_err(|error| error.to_string())?;
        let mut segments = Vec::with_capacity(path.segments().len());
        for text in path.segments() {
            let segment = match braced(text) {
                Some(name) => Segment::Named(name.to_owned()),
                None if text.contains(['{', '}']) => {
                    return Err(format!("`{text}` must be a literal or `{{name}}`"));
                }
                None => Segment::Literal(text.clone()),
            };
            if matches!(segment, Segment::Named(_)) && segments.contains(&segment) {
                return Err(format!("`{text}` occurs twice"));
            }
            segments.push(segment);
        }
        let template = |text: &str| Template::parse(text, &segments);
        let resource_id = template(&route.resource_id)?;
        let properties = route
            .properties
            .iter()
            .map(|(name, text)| Ok((name.clone(), template(text)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self {
            methods: route.methods.clone(),
            ends_with_slash: path.ends_with_slash(),
            action: route.action.clone(),
            resource_type: route.resource_type.clone(),
            resource_id,
            properties,
            is_public: route.public,
            segments,
        })
    }

    fn has_method(&self, method: &str) -> bool {
        self.methods.iter().any(|known| known == method)
    }

    fn fits(&self, path: &CanonicalPath) -> bool {
        self.ends_with_slash == path.ends_with_slash()
            && self
                .segments
                .iter()
                .zip(path.segments())
                .all(|(segment, text)| match segment {
                    Segment::Literal(literal) => literal == text,
                    Segment::Named(_) => true,
                })
    }

    fn target(&self, path: &CanonicalPath) -> Target<'_> {
        Target {
            action: &self.action,
            resource_type: &self.resource_type,
            resource_id: self.resource_id.filled(path),
            properties: self
                .properties
                .iter()
                .map(|(name, template)| (name.as_str(), template.filled(path)))
                .collect(),
            is_public: self.is_public,
        }
    }
}

impl Template {
    fn parse(text: &str, segments: &[Segment]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
            let index = segments
                .iter()
                .position(|segment| matches!(segment, Segment::Named(known) if known == name))
                .ok_or_else(|| format!("`{{{name}}}` is not a segment of the path"))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Segment(index));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn filled(&self, path: &CanonicalPath) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Segment(index) => {
                    text.push_str(path.segments().get(*index).map_or("", String::as_str));
                }
            }
        }
        text
    }
}

fn braced(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(methods: &[&str], path: &str, action: &str, id: &str) -> Route {
        Route {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            path: path.to_owned(),
            action: action.to_owned(),
            resource_type: "document".to_owned(),
            resource_id: id.to_owned(),
            properties: BTreeMap::new(),
            public: false,
        }
    }

    fn routes() -> Routes {
        Routes::compile(&[
            route(&["GET"], "/documents", "list", ""),
            route(&["GET"], "/documents/{id}", "read", "{id}"),
            route(&["GET"], "/documents/drafts", "list_drafts", ""),
            route(
                &["POST"],
                "/folders/{folder}/documents/{id}",
                "put",
                "{folder}:{id}",
            ),
        ])
        .unwrap()
    }

    fn found(method: &str, path: &str) -> Option<(String, String)> {
        let path = CanonicalPath::parse(path).unwrap();
        routes()
            .find(method, &path)
            .map(|target| (target.action.to_owned(), target.resource_id))
    }

    fn pair(action: &str, id: &str) -> (String, String) {
        (action.to_owned(), id.to_owned())
    }

    #[test]
    fn named_segments_are_taken_decoded() {
        assert_eq!(found("GET", "/documents"), Some(pair("list", "")));
        assert_eq!(found("GET", "/documents/a%20b"), Some(pair("read", "a b")));
        assert_eq!(
            found("POST", "/folders/f1/documents/d2"),
            Some(pair("put", "f1:d2"))
        );
    }

    #[test]
    fn a_literal_segment_wins_over_a_named_one() {
        assert_eq!(
            found("GET", "/documents/drafts"),
            Some(pair("list_drafts", ""))
        );
    }

    #[test]
    fn what_no_route_covers_is_not_found() {
        assert_eq!(found("DELETE", "/documents"), None);
        assert_eq!(found("get", "/documents"), None);
        assert_eq!(found("GET", "/documents/"), None);
        assert_eq!(found("GET", "/documents/1/2"), None);
        assert_eq!(found("GET", "/"), None);
    }

    #[test]
    fn head_is_covered_by_get() {
        assert_eq!(found("HEAD", "/documents/7"), Some(pair("read", "7")));
        assert_eq!(found("HEAD", "/folders/f/documents/d"), None);
    }

    #[test]
    fn routes_that_name_what_is_not_there_are_refused() {
        for (path, id) in [
            ("/documents/{id}", "{other}"),
            ("/documents/{id}", "{id"),
            ("/documents/{id}/{id}", "{id}"),
            ("/documents/x{id}", ""),
            ("/documents/../x", ""),
            ("documents", ""),
        ] {
            assert!(
                Routes::compile(&[route(&["GET"], path, "read", id)]).is_err(),
                "{path} {id}"
            );
        }
    }
}
