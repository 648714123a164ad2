//! Walking the engine's syntax trees.

use regorus::unstable::Module;
use regorus::unstable::{AssignOp, Expr, Literal, Query, Rule, RuleAssign, RuleHead, Span};

/// What the walk comes across.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Visit<'a> {
    /// An expression, and how deep it is nested in its rule. The name of a called function is
    /// part of the call, and the parts of a reference are parts of it; they are not visited on
    /// their own.
    Expr(&'a Expr, usize),
    /// A place where a local name is declared.
    Local(&'a Span),
}

/// Walks one rule. The stack is our own: references can be longer than the thread's.
pub(crate) fn walk<'a>(rule: &'a Rule, visit: &mut impl FnMut(Visit<'a>)) {
    let mut walk = Walk {
        pending: Vec::new(),
        depth: 0,
    };
    walk.rule(rule, visit);
    while let Some((node, depth)) = walk.pending.pop() {
        walk.depth = depth.saturating_add(1);
        match node {
            Node::Query(query) => walk.query(query, visit),
            Node::Expr(expr) => {
                visit(Visit::Expr(expr, depth));
                walk.children(expr, visit);
            }
        }
    }
}

enum Node<'a> {
    Expr(&'a Expr),
    Query(&'a Query),
}

struct Walk<'a> {
    pending: Vec<(Node<'a>, usize)>,
    /// Depth of what is pushed.
    depth: usize,
}

impl<'a> Walk<'a> {
    fn push(&mut self, expr: &'a Expr) {
        self.pending.push((Node::Expr(expr), self.depth));
    }

    fn push_query(&mut self, query: &'a Query) {
        self.pending.push((Node::Query(query), self.depth));
    }

    fn push_assign(&mut self, assign: Option<&'a RuleAssign>) {
        if let Some(assign) = assign {
            self.push(&assign.value);
        }
    }

    /// Pushes what stands in the brackets of a reference and gives back what it begins with.
    fn push_indices(&mut self, reference: &'a Expr) -> &'a Expr {
        let mut current = reference;
        loop {
            match current {
                Expr::RefBrack { refr, index, .. } => {
                    self.push(index);
                    current = refr;
                }
                Expr::RefDot { refr, .. } => current = refr,
                root => return root,
            }
        }
    }

    fn rule(&mut self, rule: &'a Rule, visit: &mut impl FnMut(Visit<'a>)) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                match head {
                    RuleHead::Compr { refr, assign, .. } => {
                        self.push_indices(refr);
                        self.push_assign(assign.as_ref());
                    }
                    RuleHead::Set { refr, key, .. } => {
                        self.push_indices(refr);
                        if let Some(key) = key {
                            self.push(key);
                        }
                    }
                    RuleHead::Func { args, assign, .. } => {
                        for argument in args {
                            locals(argument, visit);
                            self.push(argument);
                        }
                        self.push_assign(assign.as_ref());
                    }
                }
                for body in bodies {
                    self.push_assign(body.assign.as_ref());
                    self.push_query(&body.query);
                }
            }
            Rule::Default { value, .. } => self.push(value),
        }
    }

    fn query(&mut self, query: &'a Query, visit: &mut impl FnMut(Visit<'a>)) {
        for statement in &query.stmts {
            for modifier in &statement.with_mods {
                self.push(&modifier.refr);
                self.push(&modifier.r#as);
            }
            match &statement.literal {
                Literal::SomeVars { vars, .. } => {
                    for name in vars {
                        visit(Visit::Local(name));
                    }
                }
                Literal::SomeIn {
                    key,
                    value,
                    collection,
                    ..
                } => {
                    for pattern in key.iter().chain([value]) {
                        locals(pattern, visit);
                        self.push(pattern);
                    }
                    self.push(collection);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.push(expr),
                Literal::Every {
                    key,
                    value,
                    domain,
                    query,
                    ..
                } => {
                    for name in key.iter().chain([value]) {
                        visit(Visit::Local(name));
                    }
                    self.push(domain);
                    self.push_query(query);
                }
            }
        }
    }

    fn children(&mut self, expr: &'a Expr, visit: &mut impl FnMut(Visit<'a>)) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Var { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                for item in items {
                    self.push(item);
                }
            }
            Expr::Object { fields, .. } => {
                for (_, name, value) in fields {
                    self.push(name);
                    self.push(value);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.push(term);
                self.push_query(query);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.push(key);
                self.push(value);
                self.push_query(query);
            }
            Expr::Call { fcn, params, .. } => {
                if path_of(fcn).is_none() {
                    self.push(fcn);
                }
                for parameter in params {
                    self.push(parameter);
                }
            }
            Expr::UnaryExpr { expr, .. } => self.push(expr),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let root = self.push_indices(expr);
                if !matches!(root, Expr::Var { .. }) {
                    self.push(root);
                }
            }
            Expr::AssignExpr { op, lhs, rhs, .. } => {
                if *op == AssignOp::ColEq {
                    locals(lhs, visit);
                }
                self.push(lhs);
                self.push(rhs);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => {
                self.push(lhs);
                self.push(rhs);
            }
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => {
                if let Some(key) = key {
                    self.push(key);
                }
                self.push(value);
                self.push(collection);
            }
        }
    }
}

/// The names that a pattern like `[x, {"a": y}]` declares.
pub(crate) fn locals<'a>(pattern: &'a Expr, visit: &mut impl FnMut(Visit<'a>)) {
    let mut pending = vec![pattern];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::Var { span, .. } => visit(Visit::Local(span)),
            Expr::Array { items, .. } => pending.extend(items.iter().map(AsRef::as_ref)),
            Expr::Object { fields, .. } => {
                pending.extend(fields.iter().map(|(_, _, value)| value.as_ref()));
            }
            _ => {}
        }
    }
}

/// The names of a reference that consists of names only: `strings.count`, `data.app["f"]`.
pub(crate) fn path_of(expr: &Expr) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut current = expr;
    loop {
        match current {
            Expr::Var { span, .. } => {
                names.push(span.text().to_owned());
                names.reverse();
                return Some(names);
            }
            Expr::RefDot { refr, field, .. } => {
                names.push(field.0.text().to_owned());
                current = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                let (Expr::String { value, .. } | Expr::RawString { value, .. }) = index.as_ref()
                else {
                    return None;
                };
                names.push(value.as_string().ok()?.to_string());
                current = refr;
            }
            _ => return None,
        }
    }
}

/// Where an expression begins. The engine's span of a reference is its last dot.
pub(crate) fn start_of(expr: &Expr) -> &Span {
    let mut current = expr;
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = current {
        current = refr;
    }
    current.span()
}

/// The package of a module: `["app", "authz"]`.
pub(crate) fn package_of(module: &Module) -> Vec<String> {
    path_of(&module.package.refr).unwrap_or_default()
}

/// What a rule defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One value.
    Complete,
    /// A set or an object, member by member.
    Partial,
    /// A function.
    Function,
}

/// The name of a rule inside its package, and what it defines. A partial object's name ends
/// where its first variable begins.
pub(crate) fn head_of(rule: &Rule) -> (Vec<String>, Shape) {
    match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } => match path_of(refr) {
                Some(names) => (names, Shape::Complete),
                None => (static_prefix(refr), Shape::Partial),
            },
            RuleHead::Set { refr, .. } => (static_prefix(refr), Shape::Partial),
            RuleHead::Func { refr, .. } => (path_of(refr).unwrap_or_default(), Shape::Function),
        },
        Rule::Default { refr, args, .. } => {
            let shape = if args.is_empty() {
                Shape::Complete
            } else {
                Shape::Function
            };
            (path_of(refr).unwrap_or_default(), shape)
        }
    }
}

/// The names that a reference begins with.
pub(crate) fn static_prefix(expr: &Expr) -> Vec<String> {
    let mut current = expr;
    loop {
        if let Some(names) = path_of(current) {
            return names;
        }
        match current {
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => current = refr,
            _ => return Vec::new(),
        }
    }
}
