//! Walking the engine's syntax trees.

use regorus::unstable::{Expr, Literal, Module, Query, Rule, RuleAssign, RuleHead};

/// Calls `visit` for every expression of a module's rules, callers before what they call.
/// The name of a called function is not visited on its own.
pub(crate) fn each_expression<'a>(module: &'a Module, visit: &mut impl FnMut(&'a Expr)) {
    for rule in &module.policy {
        each_expression_of(rule.as_ref(), visit);
    }
}

/// The same for one rule. A stack of its own: references can be longer than the thread's stack.
pub(crate) fn each_expression_of<'a>(rule: &'a Rule, visit: &mut impl FnMut(&'a Expr)) {
    let mut pending: Vec<Node<'a>> = Vec::new();
    push_rule(rule, &mut pending);
    while let Some(node) = pending.pop() {
        match node {
            Node::Query(query) => push_query(query, &mut pending),
            Node::Expr(expr) => {
                visit(expr);
                push_children(expr, &mut pending);
            }
        }
    }
}

enum Node<'a> {
    Expr(&'a Expr),
    Query(&'a Query),
}

fn push_rule<'a>(rule: &'a Rule, pending: &mut Vec<Node<'a>>) {
    let push_assign = |assign: &'a Option<RuleAssign>, pending: &mut Vec<Node<'a>>| {
        if let Some(assign) = assign {
            pending.push(Node::Expr(&assign.value));
        }
    };
    match rule {
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    pending.push(Node::Expr(refr));
                    push_assign(assign, pending);
                }
                RuleHead::Set { refr, key, .. } => {
                    pending.push(Node::Expr(refr));
                    pending.extend(key.iter().map(|key| Node::Expr(key)));
                }
                RuleHead::Func { args, assign, .. } => {
                    pending.extend(args.iter().map(|argument| Node::Expr(argument)));
                    push_assign(assign, pending);
                }
            }
            for body in bodies {
                push_assign(&body.assign, pending);
                pending.push(Node::Query(&body.query));
            }
        }
        Rule::Default { value, .. } => pending.push(Node::Expr(value)),
    }
}

fn push_query<'a>(query: &'a Query, pending: &mut Vec<Node<'a>>) {
    for statement in &query.stmts {
        for modifier in &statement.with_mods {
            pending.push(Node::Expr(&modifier.refr));
            pending.push(Node::Expr(&modifier.r#as));
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                pending.extend(key.iter().map(|key| Node::Expr(key)));
                pending.push(Node::Expr(value));
                pending.push(Node::Expr(collection));
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                pending.push(Node::Expr(expr));
            }
            Literal::Every { domain, query, .. } => {
                pending.push(Node::Expr(domain));
                pending.push(Node::Query(query));
            }
        }
    }
}

fn push_children<'a>(expr: &'a Expr, pending: &mut Vec<Node<'a>>) {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            pending.extend(items.iter().map(|item| Node::Expr(item)));
        }
        Expr::Object { fields, .. } => {
            for (_, name, value) in fields {
                pending.push(Node::Expr(name));
                pending.push(Node::Expr(value));
            }
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            pending.push(Node::Expr(term));
            pending.push(Node::Query(query));
        }
        Expr::ObjectCompr {
            key, value, query, ..
        } => {
            pending.push(Node::Expr(key));
            pending.push(Node::Expr(value));
            pending.push(Node::Query(query));
        }
        Expr::Call { fcn, params, .. } => {
            if path_of(fcn).is_none() {
                pending.push(Node::Expr(fcn));
            }
            pending.extend(params.iter().map(|parameter| Node::Expr(parameter)));
        }
        Expr::UnaryExpr { expr, .. } => pending.push(Node::Expr(expr)),
        Expr::RefDot { refr, .. } => pending.push(Node::Expr(refr)),
        Expr::RefBrack { refr, index, .. } => {
            pending.push(Node::Expr(refr));
            pending.push(Node::Expr(index));
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            pending.push(Node::Expr(lhs));
            pending.push(Node::Expr(rhs));
        }
        Expr::Membership {
            key,
            value,
            collection,
            ..
        } => {
            pending.extend(key.iter().map(|key| Node::Expr(key)));
            pending.push(Node::Expr(value));
            pending.push(Node::Expr(collection));
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

fn static_prefix(expr: &Expr) -> Vec<String> {
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
