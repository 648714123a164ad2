//! The paths that routes name, and the texts that are made of their segments: the one grammar that
//! `plinto policy check`, the control plane and the edge read. For people it is in
//! `docs/guides/routes.md`.

/// Characters of a literal segment beside letters and digits. Source: RFC 3986 §3.3, without `*`
/// and `;`, which mean something elsewhere.
const PLAIN: &str = "-._~!$&'()+,=:@";

/// Why a path, or a text made of its segments, can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// A route's path: literal segments, `{name}` for one segment, and at the end perhaps `{rest...}`
/// for one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    ends_with_slash: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
    Rest(String),
}

/// How much a segment leaves open. The less, the sooner its route is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Openness {
    /// This text only.
    Literal,
    /// Any one segment.
    Named,
    /// One segment or more.
    Rest,
}

/// A text with the values of named segments in it: `{folder}:{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Segment(usize),
    Rest(usize),
}

impl Pattern {
    /// Reads a route's path.
    /// Errors: what would never match a request, or would match another than it seems to.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let refuse = |why: String| PatternError(format!("the path `{text}` {why}"));
        let Some(rest) = text.strip_prefix('/') else {
            return Err(refuse("must begin with `/`".to_owned()));
        };
        let (rest, ends_with_slash) = match rest.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (rest, rest.is_empty()),
        };
        let mut pattern = Self {
            segments: Vec::new(),
            ends_with_slash,
        };
        if text == "/" {
            return Ok(pattern);
        }
        for part in rest.split('/') {
            if pattern.has_rest() {
                return Err(refuse("goes on after its `{rest...}`".to_owned()));
            }
            let segment = Segment::parse(part).map_err(refuse)?;
            let name = segment.name();
            if name.is_some() && pattern.segments.iter().any(|known| known.name() == name) {
                return Err(refuse(format!("names `{part}` twice")));
            }
            pattern.segments.push(segment);
        }
        if pattern.has_rest() && ends_with_slash {
            return Err(refuse(
                "ends with a slash, which `{rest...}` takes in".to_owned(),
            ));
        }
        Ok(pattern)
    }

    /// Whether it covers a path. `segments`: decoded; `ends_with_slash`: `/a/` is not `/a`, but
    /// `{rest...}` takes both.
    pub fn fits(&self, segments: &[String], ends_with_slash: bool) -> bool {
        let is_open = self.has_rest();
        let has_room = if is_open {
            segments.len() >= self.segments.len()
        } else {
            segments.len() == self.segments.len() && self.ends_with_slash == ends_with_slash
        };
        has_room
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(segment, text)| match segment {
                    Segment::Literal(literal) => literal == text,
                    Segment::Named(_) | Segment::Rest(_) => true,
                })
    }

    /// How many segments it has; `{rest...}` counts as one.
    pub fn length(&self) -> usize {
        self.segments.len()
    }

    /// Whether it ends in `{rest...}`.
    pub fn has_rest(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Rest(_)))
    }

    /// Its rank among patterns that cover the same path: the least is taken.
    pub fn rank(&self) -> Vec<Openness> {
        self.segments.iter().map(Segment::openness).collect()
    }

    /// The text of its first segment, if that is literal.
    pub(crate) fn first_literal(&self) -> Option<&str> {
        match self.segments.first()? {
            Segment::Literal(text) => Some(text),
            _ => None,
        }
    }

    /// Two patterns of one shape cover the same paths.
    pub(crate) fn shape(&self) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            shape.push('/');
            shape.push_str(match segment {
                Segment::Literal(text) => text,
                Segment::Named(_) => "{}",
                Segment::Rest(_) => "{...}",
            });
        }
        if self.ends_with_slash {
            shape.push('/');
        }
        shape
    }

    /// The part of a text that a name stands for.
    fn piece(&self, name: &str) -> Result<Piece, String> {
        let found = self
            .segments
            .iter()
            .position(|segment| segment.name() == Some(name))
            .and_then(|index| Some((index, self.segments.get(index)?)));
        match found {
            Some((index, Segment::Rest(_))) => Ok(Piece::Rest(index)),
            Some((index, _)) => Ok(Piece::Segment(index)),
            None if name.ends_with("...") => Err(format!(
                "has `{{{name}}}`; outside the path it is written without the dots"
            )),
            None => Err(format!("uses `{{{name}}}`, which the path does not name")),
        }
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let inside = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        match inside {
            Some(inside) => match inside.strip_suffix("...") {
                Some(name) if is_name(name) => Ok(Self::Rest(name.to_owned())),
                None if is_name(inside) => Ok(Self::Named(inside.to_owned())),
                _ => Err(format!(
                    "has `{text}`: write `{{name}}` for one segment, or `{{rest...}}` at the end \
                     for one or more, with a name of letters, digits and `_`"
                )),
            },
            None => match why_not_literal(text) {
                None => Ok(Self::Literal(text.to_owned())),
                Some(why) => Err(why),
            },
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Named(name) | Self::Rest(name) => Some(name),
        }
    }

    const fn openness(&self) -> Openness {
        match self {
            Self::Literal(_) => Openness::Literal,
            Self::Named(_) => Openness::Named,
            Self::Rest(_) => Openness::Rest,
        }
    }
}

impl Template {
    /// Reads a text whose `{name}`s are segments of `pattern`.
    /// Errors: a name that the path doesn't have, or braces that don't pair.
    pub fn parse(text: &str, pattern: &Pattern) -> Result<Self, PatternError> {
        let refuse = |why: String| PatternError(format!("`{text}` {why}"));
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| refuse("has a `{` without a `}`".to_owned()))?;
            push_text(&mut pieces, before).map_err(refuse)?;
            pieces.push(pattern.piece(name).map_err(refuse)?);
            rest = after;
        }
        push_text(&mut pieces, rest).map_err(refuse)?;
        Ok(Self(pieces))
    }

    /// The text for a path that the pattern fits. What `{rest...}` took is joined with `/`, with
    /// one at the end where the path has one; no segment holds a `/` of its own.
    pub fn filled(&self, segments: &[String], ends_with_slash: bool) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Segment(index) => {
                    text.push_str(segments.get(*index).map_or("", String::as_str));
                }
                Piece::Rest(index) => {
                    text.push_str(&segments.get(*index..).unwrap_or_default().join("/"));
                    if ends_with_slash {
                        text.push('/');
                    }
                }
            }
        }
        text
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) -> Result<(), String> {
    if text.contains('}') {
        return Err("has a `}` without a `{`".to_owned());
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Literal segments are compared with the decoded ones of a request. What no request can have, and
/// what another router would read as a pattern, is refused.
fn why_not_literal(text: &str) -> Option<String> {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric()
            || PLAIN.contains(c)
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    let hint = match text {
        "" => return Some("has an empty segment".to_owned()),
        "." | ".." => "dot segments never reach a route",
        _ if text.contains('*') => {
            "`*` has no meaning here; `{name}` takes one segment, `{rest...}` at the end one or more"
        }
        _ if text.starts_with(':') => "a named segment is written `{name}`",
        _ if text.contains(['{', '}']) => "a segment is a text or a name in braces, not both",
        _ if text.contains('%') => "write the character itself, or `{name}`",
        _ if text.chars().all(is_plain) => return None,
        _ => "only letters, digits and `-._~!$&'()+,=:@` stand for themselves; write `{name}`",
    };
    Some(format!("has the segment `{text}`: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    fn segments(path: &str) -> (Vec<String>, bool) {
        let inside = path.strip_prefix('/').unwrap();
        let texts = inside.strip_suffix('/').unwrap_or(inside);
        let segments = texts.split('/').filter(|text| !text.is_empty());
        (segments.map(str::to_owned).collect(), path.ends_with('/'))
    }

    fn fits(text: &str, path: &str) -> bool {
        let (segments, ends_with_slash) = segments(path);
        pattern(text).fits(&segments, ends_with_slash)
    }

    fn filled(template: &str, text: &str, path: &str) -> String {
        let (segments, ends_with_slash) = segments(path);
        let template = Template::parse(template, &pattern(text)).unwrap();
        template.filled(&segments, ends_with_slash)
    }

    #[test]
    fn a_catch_all_takes_one_segment_or_more() {
        for path in ["/api/a", "/api/a/", "/api/a/b", "/api/a/b/c/"] {
            assert!(fits("/api/{rest...}", path), "{path}");
        }
        for path in ["/", "/api", "/api/", "/other/a", "/apis/a"] {
            assert!(!fits("/api/{rest...}", path), "{path}");
        }
        assert!(fits("/{rest...}", "/a/b") && !fits("/{rest...}", "/"));
        assert!(fits("/{org}/files/{path...}", "/acme/files/a/b"));
    }

    #[test]
    fn what_a_catch_all_took_is_one_text() {
        let path = "/acme/files/a/b c";
        let route = "/{org}/files/{path...}";
        assert_eq!(filled("{path}", route, path), "a/b c");
        assert_eq!(filled("{org}:{path}!", route, path), "acme:a/b c!");
        assert_eq!(filled("{path}", route, "/acme/files/a/"), "a/");
        assert_eq!(filled("all", route, path), "all");
    }

    #[test]
    fn a_slash_at_the_end_makes_another_path() {
        assert!(fits("/a/", "/a/") && !fits("/a/", "/a"));
        assert!(fits("/a", "/a") && !fits("/a", "/a/"));
        assert!(fits("/{x}/", "/a/") && fits("/", "/"));
    }

    #[test]
    fn the_less_a_pattern_leaves_open_the_sooner_it_is_taken() {
        let mut patterns = [
            "/{rest...}",
            "/{a}/{rest...}",
            "/{a}/{b}",
            "/{a}/x",
            "/x/{rest...}",
            "/x/{b}",
            "/x/x",
        ];
        patterns.sort_by_key(|text| std::cmp::Reverse(pattern(text).rank()));
        assert_eq!(
            patterns,
            [
                "/{rest...}",
                "/{a}/{rest...}",
                "/{a}/{b}",
                "/{a}/x",
                "/x/{rest...}",
                "/x/{b}",
                "/x/x",
            ]
        );
    }

    #[test]
    fn a_pattern_of_another_router_is_refused_with_what_to_write() {
        for (text, hint) in [
            ("/api/*", "`{rest...}` at the end one or more"),
            ("/api/**", "`{rest...}`"),
            ("/*", "`{rest...}`"),
            ("/api/*/x", "`{name}` takes one segment"),
            ("/files/*.png", "`*` has no meaning"),
            ("/api/(.*)", "`*` has no meaning"),
            ("/api/{*rest}", "`{rest...}` at the end"),
            ("/api/{rest*}", "`{rest...}` at the end"),
            ("/api/{rest:.+}", "`{rest...}` at the end"),
            ("/api/{...}", "`{rest...}` at the end"),
            ("/api/{}", "`{name}`"),
            ("/api/{a b}", "letters, digits and `_`"),
            ("/users/:id", "is written `{name}`"),
            ("/users/<id>", "write `{name}`"),
            ("/users/[id]", "write `{name}`"),
            ("/files/{name}.png", "not both"),
            ("/api/{rest...}/x", "goes on after"),
            ("/api/{rest...}/", "takes in"),
            ("/{a}/{a}", "twice"),
            ("/{a}/{a...}", "twice"),
            ("/a%20b", "the character itself"),
            ("/a b", "write `{name}`"),
            ("/a;v=1", "write `{name}`"),
            ("/a?b=c", "write `{name}`"),
            ("/a//b", "empty segment"),
            ("//", "empty segment"),
            ("/../a", "dot segments"),
            ("a", "must begin with `/`"),
            ("", "must begin with `/`"),
        ] {
            let error = Pattern::parse(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
        for text in [
            "/grün",
            "/v1/things:cancel",
            "/$metadata",
            "/a(b)",
            "/~me/+1",
        ] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_text_uses_only_names_that_the_path_has() {
        let route = pattern("/{id}/{path...}");
        for (text, why) in [
            ("{other}", "does not name"),
            ("{path...}", "without the dots"),
            ("{id", "without a `}`"),
            ("id}", "without a `{`"),
            ("{id}}", "without a `{`"),
            ("{}", "does not name"),
        ] {
            let error = Template::parse(text, &route).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
