//! From tokens to a module: package, imports, rules.
//!
//! The time is linear in the text: what is ambiguous is decided by what follows. Only the body of a
//! rule is read twice at most, and some comprehensions that are none. Nesting ends at [`DEPTH_MAX`].

use std::collections::BTreeSet;

use super::{
    Dialect, Keywords, SyntaxError,
    ast::{
        Body, Else, Expr, ExprKind, Head, HeadValue, Import, Module, Place, Rule, Term, TermKind,
        names_of,
    },
    lexer::{Lexeme, Token, lex},
};
use crate::builtins::declarations::declaration;

/// 96: terms inside each other. A level takes up to 2 KiB of stack; a Worker has 1 MiB.
pub(crate) const DEPTH_MAX: u32 = 96;

/// 200: levels of a term, of which a chain such as `a + b + c` has many without being nested.
pub(crate) const LEVELS_MAX: u32 = 200;
/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// 100: comprehensions of a module that turn out to be unions when they have been read.
const RETRIES_MAX: u32 = 100;

/// 10: levels in what can't be taken apart for the engine, whose parser works twice as long with
/// each level.
const HEAD_DEPTH_MAX: u32 = 10;

/// Words that are no names. `contains` is one in heads only. Source: OPA, "Reserved Names".
const KEYWORDS: [&str; 15] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null",
    "package", "some", "true", "with",
];

/// Keywords that `future.keywords` has had, and that are always keywords now.
pub(super) const FUTURE: [&str; 4] = ["contains", "every", "if", "in"];

/// Reads a module in Rego v1.
/// Errors: the first thing that is not Rego v1, and what was expected in its place.
#[cfg(test)]
pub(crate) fn parse(text: &str) -> Result<Module, SyntaxError> {
    parse_as(Dialect::V1, text)
}

/// Reads a module.
/// Errors: the first thing that is not of this dialect, and what was expected in its place.
pub(crate) fn parse_as(dialect: Dialect, text: &str) -> Result<Module, SyntaxError> {
    let lexed = lex(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
    let mut parser = Parser::new(&lexed.tokens);
    parser.keywords = Keywords::of(dialect);
    let mut module = parser.module()?;
    module.comments = lexed.comments;
    Ok(module)
}

/// Reads one term, as a line of its own.
/// Errors: the same.
pub(crate) fn parse_term(text: &str) -> Result<Term, SyntaxError> {
    let lexed = lex(text)?;
    let mut parser = Parser::new(&lexed.tokens);
    let term = parser.term()?;
    match parser.peek().token {
        Token::End => Ok(term),
        _ => Err(parser.unexpected("the end")),
    }
}

/// What has been read, and what comes next.
pub(crate) struct Parser<'a> {
    tokens: &'a [Lexeme<'a>],
    at: usize,
    nesting: u32,
    /// How often something may still be read in another way.
    retries: u32,
    pub(super) keywords: Keywords,
}

/// What is behind the last token.
const NOTHING: Lexeme<'static> = Lexeme {
    token: Token::End,
    text: "",
    place: Place { line: 0, column: 0 },
    is_adjacent: false,
    is_on_new_line: true,
};

impl<'a> Parser<'a> {
    pub(crate) const fn new(tokens: &'a [Lexeme<'a>]) -> Self {
        Self {
            tokens,
            at: 0,
            nesting: 0,
            retries: RETRIES_MAX,
            keywords: Keywords::of(Dialect::V1),
        }
    }

    /// The token `ahead` of the next one.
    pub(crate) fn ahead(&self, ahead: usize) -> Lexeme<'a> {
        let at = self.at.saturating_add(ahead);
        let last = self.tokens.last().copied().unwrap_or(NOTHING);
        self.tokens.get(at).copied().unwrap_or(last)
    }

    pub(crate) fn peek(&self) -> Lexeme<'a> {
        self.ahead(0)
    }

    pub(crate) fn next(&mut self) -> Lexeme<'a> {
        let token = self.peek();
        self.at = self.at.saturating_add(1);
        token
    }

    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    pub(crate) const fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    /// Whether something may be read once more, in another way.
    pub(crate) const fn may_retry(&mut self) -> bool {
        let may = self.retries > 0;
        self.retries = self.retries.saturating_sub(1);
        may
    }

    pub(crate) fn is_sign(&self, text: &str) -> bool {
        let next = self.peek();
        next.token == Token::Sign && next.text == text
    }

    /// Whether the next token is this keyword, and not a name as in `if.a` or `not["b"]`.
    pub(crate) fn is_word(&self, text: &str) -> bool {
        let next = self.peek();
        next.token == Token::Word
            && next.text == text
            && self.keywords.has(text)
            && !self.begins_reference()
    }

    /// Whether a word cannot be a name.
    pub(crate) fn is_keyword(&self, word: &str) -> bool {
        KEYWORDS.contains(&word) && self.keywords.has(word)
    }

    /// Whether what follows the next token makes it the first name of a reference.
    pub(crate) fn begins_reference(&self) -> bool {
        let following = self.ahead(1);
        following.token == Token::Sign
            && following.is_adjacent
            && matches!(following.text, "." | "[")
    }

    /// Skips a sign if it comes next.
    pub(crate) fn skip_sign(&mut self, text: &str) -> bool {
        let is_next = self.is_sign(text);
        if is_next {
            self.next();
        }
        is_next
    }

    pub(crate) fn skip_word(&mut self, text: &str) -> bool {
        let is_next = self.is_word(text);
        if is_next {
            self.next();
        }
        is_next
    }

    /// The same where a name can't stand, so that `as[1]` begins no reference.
    pub(crate) fn skip_keyword(&mut self, text: &str) -> bool {
        let next = self.peek();
        let is_next = next.token == Token::Word && next.text == text;
        if is_next {
            self.next();
        }
        is_next
    }

    pub(crate) fn expect_sign(&mut self, text: &str) -> Result<(), SyntaxError> {
        if self.skip_sign(text) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{text}`")))
        }
    }

    /// An error at the next token.
    pub(crate) fn unexpected(&self, expected: &str) -> SyntaxError {
        let next = self.peek();
        let found = match next.token {
            Token::End => "the end of the file".to_owned(),
            Token::Text | Token::Raw | Token::Part { .. } | Token::LastPart { .. } => {
                "a text".to_owned()
            }
            Token::Word if self.is_keyword(next.text) => format!("the keyword `{}`", next.text),
            Token::Word | Token::Number | Token::Sign => format!("`{}`", next.text),
        };
        SyntaxError::new(next.place, format!("expected {expected}, found {found}"))
    }

    /// A level deeper, which must not be too deep.
    pub(crate) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        self.nesting = self.nesting.saturating_add(1);
        let result = if self.nesting > DEPTH_MAX {
            Err(too_deep(self.peek().place))
        } else {
            read(self)
        };
        self.nesting = self.nesting.saturating_sub(1);
        result
    }

    fn module(&mut self) -> Result<Module, SyntaxError> {
        let place = self.peek().place;
        if !self.skip_word("package") {
            return Err(self.unexpected("`package`"));
        }
        let package = self.path()?;
        let mut module = Module {
            place,
            package,
            imports: Vec::new(),
            rules: Vec::new(),
            comments: Vec::new(),
            dialect: self.keywords.dialect(),
        };
        let mut imported = BTreeSet::new();
        while self.peek().token != Token::End {
            if self.is_word("import") {
                let place = self.peek().place;
                let (name, import) = self.import()?;
                module.dialect = self.keywords.dialect();
                if module.dialect == Dialect::V1 && name.is_some_and(|name| !imported.insert(name))
                {
                    let message = "another import has the same name; give one of them another";
                    return Err(SyntaxError::new(place, message));
                }
                module.imports.extend(import);
            } else {
                self.rule(&mut module.rules)?;
            }
        }
        Ok(module)
    }

    /// A reference of names only. A keyword may be any of them.
    fn path(&mut self) -> Result<Term, SyntaxError> {
        let first = self.peek();
        if first.token != Token::Word {
            return Err(self.unexpected("a name"));
        }
        self.next();
        let head = Term::new(first.place, TermKind::Var(first.text.to_owned()));
        let path = self.steps(head)?;
        let is_path = match &path.kind {
            TermKind::Var(_) => true,
            TermKind::Ref(head, steps) => {
                let mut steps = steps.iter();
                head.name().is_some() && steps.all(|step| matches!(step.kind, TermKind::Text(_)))
            }
            _ => false,
        };
        if is_path {
            Ok(path)
        } else {
            Err(SyntaxError::new(first.place, "expected a path of names"))
        }
    }

    /// An import with its name, unless it only says which keywords there are.
    fn import(&mut self) -> Result<(Option<String>, Option<Import>), SyntaxError> {
        let place = self.next().place;
        let path = self.path()?;
        let names = names_of(&path);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["rego", name @ "v1"] | ["future", name @ "keywords"] => {
                self.imported(&names);
                return Ok((Some((*name).to_owned()), None));
            }
            ["future", "keywords", word] if FUTURE.contains(word) => {
                self.imported(&names);
                return Ok((Some((*word).to_owned()), None));
            }
            ["data" | "input", ..] => {}
            ["future" | "rego", ..] => {
                let message = format!("there is no `{}` here", names.join("."));
                return Err(SyntaxError::new(path.place, message));
            }
            _ => {
                let message = "an import begins with `data`, `input`, `rego` or `future`";
                return Err(SyntaxError::new(path.place, message));
            }
        }
        let mut alias = None;
        if self.skip_word("as") {
            let name = self.peek();
            let is_free = !matches!(name.text, "data" | "input");
            if name.token != Token::Word || self.is_keyword(name.text) || !is_free {
                return Err(self.unexpected("a name"));
            }
            let name = self.next().text;
            if name == "_" {
                // Nothing can be meant by it.
                return Ok((None, None));
            }
            alias = Some(name.to_owned());
        } else if let Some(last) = names.last().filter(|name| self.is_keyword(name)) {
            let message = format!("`{last}` is a keyword; give the import a name with `as`");
            return Err(SyntaxError::new(path.place, message));
        }
        let import = Import { place, path, alias };
        Ok((import.name(), Some(import)))
    }

    /// A rule, or several that share their head.
    fn rule(&mut self, rules: &mut Vec<Rule>) -> Result<(), SyntaxError> {
        let place = self.peek().place;
        let is_default = self.skip_word("default");
        let head = self.head()?;
        let mut rule = Rule {
            place,
            is_default,
            head,
            body: None,
            otherwise: Vec::new(),
        };
        if is_default {
            self.check_default(&rule)?;
            rules.push(rule);
            return Ok(());
        }
        if self.skip_word("if") {
            rule.body = Some(self.rule_body()?);
        } else if self.keywords.dialect() == Dialect::V0 {
            self.without_if(&mut rule)?;
        } else if self.is_sign("{") {
            return Err(self.unexpected(
                "`if` before the body (Rego from before OPA 1.0 needs `rego_version` 0 or `--v0-compatible`)",
            ));
        } else if rule.head.value == HeadValue::Implied && rule.head.parameters.is_none() {
            return Err(self.unexpected("`:=`, `contains` or `if`"));
        }
        if rule.body.is_none() {
            // A line that looks like a call was probably meant to be in a body.
            let name = names_of(&rule.head.name).join(".");
            let says_nothing = rule.head.value == HeadValue::Implied;
            if says_nothing
                && self.keywords.dialect() == Dialect::V1
                && declaration(&name).is_some()
            {
                let message = format!(
                    "`{name}` is a builtin function, and this no rule; give it a body or a value"
                );
                return Err(SyntaxError::new(place, message));
            }
            rules.push(rule);
            return Ok(());
        }
        while self.is_word("else") {
            if matches!(rule.head.value, HeadValue::Contains(_)) {
                let message = "`else` cannot follow a rule with `contains`";
                return Err(SyntaxError::new(self.peek().place, message));
            }
            let other = self.otherwise()?;
            let is_last = other.body.is_none();
            rule.otherwise.push(other);
            if is_last {
                break;
            }
        }
        let head = rule.head.clone();
        let has_else = !rule.otherwise.is_empty();
        rules.push(rule);
        while self.is_sign("{") {
            if has_else {
                return Err(self.unexpected("`else`"));
            }
            let place = self.peek().place;
            let body = Some(self.braced()?);
            rules.push(Rule {
                place,
                is_default: false,
                head: head.clone(),
                body,
                otherwise: Vec::new(),
            });
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head, SyntaxError> {
        let first = self.peek();
        let is_name = !self.is_keyword(first.text) || self.begins_reference();
        if first.token != Token::Word || !is_name {
            return Err(self.unexpected("a rule's name"));
        }
        self.next();
        let name = Term::new(first.place, TermKind::Var(first.text.to_owned()));
        let read = self.steps(name)?;
        let (name, parameters) = match read.kind {
            // `p()` is `p`. Source: OPA.
            TermKind::Call(function, parameters) if parameters.is_empty() => (*function, None),
            TermKind::Call(function, parameters) => (*function, Some(parameters)),
            TermKind::Var(_) | TermKind::Ref(..) => (read, None),
            _ => return Err(SyntaxError::new(first.place, "expected a rule's name")),
        };
        let is_named = match &name.kind {
            TermKind::Ref(head, _) => head.name().is_some(),
            kind => matches!(kind, TermKind::Var(_)),
        };
        if !is_named {
            return Err(SyntaxError::new(first.place, "expected a rule's name"));
        }
        let parameter = parameters.iter().flatten();
        if let Some(deep) = parameter.into_iter().find(|one| one.depth > HEAD_DEPTH_MAX) {
            let message = format!("more than {HEAD_DEPTH_MAX} levels in a parameter");
            return Err(SyntaxError::new(deep.place, message));
        }
        let value = if self.skip_word("contains") {
            if parameters.is_some() {
                let message = "a function has a value, no members";
                return Err(SyntaxError::new(first.place, message));
            }
            HeadValue::Contains(self.infix(true)?)
        } else if self.skip_sign(":=") || self.skip_sign("=") {
            HeadValue::Is(self.infix(true)?)
        } else {
            HeadValue::Implied
        };
        Ok(Head {
            name,
            parameters,
            value,
        })
    }

    /// A default holds without a body, so nothing in it may need one.
    fn check_default(&self, rule: &Rule) -> Result<(), SyntaxError> {
        match &rule.head.value {
            HeadValue::Is(value) if value.depth > HEAD_DEPTH_MAX => {
                let message = format!("more than {HEAD_DEPTH_MAX} levels in a default value");
                return Err(SyntaxError::new(value.place, message));
            }
            HeadValue::Is(value) if !is_constant(value) => {
                let message = "a default value contains no names and calls";
                return Err(SyntaxError::new(value.place, message));
            }
            // OPA takes what is missing for true.
            HeadValue::Is(_) | HeadValue::Implied => {}
            HeadValue::Contains(_) => {
                return Err(self.unexpected("`:=` and the default value"));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for parameter in rule.head.parameters.iter().flatten() {
            match parameter.name() {
                Some("_") => {}
                Some(name) if !seen.contains(&name) => seen.push(name),
                _ => {
                    let message = "a default function's parameters are names, each once";
                    return Err(SyntaxError::new(parameter.place, message));
                }
            }
        }
        Ok(())
    }

    fn otherwise(&mut self) -> Result<Else, SyntaxError> {
        let place = self.next().place;
        let mut value = None;
        if self.skip_sign(":=") || self.skip_sign("=") {
            value = Some(self.infix(true)?);
        }
        let mut body = None;
        if self.skip_word("if") {
            body = Some(if self.is_sign("{") {
                self.braced()?
            } else {
                vec![self.expr()?]
            });
        } else if self.keywords.dialect() == Dialect::V0 && self.is_sign("{") {
            body = Some(self.braced()?);
        } else if value.is_none() || self.is_sign("{") {
            return Err(self.unexpected("`:=` or `if`"));
        }
        Ok(Else { place, value, body })
    }

    /// What follows `if`. A brace may begin an expression as well as a body; an expression that is
    /// a set is neither false nor undefined, so it is meant for a body.
    fn rule_body(&mut self) -> Result<Body, SyntaxError> {
        if !self.is_sign("{") {
            return Ok(vec![self.expr()?]);
        }
        let start = self.position();
        if let Ok(expr) = self.expr()
            && !matches!(&expr.kind, ExprKind::Term(term) if matches!(term.kind, TermKind::Set(_)))
        {
            return Ok(vec![expr]);
        }
        self.back_to(start);
        self.braced()
    }

    /// `{ body }`
    pub(crate) fn braced(&mut self) -> Result<Body, SyntaxError> {
        self.expect_sign("{")?;
        self.nested(|parser| parser.body("}"))
    }

    /// Expressions up to a closing bracket, which is read, too.
    pub(crate) fn body(&mut self, end: &str) -> Result<Body, SyntaxError> {
        let mut body: Vec<Expr> = Vec::new();
        loop {
            body.push(self.expr()?);
            if self.skip_sign(";") {
                continue;
            }
            if self.skip_sign(end) {
                return Ok(body);
            }
            if !self.peek().is_on_new_line {
                return Err(self.unexpected(&format!("a new line, `;` or `{end}`")));
            }
        }
    }
}

/// What stands where nesting ends.
pub(crate) fn too_deep(place: Place) -> SyntaxError {
    SyntaxError::new(
        place,
        "this is nested too deep, or too long a chain".to_owned(),
    )
}

/// Whether a term needs nothing to have its value. What a comprehension needs is its own.
fn is_constant(term: &Term) -> bool {
    match &term.kind {
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::Text(_)
        | TermKind::ArrayOf(..)
        | TermKind::SetOf(..)
        | TermKind::ObjectOf(..) => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().all(is_constant),
        TermKind::Object(fields) => fields
            .iter()
            .all(|(name, value)| is_constant(name) && is_constant(value)),
        TermKind::Template(_)
        | TermKind::Var(_)
        | TermKind::Ref(..)
        | TermKind::Call(..)
        | TermKind::Infix(..)
        | TermKind::In(_) => false,
    }
}
