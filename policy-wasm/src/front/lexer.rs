//! From text to tokens. Source: OPA, "Policy Language", grammar.

use super::{
    SyntaxError,
    ast::{Comment, Place},
};

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword; which of them it is, its surroundings say.
    Word,
    Number,
    /// `"…"`
    Text,
    /// `` `…` ``
    Raw,
    /// A template's text up to an expression.
    Part {
        is_raw: bool,
    },
    /// A template's text up to its end.
    LastPart {
        is_raw: bool,
    },
    /// Operators and brackets.
    Sign,
    End,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexeme<'a> {
    pub(crate) token: Token,
    /// As it is written; of texts what is between the quotes.
    pub(crate) text: &'a str,
    pub(crate) place: Place,
    /// Whether it begins where the one before ended.
    pub(crate) is_adjacent: bool,
    /// Whether a line ended before it.
    pub(crate) is_on_new_line: bool,
}

/// What the text consists of.
pub(crate) struct Lexed<'a> {
    /// The last one is [`Token::End`].
    pub(crate) tokens: Vec<Lexeme<'a>>,
    pub(crate) comments: Vec<Comment>,
}

/// Reads a whole text.
/// Errors: a character that begins no token, a text without end, a number that is none.
pub(crate) fn lex(text: &str) -> Result<Lexed<'_>, SyntaxError> {
    let mut lexer = Lexer {
        text,
        offset: 0,
        place: Place { line: 1, column: 1 },
        is_adjacent: false,
        is_on_new_line: true,
        templates: Vec::new(),
        lexed: Lexed {
            tokens: Vec::new(),
            comments: Vec::new(),
        },
    };
    while lexer.step()? {}
    Ok(lexer.lexed)
}

/// A template whose expression is being read.
struct Template {
    is_raw: bool,
    /// Braces of the expression that are open.
    braces: usize,
}

struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    place: Place,
    is_adjacent: bool,
    is_on_new_line: bool,
    templates: Vec<Template>,
    lexed: Lexed<'a>,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.offset..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset = self.offset.saturating_add(character.len_utf8());
        if character == '\n' {
            self.place.line = self.place.line.saturating_add(1);
            self.place.column = 1;
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        Some(character)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.offset).unwrap_or_default()
    }

    fn push(&mut self, token: Token, text: &'a str, place: Place) {
        self.lexed.tokens.push(Lexeme {
            token,
            text,
            place,
            is_adjacent: self.is_adjacent,
            is_on_new_line: self.is_on_new_line,
        });
        self.is_adjacent = true;
        self.is_on_new_line = false;
    }

    /// Reads one token, comment or space; `false` after the end.
    fn step(&mut self) -> Result<bool, SyntaxError> {
        let (start, place) = (self.offset, self.place);
        let Some(first) = self.next() else {
            self.push(Token::End, "", place);
            return Ok(false);
        };
        match first {
            ' ' | '\t' | '\r' => self.is_adjacent = false,
            '\n' => {
                self.is_adjacent = false;
                self.is_on_new_line = true;
            }
            '#' => {
                self.skip_while(|character| character != '\n');
                let text = self.since(start).trim_start_matches('#');
                let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
                self.lexed.comments.push(Comment { place, text });
                self.is_adjacent = false;
            }
            _ if is_letter(first) => {
                self.skip_while(|character| is_letter(character) || character.is_ascii_digit());
                self.push(Token::Word, self.since(start), place);
            }
            _ if first.is_ascii_digit() => {
                self.number(place)?;
                self.push(Token::Number, self.since(start), place);
            }
            '"' => {
                let text = self.quoted(place)?;
                self.push(Token::Text, text, place);
            }
            '`' => {
                let start = self.offset;
                self.skip_while(|character| character != '`');
                let text = self.since(start);
                if self.next().is_none() {
                    return Err(SyntaxError::new(place, "the text has no end"));
                }
                self.push(Token::Raw, text, place);
            }
            '$' => {
                let is_raw = match self.next() {
                    Some('"') => false,
                    Some('`') => true,
                    _ => return Err(SyntaxError::new(place, "expected a text after `$`")),
                };
                self.template(is_raw, place)?;
            }
            _ => self.sign(first, start, place)?,
        }
        Ok(true)
    }

    fn sign(&mut self, first: char, start: usize, place: Place) -> Result<(), SyntaxError> {
        match first {
            ':' | '=' | '<' | '>' | '!' => {
                if self.peek() == Some('=') {
                    self.next();
                } else if first == '!' {
                    return Err(SyntaxError::new(place, "expected `!=`"));
                }
            }
            '[' | ']' | '(' | ')' | ',' | '+' | '-' | '*' | '/' | '%' | '&' | '|' | ';' | '.' => {}
            '{' => {
                if let Some(template) = self.templates.last_mut() {
                    template.braces = template.braces.saturating_add(1);
                }
            }
            '}' => {
                if let Some(template) = self.templates.last_mut() {
                    if let Some(braces) = template.braces.checked_sub(1) {
                        template.braces = braces;
                    } else {
                        let is_raw = template.is_raw;
                        self.templates.pop();
                        self.push(Token::Sign, self.since(start), place);
                        return self.template(is_raw, place);
                    }
                }
            }
            other => {
                let shown = other.escape_debug();
                return Err(SyntaxError::new(
                    place,
                    format!("`{shown}` is no part of Rego"),
                ));
            }
        }
        self.push(Token::Sign, self.since(start), place);
        Ok(())
    }

    /// What follows a number's first digit.
    fn number(&mut self, place: Place) -> Result<(), SyntaxError> {
        self.skip_while(|character| character.is_ascii_digit());
        if self.peek() == Some('.') {
            self.next();
            self.digits(place)?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            self.digits(place)?;
        }
        if self.peek().is_some_and(is_letter) {
            return Err(SyntaxError::new(place, "the number is not well-formed"));
        }
        Ok(())
    }

    fn digits(&mut self, place: Place) -> Result<(), SyntaxError> {
        if !self.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Err(SyntaxError::new(place, "the number is not well-formed"));
        }
        self.skip_while(|character| character.is_ascii_digit());
        Ok(())
    }

    /// What is between quotes, after the first of them.
    fn quoted(&mut self, place: Place) -> Result<&'a str, SyntaxError> {
        let start = self.offset;
        loop {
            let text = self.since(start);
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => {
                    self.next();
                }
                Some('\n') | None => return Err(SyntaxError::new(place, "the text has no end")),
                Some(_) => {}
            }
        }
    }

    /// A template's text up to an expression or its end.
    fn template(&mut self, is_raw: bool, place: Place) -> Result<(), SyntaxError> {
        let start = self.offset;
        loop {
            let text = self.since(start);
            match self.next() {
                Some('{') => {
                    self.templates.push(Template { is_raw, braces: 0 });
                    self.push(Token::Part { is_raw }, text, place);
                    return Ok(());
                }
                Some('"') if !is_raw => {
                    self.push(Token::LastPart { is_raw }, text, place);
                    return Ok(());
                }
                Some('`') if is_raw => {
                    self.push(Token::LastPart { is_raw }, text, place);
                    return Ok(());
                }
                // In a raw one only a brace is escaped.
                Some('\\') if !is_raw || self.peek() == Some('{') => {
                    self.next();
                }
                Some('\n') if !is_raw => {
                    return Err(SyntaxError::new(place, "the text has no end"));
                }
                None => return Err(SyntaxError::new(place, "the text has no end")),
                Some(_) => {}
            }
        }
    }
}

/// Source: OPA's names are ASCII.
const fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}
