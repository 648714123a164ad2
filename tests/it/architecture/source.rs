//! Rust text as the rules read it: comments and literals blanked, functions found.

use std::sync::LazyLock;

use regex::Regex;

/// A string literal and where it starts: its line, and how many characters stand before it.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) at: usize,
    pub(super) text: String,
}

/// One Rust file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// `text` with comments and the insides of literals replaced by blanks; same lines.
    pub(super) code: String,
    /// `code` without what is compiled for tests only.
    pub(super) production: String,
    /// The string literals of `production`.
    pub(super) literals: Vec<Literal>,
}

/// One `fn` with a body.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) is_public: bool,
    /// Public for its parent only: `pub(super)`.
    pub(super) is_inner: bool,
    pub(super) is_async: bool,
    /// The parameters, split at top-level commas.
    pub(super) parameters: Vec<String>,
    pub(super) body: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, mut literals) = blank(text);
        let production = without_tests(&code);
        let kept: Vec<&str> = production.lines().collect();
        literals.retain(|literal| {
            kept.get(literal.line - 1)
                .is_some_and(|line| !line.trim().is_empty())
        });
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            production,
            literals,
        }
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the file is `<name>.rs`, or lies in a folder `<name>/`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name() == format!("{name}.rs") || self.path.contains(&format!("/{name}/"))
    }

    /// The feature a file of the control plane belongs to: a folder of a crate of features.
    pub(super) fn feature(&self) -> Option<&str> {
        let (home, rest) = self
            .path
            .strip_prefix("control-plane/")?
            .split_once("/src/")?;
        let (name, _) = rest.split_once('/')?;
        (!home.is_empty() && home != "platform").then_some(name)
    }

    /// `path:line` of every match of `pattern` in the code that ships.
    pub(super) fn find(&self, pattern: &str) -> Vec<String> {
        let pattern = Regex::new(pattern).unwrap();
        let hits = self
            .production
            .lines()
            .enumerate()
            .filter_map(|(index, line)| {
                let hit = pattern.find(line)?;
                Some(format!(
                    "{}:{}: `{}`",
                    self.path,
                    index + 1,
                    hit.as_str().trim()
                ))
            });
        hits.collect()
    }

    /// The attributes of the code that ships: line, and what stands in the brackets.
    pub(super) fn attributes(&self) -> Vec<(usize, String)> {
        attributes(&self.production)
    }

    /// The functions that ship.
    pub(super) fn functions(&self) -> Vec<Function> {
        let pattern = Regex::new(
            r"(?m)^[ \t]*(pub(?:\([a-z: ]+\))?\s+)?((?:const|async|unsafe)\s+)*fn\s+([a-z0-9_]+)",
        );
        let code = &self.production;
        let mut found = Vec::new();
        for capture in pattern.unwrap().captures_iter(code) {
            let whole = capture.get(0).unwrap();
            let Some(open) = code[whole.end()..].find('(').map(|at| whole.end() + at) else {
                continue;
            };
            let Some(close) = matching(code, open) else {
                continue;
            };
            let rest = &code[close..];
            let Some(brace) = rest.find(['{', ';']).map(|at| close + at) else {
                continue;
            };
            if code.as_bytes()[brace] == b';' {
                continue;
            }
            let Some(end) = matching(code, brace) else {
                continue;
            };
            found.push(Function {
                line: code[..whole.start()].lines().count() + 1,
                name: capture[3].to_owned(),
                is_public: capture.get(1).is_some(),
                is_inner: capture
                    .get(1)
                    .is_some_and(|it| it.as_str().contains("super")),
                is_async: whole.as_str().contains("async "),
                parameters: split(&code[open + 1..close]),
                body: code[brace..=end].to_owned(),
            });
        }
        found
    }
}

/// Every attribute: line, and what stands in the brackets, on one line.
pub(super) fn attributes(code: &str) -> Vec<(usize, String)> {
    static START: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"#\s*!?\s*\[").unwrap());
    let hits = START.find_iter(code).filter_map(|hit| {
        let open = hit.end() - 1;
        let text = &code[open + 1..matching(code, open)?];
        let line = code[..hit.start()].matches('\n').count() + 1;
        Some((line, text.split_whitespace().collect::<Vec<_>>().join(" ")))
    });
    hits.collect()
}

/// What stands between the commas of a list, brackets within it left whole.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut depth, mut current, mut parts) = (0_i32, String::new(), Vec::new());
    for letter in text.chars() {
        match letter {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | '>' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(letter);
    }
    parts.push(current);
    let words = |part: String| part.split_whitespace().collect::<Vec<_>>().join(" ");
    parts
        .into_iter()
        .map(words)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The bracket that closes the one at `open`.
pub(super) fn matching(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in code[open..].char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Replaces every module under `#[cfg(test)]` by blank lines.
fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    while let Some(start) = kept.find("#[cfg(test)]") {
        let end = kept[start..]
            .find(['{', ';'])
            .map(|at| start + at)
            .and_then(|at| {
                if kept.as_bytes()[at] == b';' {
                    Some(at)
                } else {
                    matching(&kept, at)
                }
            })
            .unwrap_or(kept.len() - 1);
        let blanks: String = kept[start..=end]
            .chars()
            .map(|letter| if letter == '\n' { '\n' } else { ' ' })
            .collect();
        kept.replace_range(start..=end, &blanks);
    }
    kept
}

/// Blanks comments and the insides of literals; gives back the string literals.
fn blank(text: &str) -> (String, Vec<Literal>) {
    let letters: Vec<char> = text.chars().collect();
    let (mut code, mut literals, mut at, mut line) = (String::new(), Vec::new(), 0, 1);
    while at < letters.len() {
        let end = match token(&letters, at) {
            Token::Code => {
                code.push(letters[at]);
                at + 1
            }
            Token::Comment(end) => {
                code.extend(
                    letters[at..end]
                        .iter()
                        .map(|c| if *c == '\n' { '\n' } else { ' ' }),
                );
                end
            }
            Token::Text { from, to, end } => {
                code.extend(&letters[at..from]);
                code.extend(
                    letters[from..to]
                        .iter()
                        .map(|c| if *c == '\n' { '\n' } else { ' ' }),
                );
                code.extend(&letters[to..end]);
                let text: String = letters[from..to].iter().collect();
                literals.push(Literal {
                    line,
                    at: from,
                    text,
                });
                end
            }
        };
        line += letters[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    (code, literals)
}

enum Token {
    Code,
    Comment(usize),
    Text { from: usize, to: usize, end: usize },
}

/// What begins at `at`.
fn token(letters: &[char], at: usize) -> Token {
    let next = |ahead: usize| letters.get(at + ahead).copied().unwrap_or('\0');
    let starts_word = at == 0 || !(letters[at - 1].is_alphanumeric() || letters[at - 1] == '_');
    match letters[at] {
        '/' if next(1) == '/' => Token::Comment(
            (at..letters.len())
                .find(|i| letters[*i] == '\n')
                .unwrap_or(letters.len()),
        ),
        '/' if next(1) == '*' => Token::Comment(end_of_block(letters, at)),
        '"' => plain(letters, at),
        'r' if starts_word
            && (next(1) == '"' || (next(1) == '#' && (next(2) == '"' || next(2) == '#'))) =>
        {
            raw(letters, at)
        }
        '\'' if next(1) == '\\' || next(2) == '\'' => {
            let close = (at + 2..letters.len()).find(|i| {
                letters[*i] == '\'' && (letters[i - 1] != '\\' || letters[i - 2] == '\\')
            });
            Token::Comment(close.map_or(letters.len(), |i| i + 1))
        }
        _ => Token::Code,
    }
}

fn end_of_block(letters: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i + 1 < letters.len() {
        match (letters[i], letters[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => {
                (depth, i) = (depth - 1, i + 2);
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    letters.len()
}

fn plain(letters: &[char], at: usize) -> Token {
    let mut i = at + 1;
    while i < letters.len() && letters[i] != '"' {
        i += if letters[i] == '\\' { 2 } else { 1 };
    }
    let to = i.min(letters.len());
    Token::Text {
        from: at + 1,
        to,
        end: (to + 1).min(letters.len()),
    }
}

fn raw(letters: &[char], at: usize) -> Token {
    let hashes = letters[at + 1..].iter().take_while(|c| **c == '#').count();
    let from = at + 1 + hashes + 1;
    let mut i = from;
    while i < letters.len() {
        if letters[i] == '"'
            && letters[i + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
        {
            return Token::Text {
                from,
                to: i,
                end: i + 1 + hashes,
            };
        }
        i += 1;
    }
    Token::Text {
        from: from.min(letters.len()),
        to: letters.len(),
        end: letters.len(),
    }
}

#[test]
fn comments_literals_and_tests_are_not_code() {
    let source = Source::new(
        "x.rs",
        "//! doc\nfn a<'x>(q: &'x str) { let s = \"sel{ect\"; let c = '\"'; } /* b */\n\
         const R: &str = r#\"raw \"q\" text\"#;\n#[cfg(test)]\nmod tests { fn t() { panic!() } }\n\
         pub(crate) async fn later(tx: &mut Tx, map: Map<A, B>) -> u8 { 1 }\n",
    );
    assert!(
        !source.code.contains("doc")
            && !source.code.contains("ect")
            && !source.code.contains("raw")
    );
    assert!(!source.production.contains("panic"));
    let texts: Vec<_> = source
        .literals
        .iter()
        .map(|literal| literal.text.as_str())
        .collect();
    assert_eq!(texts, ["sel{ect", "raw \"q\" text"]);
    let functions = source.functions();
    assert_eq!(functions.len(), 2);
    assert_eq!(functions[1].parameters, ["tx: &mut Tx", "map: Map<A, B>"]);
    assert!(functions[1].is_async && functions[1].is_public && !functions[0].is_public);
    assert_eq!(functions[1].line, 6);
}
