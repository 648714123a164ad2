//! Which query parameters an operation takes. Any other is refused, before the operation runs.
//!
//! The API's description names them, so an endpoint cannot forget to. A group of routes may pass
//! over what it does not know instead, as OAuth's must (RFC 6749 §3.1, §3.2).

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use plinto_contract::problem::{Code, FieldError};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn, PathItem},
};

use crate::http::{ApiError, Groups};

/// 16: more faults than that are told in several rounds.
const FAULTS_MAX: usize = 16;

/// The parameters of every described operation.
#[derive(Debug, Clone)]
pub struct Declared(Arc<BTreeMap<(String, Method), Takes>>);

/// What one operation takes.
#[derive(Debug)]
enum Takes {
    /// Whatever comes.
    Anything,
    /// These names.
    Only(Vec<String>),
}

impl Declared {
    /// Reads them from the API's description.
    pub fn of(api: &OpenApi, groups: &Groups) -> Self {
        let mut declared = BTreeMap::new();
        for (path, item) in &api.paths.paths {
            let takes_anything = groups
                .at(path)
                .is_some_and(|group| group.ignores_unknown_parameters);
            for (method, operation) in operations(item) {
                let takes = if takes_anything {
                    Takes::Anything
                } else {
                    Takes::described(operation)
                };
                declared.insert((path.clone(), method), takes);
            }
        }
        Self(Arc::new(declared))
    }

    /// `None`: the path has no such method, which the router says itself.
    fn of_request(&self, path: &str, method: &Method) -> Option<&Takes> {
        const NOTHING: &Takes = &Takes::Only(Vec::new());
        // A HEAD is answered by the GET.
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let key = (path.to_owned(), method.clone());
        match self.0.get(&key) {
            Some(takes) => Some(takes),
            None if self.0.keys().any(|(known, _)| known == path) => None,
            // Not described: a probe, or a page. None of them takes any.
            None => Some(NOTHING),
        }
    }
}

impl Takes {
    fn described(operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let in_query = parameters.filter_map(|parameter| match parameter {
            RefOr::T(it) if matches!(it.parameter_in, ParameterIn::Query) => Some(it.name.clone()),
            _ => None,
        });
        Self::Only(in_query.collect())
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Refuses a request whose query holds what its operation does not take, or one name twice.
pub async fn refuse_unknown(
    State(declared): State<Declared>,
    request: Request,
    next: Next,
) -> Response {
    let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else {
        return next.run(request).await;
    };
    let matched = request.extensions().get::<MatchedPath>();
    let takes = matched.and_then(|path| declared.of_request(path.as_str(), request.method()));
    if let Some(Takes::Only(names)) = takes
        && let Err(error) = check(query, names)
    {
        return error.into_response();
    }
    next.run(request).await
}

fn check(query: &str, names: &[String]) -> Result<(), ApiError> {
    let pairs = read(query).ok_or_else(|| {
        let detail = "the query is not percent-encoded UTF-8";
        ApiError::new(Code::MalformedRequest, detail)
    })?;
    let mut errors = Vec::new();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if errors.len() == FAULTS_MAX {
            break;
        }
        let pointer = format!("?{name}");
        if !names.contains(name) {
            let detail = expected(names);
            errors.push(FieldError::new(pointer, "unknown_parameter", detail));
        } else if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
            let detail = "give this parameter once";
            errors.push(FieldError::new(pointer, "duplicate_parameter", detail));
        } else if value.contains('\0') {
            let detail = "no text may hold the character U+0000";
            errors.push(FieldError::new(pointer, "invalid_value", detail));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::fields(Code::ValidationFailed, errors))
    }
}

fn expected(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing here takes a query parameter".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("no such parameter here; there is {}", names.join(", "))
}

/// The pairs of a query, decoded as `application/x-www-form-urlencoded`; `None` where a reader
/// would have to guess: a `%` without two digits, bytes that are no UTF-8.
pub(super) fn read(query: &str) -> Option<Vec<(String, String)>> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Option<String> {
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.all(is_escape) {
        return None;
    }
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_only_where_nobody_has_to_guess() {
        let pairs = |query: &str| {
            let pairs = read(query)?;
            let texts = pairs.iter().map(|(name, value)| format!("{name}={value}"));
            Some(texts.collect::<Vec<_>>().join("|"))
        };
        assert_eq!(pairs("a=1&b=x+y%20z&&c").as_deref(), Some("a=1|b=x y z|c="));
        assert_eq!(pairs("n=%C3%A4%2B").as_deref(), Some("n=ä+"));
        for guess in ["a=%", "a=%4", "a=%zz", "a=%+4", "a=%ff", "%C3=1"] {
            assert_eq!(pairs(guess), None, "{guess}");
        }
    }

    #[test]
    fn each_parameter_at_fault_is_named() {
        let names = ["limit".to_owned(), "cursor".to_owned()];
        let faults = |query: &str| {
            let error = check(query, &names).unwrap_err();
            let faults = error.errors().iter();
            let texts = faults.map(|fault| format!("{} {}", fault.pointer, fault.code));
            texts.collect::<Vec<_>>()
        };
        assert!(check("limit=1&cursor=x", &names).is_ok());
        assert_eq!(
            faults("after=x&limit=1&limit=2&cursor=%00"),
            [
                "?after unknown_parameter",
                "?limit duplicate_parameter",
                "?cursor invalid_value"
            ]
        );
    }
}
