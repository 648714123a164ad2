//! Puts what `rego.metadata.rule` and `rego.metadata.chain` give where they are called: it is known before
//! anything is evaluated. Source: OPA, `rewriteRegoMetadataCalls`.

use super::attach::Attachments;
use crate::{
    front::{
        ast::{Body, Expr, ExprKind, HeadValue, Module, Op, Part, Place, Rule, Term, TermKind},
        is_path, names_of, term_of,
    },
    value::Value,
};

/// 4 MiB: what all calls together may give.
const BYTES_MAX: u64 = 4 << 20;

/// The annotations that policies ask for are more than there may be.
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) module: usize,
    /// Where one asks for too much.
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Rule,
    Chain,
}

/// Answers the calls in modules.
pub(crate) fn answer(modules: &mut [&mut Module]) -> Result<(), TooMany> {
    let calling: Vec<(usize, usize)> = modules
        .iter_mut()
        .enumerate()
        .flat_map(|(index, module)| calling(module).map(move |rule| (index, rule)))
        .collect();
    if calling.is_empty() {
        return Ok(());
    }
    let trees: Vec<&Module> = modules.iter().map(|module| &**module).collect();
    let (attachments, _) = Attachments::of(&trees);
    let mut left = BYTES_MAX;
    for (index, number) in calling {
        let Some(module) = modules.get_mut(index) else {
            continue;
        };
        let Some(rule) = module.rules.get(number) else {
            continue;
        };
        let own = Given {
            rule: attachments.rule(index, number),
            chain: attachments.chain((index, module), (Some(number), rule)),
        };
        let otherwise = Given {
            rule: Value::object(Vec::new()),
            chain: attachments.chain((index, module), (None, rule)),
        };
        if let Some(rule) = module.rules.get_mut(number) {
            let answered = own.answer(&mut left, |calls| calls.definition(rule));
            let answered =
                answered.and_then(|()| otherwise.answer(&mut left, |calls| calls.otherwise(rule)));
            answered.map_err(|place| TooMany {
                module: index,
                place,
            })?;
        }
    }
    Ok(())
}

/// Which rules of a module call.
fn calling(module: &mut Module) -> impl Iterator<Item = usize> + use<> {
    let mut rules = Vec::new();
    for (index, rule) in module.rules.iter_mut().enumerate() {
        let mut calls = false;
        let mut note = |_, _| {
            calls = true;
            None
        };
        let mut walk = Calls { answer: &mut note };
        walk.definition(rule);
        walk.otherwise(rule);
        if calls {
            rules.push(index);
        }
    }
    rules.into_iter()
}

/// What the functions give in one definition.
struct Given {
    rule: Value,
    chain: Value,
}

impl Given {
    /// Errors: where more was asked for than is left.
    fn answer(&self, left: &mut u64, walk: impl FnOnce(&mut Calls<'_>)) -> Result<(), Place> {
        let mut too_many = None;
        let mut answer = |function, place| {
            let value = match function {
                Function::Rule => &self.rule,
                Function::Chain => &self.chain,
            };
            let Some(rest) = left.checked_sub(value.size().weight) else {
                too_many.get_or_insert(place);
                return None;
            };
            *left = rest;
            Some(term_of(value, place))
        };
        walk(&mut Calls {
            answer: &mut answer,
        });
        too_many.map_or(Ok(()), Err)
    }
}

/// Finds calls.
struct Calls<'f> {
    answer: &'f mut dyn FnMut(Function, Place) -> Option<Term>,
}

impl Calls<'_> {
    fn definition(&mut self, rule: &mut Rule) {
        match &mut rule.head.value {
            HeadValue::Is(term) | HeadValue::Contains(term) => self.term(term),
            HeadValue::Implied => {}
        }
        self.term(&mut rule.head.name);
        self.body(rule.body.as_mut());
    }

    fn otherwise(&mut self, rule: &mut Rule) {
        for branch in &mut rule.otherwise {
            if let Some(value) = &mut branch.value {
                self.term(value);
            }
            self.body(branch.body.as_mut());
        }
    }

    fn body(&mut self, body: Option<&mut Body>) {
        for expr in body.into_iter().flatten() {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Term(term) => {
                self.equation(term);
                self.term(term);
            }
            ExprKind::Some(_) => {}
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => {
                let key = key.iter_mut();
                key.chain([value, collection])
                    .for_each(|term| self.term(term));
            }
            ExprKind::Every { domain, body, .. } => {
                self.term(domain);
                self.body(Some(body));
            }
        }
        for with in &mut expr.with {
            self.term(&mut with.value);
        }
    }

    /// `f(x)` as a whole expression says what `x = f()` does.
    fn equation(&mut self, term: &mut Term) {
        if let Some(function) = called(term)
            && let TermKind::Call(_, arguments) = &mut term.kind
            && let [_] = arguments.as_slice()
            && let Some(given) = (self.answer)(function, term.place)
            && let Some(result) = arguments.pop()
        {
            let sides = Box::new((result, given));
            *term = Term::new(term.place, TermKind::Infix(Op::Unify, sides));
        }
    }

    fn terms<'t>(&mut self, terms: impl IntoIterator<Item = &'t mut Term>) {
        for term in terms {
            self.term(term);
        }
    }

    fn term(&mut self, term: &mut Term) {
        if let Some(function) = called(term)
            && matches!(&term.kind, TermKind::Call(_, arguments) if arguments.is_empty())
            && let Some(given) = (self.answer)(function, term.place)
        {
            *term = given;
            return;
        }
        match &mut term.kind {
            TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::Text(_)
            | TermKind::Var(_) => {}
            TermKind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
            TermKind::Ref(head, items) | TermKind::Call(head, items) => {
                self.term(head);
                self.terms(items);
            }
            TermKind::Array(items) | TermKind::Set(items) => self.terms(items),
            TermKind::Object(fields) => {
                self.terms(fields.iter_mut().flat_map(|(key, value)| [key, value]));
            }
            TermKind::ArrayOf(value, body) | TermKind::SetOf(value, body) => {
                self.term(value);
                self.body(Some(body));
            }
            TermKind::ObjectOf(pair, body) => {
                self.terms([&mut pair.0, &mut pair.1]);
                self.body(Some(body));
            }
            TermKind::Infix(_, pair) => self.terms([&mut pair.0, &mut pair.1]),
            TermKind::In(membership) => {
                let key = membership.key.iter_mut();
                self.terms(key.chain([&mut membership.value, &mut membership.collection]));
            }
        }
    }
}

fn called(term: &Term) -> Option<Function> {
    let TermKind::Call(name, _) = &term.kind else {
        return None;
    };
    if !is_path(name) {
        return None;
    }
    match names_of(name).join(".").as_str() {
        "rego.metadata.rule" => Some(Function::Rule),
        "rego.metadata.chain" => Some(Function::Chain),
        _ => None,
    }
}
