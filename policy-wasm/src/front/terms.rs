//! From tokens to expressions and terms.

use super::{
    SyntaxError,
    ast::{
        Body, Expr, ExprKind, IN_STRENGTH, Membership, Name, Op, Part, Place, Term, TermKind, With,
    },
    lexer::Token,
    parser::{LEVELS_MAX, Parser, too_deep},
};

/// A term, if it is not too deep. Chains such as `a + b + c` are deep without being nested.
fn made(place: Place, kind: TermKind) -> Result<Term, SyntaxError> {
    let term = Term::new(place, kind);
    if term.depth > LEVELS_MAX {
        Err(too_deep(place))
    } else {
        Ok(term)
    }
}

impl Parser<'_> {
    /// One expression of a body, with its modifiers.
    pub(crate) fn expr(&mut self) -> Result<Expr, SyntaxError> {
        let place = self.peek().place;
        let is_negated = self.skip_word("not");
        let kind = if self.is_word("some") && !is_negated {
            self.some()?
        } else if self.is_word("every") && !is_negated {
            self.every()?
        } else {
            ExprKind::Term(self.assignment()?)
        };
        let mut with = Vec::new();
        if !matches!(kind, ExprKind::Some(_)) {
            while self.is_word("with") {
                let place = self.next().place;
                let target = self.term()?;
                if !matches!(target.kind, TermKind::Var(_) | TermKind::Ref(..)) {
                    return Err(SyntaxError::new(target.place, "expected a reference"));
                }
                if !self.skip_keyword("as") {
                    return Err(self.unexpected("`as`"));
                }
                let value = self.infix(true)?;
                with.push(With {
                    place,
                    target,
                    value,
                });
            }
        }
        Ok(Expr {
            place,
            is_negated,
            kind,
            with,
        })
    }

    fn assignment(&mut self) -> Result<Term, SyntaxError> {
        let left = self.infix(true)?;
        let op = if self.skip_sign(":=") {
            Op::Assign
        } else if self.skip_sign("=") {
            Op::Unify
        } else {
            return Ok(left);
        };
        let right = self.infix(true)?;
        made(left.place, TermKind::Infix(op, Box::new((left, right))))
    }

    fn some(&mut self) -> Result<ExprKind, SyntaxError> {
        self.next();
        let start = self.position();
        if let Ok(term) = self.infix(true)
            && let TermKind::In(membership) = term.kind
        {
            let Membership {
                key,
                value,
                collection,
            } = *membership;
            return Ok(ExprKind::SomeIn {
                key,
                value,
                collection,
            });
        }
        self.back_to(start);
        let mut names = vec![self.name()?];
        while self.skip_sign(",") {
            names.push(self.name()?);
        }
        Ok(ExprKind::Some(names))
    }

    fn every(&mut self) -> Result<ExprKind, SyntaxError> {
        self.next();
        let mut value = self.name()?;
        let mut key = None;
        if self.skip_sign(",") {
            key = Some(value);
            value = self.name()?;
        }
        if !self.skip_word("in") {
            return Err(self.unexpected("`in`"));
        }
        let domain = self.binary(None, IN_STRENGTH.saturating_add(1))?;
        let body = self.braced()?;
        Ok(ExprKind::Every {
            key,
            value,
            domain,
            body,
        })
    }

    fn name(&mut self) -> Result<Name, SyntaxError> {
        let name = self.peek();
        let is_name = !self.is_keyword(name.text) || name.text == "contains";
        if name.token != Token::Word || !is_name {
            return Err(self.unexpected("a name"));
        }
        self.next();
        Ok(Name {
            place: name.place,
            text: name.text.to_owned(),
        })
    }

    /// A term with operators. `is_pair`: whether `key, value in …` may stand here; in lists the
    /// comma is the list's.
    pub(crate) fn infix(&mut self, is_pair: bool) -> Result<Term, SyntaxError> {
        self.nested(|parser| parser.infix_from(None, is_pair))
    }

    fn infix_from(&mut self, left: Option<Term>, is_pair: bool) -> Result<Term, SyntaxError> {
        let above = IN_STRENGTH.saturating_add(1);
        let mut left = self.binary(left, above)?;
        loop {
            let place = left.place;
            if is_pair && self.is_sign(",") {
                let start = self.position();
                self.next();
                let value = self.binary(None, above).ok();
                let Some(value) = value.filter(|_| self.is_word("in")) else {
                    self.back_to(start);
                    return Ok(left);
                };
                self.next();
                let collection = self.binary(None, above)?;
                let membership = Membership {
                    key: Some(left),
                    value,
                    collection,
                };
                left = made(place, TermKind::In(Box::new(membership)))?;
            } else if self.skip_word("in") {
                let collection = self.binary(None, above)?;
                let membership = Membership {
                    key: None,
                    value: left,
                    collection,
                };
                left = made(place, TermKind::In(Box::new(membership)))?;
            } else {
                return Ok(left);
            }
            if !self.is_word("in") {
                return Ok(left);
            }
        }
    }

    /// Operators that bind at least as tightly as `weakest`, from the left.
    fn binary(&mut self, left: Option<Term>, weakest: u8) -> Result<Term, SyntaxError> {
        let mut left = match left {
            Some(left) => left,
            None => self.term()?,
        };
        loop {
            let next = self.peek();
            let op = Op::of(next.text).filter(|op| op.strength() >= weakest);
            let Some(op) = op.filter(|_| next.token == Token::Sign) else {
                return Ok(left);
            };
            self.next();
            let right = self.binary(None, op.strength().saturating_add(1))?;
            left = made(left.place, TermKind::Infix(op, Box::new((left, right))))?;
        }
    }

    /// A term without operators.
    pub(crate) fn term(&mut self) -> Result<Term, SyntaxError> {
        self.nested(Self::term_inside)
    }

    fn term_inside(&mut self) -> Result<Term, SyntaxError> {
        let next = self.peek();
        let place = next.place;
        let kind = match next.token {
            Token::Word => match next.text {
                "null" if !self.begins_reference() => TermKind::Null,
                "true" if !self.begins_reference() => TermKind::Bool(true),
                "false" if !self.begins_reference() => TermKind::Bool(false),
                word if self.is_keyword(word) && word != "contains" && !self.begins_reference() => {
                    return Err(self.unexpected("an expression"));
                }
                word => TermKind::Var(word.to_owned()),
            },
            Token::Number => return self.number(place, ""),
            Token::Text => TermKind::Text(unescaped(next.text, place)?),
            Token::Raw => TermKind::Text(next.text.to_owned()),
            Token::Part { is_raw } | Token::LastPart { is_raw } => {
                let parts = self.template(is_raw)?;
                return self.literal_end(made(place, TermKind::Template(parts))?);
            }
            Token::Sign => {
                self.next();
                return match next.text {
                    "-" => self.negative(place),
                    "." => self.number(place, "0."),
                    "[" => self.array(place).and_then(|array| self.steps(array)),
                    "{" => self.brace(place).and_then(|braced| self.steps(braced)),
                    "(" => {
                        let inner = self.infix(true)?;
                        self.expect_sign(")")?;
                        self.steps(inner)
                    }
                    _ => {
                        self.back_to(self.position().saturating_sub(1));
                        Err(self.unexpected("an expression"))
                    }
                };
            }
            Token::End => return Err(self.unexpected("an expression")),
        };
        self.next();
        let term = Term::new(place, kind);
        if term.name().is_some() {
            self.steps(term)
        } else {
            self.literal_end(term)
        }
    }

    /// A literal has no parts that could be named.
    fn literal_end(&self, term: Term) -> Result<Term, SyntaxError> {
        let next = self.peek();
        let is_step = next.token == Token::Sign && next.is_adjacent;
        if is_step && matches!(next.text, "." | "[" | "(") {
            return Err(self.unexpected("an operator; a literal has no parts"));
        }
        Ok(term)
    }

    /// What follows a minus. Source: OPA reads `-a` as `0 - a`.
    fn negative(&mut self, place: Place) -> Result<Term, SyntaxError> {
        let next = self.peek();
        match next.token {
            Token::Word if !self.is_keyword(next.text) || next.text == "contains" => {
                self.next();
                let name = Term::new(next.place, TermKind::Var(next.text.to_owned()));
                let term = self.steps(name)?;
                let zero = Term::new(place, TermKind::Number("0".to_owned()));
                made(place, TermKind::Infix(Op::Subtract, Box::new((zero, term))))
            }
            Token::Number => self.number(place, "-"),
            Token::Sign if next.text == "." => {
                self.next();
                self.number(place, "-0.")
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    fn number(&mut self, place: Place, prefix: &str) -> Result<Term, SyntaxError> {
        let next = self.peek();
        let is_fraction = prefix.ends_with('.');
        let leads_with_zero = next.text.len() > 1
            && next.text.starts_with('0')
            && !matches!(next.text.as_bytes().get(1), Some(b'.' | b'e' | b'E'));
        if next.token != Token::Number || (is_fraction && next.text.contains('.')) {
            return Err(self.unexpected("a number"));
        }
        if leads_with_zero && !is_fraction {
            return Err(self.unexpected("a number without a leading zero"));
        }
        self.next();
        let number = Term::new(place, TermKind::Number(format!("{prefix}{}", next.text)));
        self.literal_end(number)
    }

    /// `.name`, `[term]` and `(arguments)` that follow a term without a space.
    pub(crate) fn steps(&mut self, head: Term) -> Result<Term, SyntaxError> {
        let mut head = head;
        let mut steps = Vec::new();
        loop {
            let next = self.peek();
            let is_step = next.token == Token::Sign
                && next.is_adjacent
                && matches!(next.text, "." | "[" | "(");
            if !is_step {
                return reference(head, steps);
            }
            self.next();
            match next.text {
                "." => {
                    let name = self.peek();
                    if name.token != Token::Word || !name.is_adjacent {
                        return Err(self.unexpected("a name"));
                    }
                    self.next();
                    steps.push(Term::new(name.place, TermKind::Text(name.text.to_owned())));
                }
                "[" => {
                    steps.push(self.infix(true)?);
                    self.expect_sign("]")?;
                }
                _ => {
                    let place = head.place;
                    let function = reference(head, std::mem::take(&mut steps))?;
                    let arguments = self.list(")", Vec::new())?;
                    let is_set = function.name() == Some("set") && arguments.is_empty();
                    head = if is_set {
                        Term::new(place, TermKind::Set(Vec::new()))
                    } else {
                        made(place, TermKind::Call(Box::new(function), arguments))?
                    };
                }
            }
        }
    }

    /// Terms up to a closing bracket, which is read, too. A comma may follow the last.
    fn list(&mut self, end: &str, mut items: Vec<Term>) -> Result<Vec<Term>, SyntaxError> {
        loop {
            if self.skip_sign(end) {
                return Ok(items);
            }
            items.push(self.infix(false)?);
            if !self.skip_sign(",") {
                self.expect_sign(end)?;
                return Ok(items);
            }
        }
    }

    /// What follows `[`: an array, or what one is made of. `[a | b]` is a comprehension, but
    /// `[a | b, c]` has a union. Source: OPA.
    fn array(&mut self, place: Place) -> Result<Term, SyntaxError> {
        if self.skip_sign("]") {
            return Ok(Term::new(place, TermKind::Array(Vec::new())));
        }
        let has_comma = self.skip_sign(",");
        let first = self.term()?;
        let mut failed = None;
        if !has_comma {
            match self.comprehension("]") {
                Ok(Some(body)) => return made(place, TermKind::ArrayOf(Box::new(first), body)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        let items = self.rest_of(first, "]");
        made(
            place,
            TermKind::Array(items.map_err(|error| failed.unwrap_or(error))?),
        )
    }

    /// What follows `|` in brackets, if it comes next and is a body.
    /// Errors: why it is none; the `|` comes next again, for a union is still possible.
    fn comprehension(&mut self, end: &str) -> Result<Option<Body>, SyntaxError> {
        let start = self.position();
        if !self.skip_sign("|") {
            return Ok(None);
        }
        let body = self.nested(|parser| parser.body(end));
        if body.is_err() && self.may_retry() {
            self.back_to(start);
        }
        body.map(Some)
    }

    /// The rest of a list whose first term has been read without its operators.
    fn rest_of(&mut self, first: Term, end: &str) -> Result<Vec<Term>, SyntaxError> {
        let first = self.infix_from(Some(first), false)?;
        if self.skip_sign(",") {
            self.list(end, vec![first])
        } else {
            self.expect_sign(end)?;
            Ok(vec![first])
        }
    }

    /// What follows `{`: a set, an object, or what one is made of.
    fn brace(&mut self, place: Place) -> Result<Term, SyntaxError> {
        if self.skip_sign("}") {
            return Ok(Term::new(place, TermKind::Object(Vec::new())));
        }
        let has_comma = self.skip_sign(",");
        let first = self.term()?;
        let mut failed = None;
        if !has_comma {
            match self.comprehension("}") {
                Ok(Some(body)) => return made(place, TermKind::SetOf(Box::new(first), body)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        let braced = self.rest_of_brace(place, first, has_comma);
        braced.map_err(|error| failed.unwrap_or(error))
    }

    /// The rest of a set or an object whose first term has been read without its operators.
    fn rest_of_brace(
        &mut self,
        place: Place,
        first: Term,
        has_comma: bool,
    ) -> Result<Term, SyntaxError> {
        let first = self.infix_from(Some(first), false)?;
        if !self.skip_sign(":") {
            let items = if self.skip_sign(",") {
                self.list("}", vec![first])?
            } else {
                self.expect_sign("}")?;
                vec![first]
            };
            return made(place, TermKind::Set(items));
        }
        let value = self.term()?;
        if has_comma {
            return self.fields(place, first, value);
        }
        match self.comprehension("}") {
            Ok(Some(body)) => made(place, TermKind::ObjectOf(Box::new((first, value)), body)),
            Ok(None) => self.fields(place, first, value),
            Err(failed) => self.fields(place, first, value).map_err(|_| failed),
        }
    }

    /// The rest of an object of whose first value a term has been read.
    fn fields(&mut self, place: Place, first: Term, value: Term) -> Result<Term, SyntaxError> {
        let value = self.infix_from(Some(value), false)?;
        let mut fields = vec![(first, value)];
        while self.skip_sign(",") && !self.is_sign("}") {
            let name = self.infix(false)?;
            self.expect_sign(":")?;
            fields.push((name, self.infix(false)?));
        }
        self.expect_sign("}")?;
        made(place, TermKind::Object(fields))
    }

    fn template(&mut self, is_raw: bool) -> Result<Vec<Part>, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            let next = self.next();
            let text = template_text(next.text, is_raw, next.place)?;
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            match next.token {
                Token::Part { .. } => {}
                _ => return Ok(parts),
            }
            let expr = self.nested(Self::expr)?;
            let is_plain = match &expr.kind {
                ExprKind::Term(term) => {
                    !matches!(term.kind, TermKind::Infix(Op::Assign | Op::Unify, _))
                }
                _ => false,
            };
            if expr.is_negated || !is_plain {
                return Err(SyntaxError::new(expr.place, "a template holds values only"));
            }
            parts.push(Part::Expr(expr));
            self.expect_sign("}")?;
        }
    }
}

fn reference(head: Term, steps: Vec<Term>) -> Result<Term, SyntaxError> {
    if steps.is_empty() {
        return Ok(head);
    }
    let place = head.place;
    match head.kind {
        TermKind::Ref(..) | TermKind::Template(_) => Err(SyntaxError::new(
            place,
            "a reference in parentheses has no parts",
        )),
        _ => made(place, TermKind::Ref(Box::new(head), steps)),
    }
}

/// A text without its escapes.
fn unescaped(text: &str, place: Place) -> Result<String, SyntaxError> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    serde_json::from_str(&format!("\"{text}\""))
        .map_err(|_| SyntaxError::new(place, "the text has an escape that is none"))
}

fn template_text(text: &str, is_raw: bool, place: Place) -> Result<String, SyntaxError> {
    if is_raw {
        return Ok(text.replace("\\{", "{"));
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('{') => plain.push('{'),
            other => {
                plain.push('\\');
                plain.extend(other);
            }
        }
    }
    unescaped(&plain, place)
}
