//! From a request's method and path to an action on a resource, as the bundle's routes say.

use std::collections::BTreeMap;

use crate::{
    path::CanonicalPath,
    pattern::{Openness, Pattern, PatternError, Template},
};
use plinto_contract::bundle::Route;

/// Why a bundle's routes can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{path}`: {why}")]
pub struct RouteError {
    path: String,
    why: PatternError,
}

/// The routes of a bundle, ready to be matched. The one that leaves least open comes first.
#[derive(Debug, Default)]
pub struct Routes {
    /// By number of segments, so that a request meets only those that can fit.
    closed: BTreeMap<usize, Vec<Compiled>>,
    /// Those that end in `{rest...}`.
    open: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    path: String,
    methods: Vec<String>,
    pattern: Pattern,
    rank: Vec<Openness>,
    action: String,
    resource_type: String,
    resource_id: Template,
    properties: Vec<(String, Template)>,
    is_public: bool,
    timeout_s: Option<u32>,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'r> {
    /// The route's path, as it is written.
    pub route: &'r str,
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
    /// How long the application may take to begin its answer, in seconds, where the route says so.
    pub timeout_s: Option<u32>,
}

impl Routes {
    /// Prepares a bundle's routes.
    /// Errors: a path, or a text made of its segments, that is against the grammar.
    pub fn compile(routes: &[Route]) -> Result<Self, RouteError> {
        let mut compiled = routes
            .iter()
            .map(|route| {
                Compiled::new(route).map_err(|why| RouteError {
                    path: route.path.clone(),
                    why,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        compiled.sort_by(|one, other| one.rank.cmp(&other.rank));
        let mut ready = Self::default();
        for route in compiled {
            if route.pattern.has_rest() {
                ready.open.push(route);
            } else {
                let length = route.pattern.length();
                ready.closed.entry(length).or_default().push(route);
            }
        }
        Ok(ready)
    }

    /// The route that covers a request. `HEAD` is covered by `GET` where no route of its own leaves as
    /// little open: it tells what `GET` would.
    pub fn find(&self, method: &str, path: &CanonicalPath) -> Option<Target<'_>> {
        let own = self.covering(method, path);
        let as_get = (method == "HEAD").then(|| self.covering("GET", path));
        let route = match (own, as_get.flatten()) {
            (Some(own), Some(get)) if get.rank < own.rank => get,
            (own, get) => own.or(get)?,
        };
        Some(route.target(path))
    }

    fn covering(&self, method: &str, path: &CanonicalPath) -> Option<&Compiled> {
        let covers = |route: &&Compiled| route.has_method(method) && route.fits(path);
        let near = self.closed.get(&path.segments().len());
        let closed = near.and_then(|routes| routes.iter().find(covers));
        let open = self.open.iter().find(covers);
        match (closed, open) {
            (Some(closed), Some(open)) if open.rank < closed.rank => Some(open),
            (Some(closed), _) => Some(closed),
            // SECURITY: to many applications `/a/` is `/a`, so it isn't judged by a wider route than that
            (None, Some(open)) => {
                let is_meant = |route: &Compiled| {
                    route.has_method(method)
                        && route.rank < open.rank
                        && route.fits_but_for_slash(path)
                };
                let near = near.map(Vec::as_slice).unwrap_or_default();
                (!near.iter().any(is_meant)).then_some(open)
            }
            (None, None) => None,
        }
    }
}

impl Compiled {
    fn new(route: &Route) -> Result<Self, PatternError> {
        let pattern = Pattern::parse(&route.path)?;
        let properties = route
            .properties
            .iter()
            .map(|(name, text)| Ok((name.clone(), Template::parse(text, &pattern)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            path: route.path.clone(),
            methods: route.methods.clone(),
            rank: pattern.rank(),
            action: route.action.clone(),
            resource_type: route.resource_type.clone(),
            resource_id: Template::parse(&route.resource_id, &pattern)?,
            properties,
            is_public: route.public,
            pattern,
            timeout_s: route.timeout_s,
        })
    }

    fn has_method(&self, method: &str) -> bool {
        self.methods.iter().any(|known| known == method)
    }

    fn fits(&self, path: &CanonicalPath) -> bool {
        self.pattern.fits(path.segments(), path.ends_with_slash())
    }

    fn fits_but_for_slash(&self, path: &CanonicalPath) -> bool {
        self.pattern.fits(path.segments(), !path.ends_with_slash())
    }

    fn target(&self, path: &CanonicalPath) -> Target<'_> {
        let filled = |text: &Template| text.filled(path.segments(), path.ends_with_slash());
        Target {
            route: &self.path,
            action: &self.action,
            resource_type: &self.resource_type,
            resource_id: filled(&self.resource_id),
            properties: self
                .properties
                .iter()
                .map(|(name, text)| (name.as_str(), filled(text)))
                .collect(),
            is_public: self.is_public,
            timeout_s: self.timeout_s,
        }
    }
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
            timeout_s: None,
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
            route(&["GET"], "/files/{path...}", "read_file", "{path}"),
            route(&["GET"], "/files/{folder}/index", "list_files", "{folder}"),
            route(&["PUT"], "/{rest...}", "put_anything", "{rest}"),
            route(&["GET"], "/shelf/", "list_shelf", ""),
            route(&["PUT"], "/secrets", "put_secrets", ""),
            route(&["GET"], "/secrets/{id}", "read_secret", "{id}"),
            route(&["HEAD"], "/{rest...}", "look", "{rest}"),
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
    fn a_catch_all_covers_what_is_below_and_nothing_else_does() {
        for (path, id) in [
            ("/files/a", "a"),
            ("/files/a/b%20c", "a/b c"),
            ("/files/a/b/", "a/b/"),
        ] {
            assert_eq!(found("GET", path), Some(pair("read_file", id)), "{path}");
        }
        assert_eq!(found("GET", "/files"), None);
        assert_eq!(found("GET", "/files/"), None);
        assert_eq!(
            found("GET", "/files/a/index"),
            Some(pair("list_files", "a"))
        );
        assert_eq!(
            found("PUT", "/files/a/index"),
            Some(pair("put_anything", "files/a/index"))
        );
    }

    #[test]
    fn a_path_with_a_slash_at_its_end_has_a_route_of_its_own() {
        assert_eq!(found("GET", "/shelf/"), Some(pair("list_shelf", "")));
        assert_eq!(found("GET", "/shelf"), None);
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
    fn a_slash_at_the_end_leads_to_no_wider_route() {
        assert_eq!(found("PUT", "/secrets"), Some(pair("put_secrets", "")));
        assert_eq!(found("PUT", "/secrets/"), None);
        assert_eq!(
            found("PUT", "/others/"),
            Some(pair("put_anything", "others/"))
        );
    }

    #[test]
    fn head_is_covered_by_get() {
        assert_eq!(found("HEAD", "/documents/7"), Some(pair("read", "7")));
        assert_eq!(found("HEAD", "/files/a/b"), Some(pair("read_file", "a/b")));
    }

    #[test]
    fn head_is_judged_by_no_wider_route_than_get() {
        let secret = Some(pair("read_secret", "7"));
        assert_eq!(found("GET", "/secrets/7"), secret);
        assert_eq!(found("HEAD", "/secrets/7"), secret);
        assert_eq!(found("HEAD", "/a/b/c"), Some(pair("look", "a/b/c")));
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
            ("/documents/*", ""),
        ] {
            assert!(
                Routes::compile(&[route(&["GET"], path, "read", id)]).is_err(),
                "{path} {id}"
            );
        }
    }
}
