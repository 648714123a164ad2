//! `/docs/errors`: what each problem code means and what helps. `type` of every problem leads here.

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use plinto_contract::problem::{Code, PAGES};
use plinto_platform::{Platform, http::ApiError};

/// The page's own few lines of style, and nothing else at all.
const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;\
     padding:0 1rem}code{font-family:ui-monospace,monospace}td{padding:.1rem .8rem .1rem 0}";
/// 300 s: the text changes with a release only.
const CACHE: &str = "public, max-age=300";

/// The pages' routes.
pub fn routes() -> Router<Platform> {
    Router::new()
        .route(PAGES, get(index))
        .route(&format!("{PAGES}/{{code}}"), get(one))
}

async fn index() -> Response {
    let rows = Code::ALL.iter().map(|code| {
        let (name, status, title) = (code.as_str(), code.status(), code.title());
        format!("<tr><td><a href=\"{PAGES}/{name}\"><code>{name}</code></a><td>{status}<td>{title}")
    });
    page(
        "Problem codes",
        &format!("<table>{}</table>", rows.collect::<String>()),
    )
}

async fn one(Path(code): Path<String>) -> Result<Response, ApiError> {
    let Some(code) = Code::from_text(&code) else {
        let detail = format!("no problem has this code; {PAGES} lists all of them");
        return Err(ApiError::new(Code::NotFound, detail));
    };
    let again = if code.is_retryable() {
        "<p>The same request may succeed later."
    } else {
        ""
    };
    let body = format!(
        "<p><code>{}</code>, status {}{again}<h2>Cause</h2><p>{}<h2>Remedy</h2><p>{}\
         <p><a href=\"{PAGES}\">All codes</a>",
        code.as_str(),
        code.status(),
        marked_up(code.cause()),
        marked_up(code.remedy()),
    );
    Ok(page(code.title(), &body))
}

/// What stands between backquotes is code. The table holds no character that HTML would read.
fn marked_up(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let marked = pieces.map(|(index, piece)| match index % 2 {
        0 => piece.to_owned(),
        _ => format!("<code>{piece}</code>"),
    });
    marked.collect()
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Plinto</title>\
         <style>{STYLE}</style><h1>{title}</h1>{body}\n"
    );
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CSP),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(CACHE)),
    ];
    (headers, Html(html)).into_response()
}
