//! From a syntax tree to text, with a map of the way back.
//!
//! Every expression of a rule's body stands on a line of its own. Texts are quoted, so nothing but
//! a line's end ends a line.

use super::ast::{
    Body, Else, Expr, ExprKind, HeadValue, Import, Module, Op, Part, Place, Rule, Term, TermKind,
};

/// What was printed, and where each part of it came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) map: Map,
}

/// From places of a printed text to those of its source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    /// Line and column of the printed text, ascending, and what begins there.
    marks: Vec<((u32, u32), Place)>,
}

impl Map {
    /// The source's line and column of what stands at a line and a column of the printed text.
    pub(crate) fn source_of(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let after = self
            .marks
            .partition_point(|(mark, _)| *mark <= (line, column));
        let (_, place) = self.marks.get(after.checked_sub(1)?)?;
        Some((place.line, place.column))
    }
}

/// Prints a module.
pub(crate) fn print(module: &Module) -> Printed {
    let mut printer = Printer {
        printed: Printed::default(),
        line: 1,
        column: 1,
    };
    printer.module(module);
    printer.printed
}

struct Printer {
    printed: Printed,
    line: u32,
    /// In characters.
    column: u32,
}

impl Printer {
    /// Appends what has no line's end in it.
    fn put(&mut self, text: &str) {
        self.printed.text.push_str(text);
        let width = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        self.column = self.column.saturating_add(width);
    }

    fn mark(&mut self, place: Place) {
        let here = (self.line, self.column);
        self.printed.map.marks.push((here, place));
    }

    fn end_line(&mut self) {
        self.printed.text.push('\n');
        self.line = self.line.saturating_add(1);
        self.column = 1;
    }

    fn quoted(&mut self, text: &str) {
        let quoted = serde_json::Value::from(text).to_string();
        self.put(&quoted);
    }

    fn module(&mut self, module: &Module) {
        self.mark(module.place);
        self.put("package ");
        self.term(&module.package);
        self.end_line();
        for import in &module.imports {
            self.import(import);
        }
        for rule in &module.rules {
            self.rule(rule);
        }
    }

    fn import(&mut self, import: &Import) {
        self.mark(import.place);
        self.put("import ");
        self.term(&import.path);
        if let Some(alias) = &import.alias {
            self.put(" as ");
            self.put(alias);
        }
        self.end_line();
    }

    fn rule(&mut self, rule: &Rule) {
        self.mark(rule.place);
        if rule.is_default {
            self.put("default ");
        }
        self.term(&rule.head.name);
        if let Some(parameters) = &rule.head.parameters {
            self.list("(", parameters, ")");
        }
        match &rule.head.value {
            HeadValue::Implied => {}
            HeadValue::Is(value) => {
                self.put(" := ");
                self.whole(value);
            }
            HeadValue::Contains(member) => {
                self.put(" contains ");
                self.whole(member);
            }
        }
        if let Some(body) = &rule.body {
            self.body_of_rule(body);
        }
        for other in &rule.otherwise {
            self.otherwise(other);
        }
        self.end_line();
    }

    fn otherwise(&mut self, other: &Else) {
        self.put(" ");
        self.mark(other.place);
        self.put("else");
        if let Some(value) = &other.value {
            self.put(" := ");
            self.whole(value);
        }
        if let Some(body) = &other.body {
            self.body_of_rule(body);
        }
    }

    fn body_of_rule(&mut self, body: &Body) {
        self.put(" if {");
        self.end_line();
        for expr in body {
            self.expr(expr);
            self.end_line();
        }
        self.put("}");
    }

    /// A body inside a line.
    fn body(&mut self, body: &Body) {
        for (index, expr) in body.iter().enumerate() {
            if index > 0 {
                self.put("; ");
            }
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        self.mark(expr.place);
        if expr.is_negated {
            self.put("not ");
        }
        match &expr.kind {
            ExprKind::Term(term) => match &term.kind {
                TermKind::Infix(op @ (Op::Assign | Op::Unify), pair) => {
                    self.mark(term.place);
                    self.operand(&pair.0);
                    self.operator(*op);
                    self.operand(&pair.1);
                }
                _ => self.whole(term),
            },
            ExprKind::Some(names) => {
                self.put("some ");
                for (index, name) in names.iter().enumerate() {
                    if index > 0 {
                        self.put(", ");
                    }
                    self.mark(name.place);
                    self.put(&name.text);
                }
            }
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => {
                self.put("some ");
                if let Some(key) = key {
                    self.operand(key);
                    self.put(", ");
                }
                self.operand(value);
                self.put(" in ");
                self.operand(collection);
            }
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                self.put("every ");
                for name in key.iter().chain([value]) {
                    self.mark(name.place);
                    self.put(&name.text);
                    self.put(if std::ptr::eq(name, value) {
                        " in "
                    } else {
                        ", "
                    });
                }
                self.operand(domain);
                self.put(" { ");
                self.body(body);
                self.put(" }");
            }
        }
        for with in &expr.with {
            self.put(" ");
            self.mark(with.place);
            self.put("with ");
            self.term(&with.target);
            self.put(" as ");
            self.operand(&with.value);
        }
    }

    fn operator(&mut self, op: Op) {
        self.put(" ");
        self.put(op.text());
        self.put(" ");
    }

    fn list(&mut self, open: &str, items: &[Term], close: &str) {
        self.put(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.operand(item);
        }
        self.put(close);
    }

    /// A term where an operator needs no parentheses.
    fn whole(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Infix(op, pair) => {
                self.mark(term.place);
                self.side(&pair.0, op.strength());
                self.operator(*op);
                self.side(&pair.1, op.strength().saturating_add(1));
            }
            TermKind::In(membership) => {
                self.mark(term.place);
                if let Some(key) = &membership.key {
                    self.operand(key);
                    self.put(", ");
                }
                self.operand(&membership.value);
                self.put(" in ");
                self.operand(&membership.collection);
            }
            _ => self.term(term),
        }
    }

    /// An operator's operand, which needs parentheses unless it binds more tightly.
    fn side(&mut self, term: &Term, weakest: u8) {
        match &term.kind {
            TermKind::Infix(op, _) if op.strength() >= weakest => self.whole(term),
            _ => self.operand(term),
        }
    }

    /// A term that stands as one, whatever is around it.
    fn operand(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Infix(..) | TermKind::In(_) => {
                self.put("(");
                self.whole(term);
                self.put(")");
            }
            _ => self.term(term),
        }
    }

    fn term(&mut self, term: &Term) {
        self.mark(term.place);
        match &term.kind {
            TermKind::Null => self.put("null"),
            TermKind::Bool(true) => self.put("true"),
            TermKind::Bool(false) => self.put("false"),
            TermKind::Number(number) => self.put(number),
            TermKind::Text(text) => self.quoted(text),
            TermKind::Template(parts) => self.template(parts),
            TermKind::Var(name) => self.put(name),
            TermKind::Ref(head, steps) => {
                self.operand(head);
                for step in steps {
                    self.step(step);
                }
            }
            TermKind::Array(items) => self.list("[", items, "]"),
            TermKind::Set(items) if items.is_empty() => self.put("set()"),
            TermKind::Set(items) => self.list("{", items, "}"),
            TermKind::Object(fields) => {
                self.put("{");
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        self.put(", ");
                    }
                    self.operand(name);
                    self.put(": ");
                    self.operand(value);
                }
                self.put("}");
            }
            TermKind::ArrayOf(member, body) => self.comprehension("[", &[member], body, "]"),
            TermKind::SetOf(member, body) => self.comprehension("{", &[member], body, "}"),
            TermKind::ObjectOf(pair, body) => {
                self.comprehension("{", &[&pair.0, &pair.1], body, "}");
            }
            TermKind::Call(function, arguments) => {
                self.operand(function);
                self.list("(", arguments, ")");
            }
            TermKind::Infix(..) | TermKind::In(_) => self.operand(term),
        }
    }

    fn comprehension(&mut self, open: &str, members: &[&Term], body: &Body, close: &str) {
        self.put(open);
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.put(": ");
            }
            self.operand(member);
        }
        self.put(" | ");
        self.body(body);
        self.put(close);
    }

    fn step(&mut self, step: &Term) {
        match &step.kind {
            TermKind::Text(name) if is_name(name) => {
                self.put(".");
                self.mark(step.place);
                self.put(name);
            }
            _ => {
                self.put("[");
                self.whole(step);
                self.put("]");
            }
        }
    }

    fn template(&mut self, parts: &[Part]) {
        self.put("$\"");
        for part in parts {
            match part {
                Part::Text(text) => {
                    let quoted = serde_json::Value::from(text.as_str()).to_string();
                    let inner = quoted.get(1..quoted.len().saturating_sub(1));
                    let escaped = inner.unwrap_or_default().replace('{', "\\{");
                    self.put(&escaped);
                }
                Part::Expr(expr) => {
                    self.put("{");
                    self.expr(expr);
                    self.put("}");
                }
            }
        }
        self.put("\"");
    }
}

/// Whether a name can follow a dot; keywords can, too.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
