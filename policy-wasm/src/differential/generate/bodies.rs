//! Bodies.

use super::{Generator, Scope};

impl Generator {
    /// Expressions; what they declare is in the scope then.
    pub(super) fn body(&mut self, scope: &mut Scope, count: usize) -> Vec<String> {
        let mut body = Vec::new();
        for _ in 0..count {
            let before = scope.clone();
            let expr = self.expression(scope);
            let with = if self.chance(8) {
                self.with(&before)
            } else {
                String::new()
            };
            let can = !expr.starts_with("some ") || expr.contains(" in ");
            body.push(if can && !expr.contains("; ") {
                format!("{expr}{with}")
            } else {
                expr
            });
        }
        body
    }

    fn expression(&mut self, scope: &mut Scope) -> String {
        match self
            .random
            .weighted(&[14, 8, 18, 8, 14, 8, 14, 14, 5, 3, 5, 4])
        {
            0 => {
                let term = self.term(scope);
                let name = self.fresh(scope);
                scope.push(name.clone());
                format!("{name} := {term}")
            }
            1 => self.unification(scope),
            2 => self.some_in(scope),
            3 => self.some(scope),
            4 => {
                let is_negated = std::mem::replace(&mut self.is_negated, true);
                let condition = self.condition(scope);
                self.is_negated = is_negated;
                format!("not {condition}")
            }
            5 => self.every(scope),
            6 => self.condition(scope),
            7 => self.comparison_line(scope),
            8 => self.output(scope),
            9 => self.walk(scope),
            10 => self.pattern_line(scope),
            _ => self.term(scope),
        }
    }

    /// Something that holds or not.
    fn condition(&mut self, scope: &Scope) -> String {
        match self.random.weighted(&[10, 10, 6, 6, 3, 3]) {
            0 => self.atom(scope),
            1 => self.comparison_line(scope),
            2 => self.function(scope),
            3 => {
                let collection = self.collection(scope);
                let value = self.atom(scope);
                if self.chance(25) {
                    format!("{}, {value} in {collection}", self.atom(scope))
                } else {
                    format!("{value} in {collection}")
                }
            }
            4 => {
                let (left, right) = (self.atom(scope), self.term(scope));
                format!("{left} = {right}")
            }
            _ => self.term(scope),
        }
    }

    fn comparison_line(&mut self, scope: &Scope) -> String {
        let operator = self.pick(&["==", "==", "==", "!=", "!=", "<", "<=", ">", ">="]);
        let (left, right) = (self.atom(scope), self.term(scope));
        format!("{left} {operator} {right}")
    }

    /// `=` that gives something its value.
    fn unification(&mut self, scope: &mut Scope) -> String {
        let term = self.term(scope);
        let pattern = self.pattern(scope, 2);
        if self.chance(50) {
            format!("{pattern} = {term}")
        } else {
            format!("{term} = {pattern}")
        }
    }

    /// `:=` of a pattern, or two patterns that give each other values.
    fn pattern_line(&mut self, scope: &mut Scope) -> String {
        if self.chance(50) {
            let (first, second) = (self.term(scope), self.term(scope));
            let outer = scope.clone();
            let (left, right) = (self.pattern(scope, 1), self.pattern(scope, 1));
            return match self.random.below(4) {
                0 => format!("[{left}, {first}] = [{second}, {right}]"),
                1 => format!(
                    "{{\"x\": {left}, \"y\": {first}}} = {{\"x\": {second}, \"y\": {right}}}"
                ),
                2 => format!("[{left}, {second}] = {}", self.term(&outer)),
                _ => format!("[{left}, {right}] = [{first}, {second}]"),
            };
        }
        let term = self.term(scope);
        let (first, second) = (self.fresh(scope), self.fresh(scope));
        if first == second {
            return format!("{term} == {term}");
        }
        scope.extend([first.clone(), second.clone()]);
        match self.random.below(4) {
            0 => format!("[{first}, {second}] := {term}"),
            1 => format!("{{\"a\": {first}, \"b\": {second}}} := {term}"),
            2 => format!("[{first}, [{second}, _]] := {term}"),
            _ => format!("{{\"x\": {first}, \"y\": {{\"a\": {second}}}}} := {term}"),
        }
    }

    /// A pattern with new variables, old ones and constants.
    fn pattern(&mut self, scope: &mut Scope, depth: usize) -> String {
        let mut inside = |this: &mut Self| this.pattern(scope, depth.saturating_sub(1));
        match self.random.weighted(&[40, 8, 8, 5, 10, 10]) {
            4 if depth > 0 => {
                let items: Vec<String> = (0..self.random.between(1, 2))
                    .map(|_| inside(self))
                    .collect();
                format!("[{}]", items.join(", "))
            }
            5 if depth > 0 => {
                let key = self.pick(&["\"a\"", "\"x\"", "1", "input.b"]);
                let value = inside(self);
                if self.chance(30) {
                    format!("{{{key}: {value}, \"y\": {}}}", inside(self))
                } else {
                    format!("{{{key}: {value}}}")
                }
            }
            1 => self.used(scope).unwrap_or_else(|| "1".to_owned()),
            2 => self.pick(&["1", "2", "\"x\"", "\"k\"", "true", "[1, 2]"]),
            3 => "_".to_owned(),
            _ => {
                let name = self.fresh(scope);
                scope.push(name.clone());
                name
            }
        }
    }

    fn some_in(&mut self, scope: &mut Scope) -> String {
        let collection = self.collection(scope);
        let mut pattern = |this: &mut Self| {
            if this.chance(80) {
                let name = this.fresh(scope);
                scope.push(name.clone());
                name
            } else {
                this.pattern(scope, 1)
            }
        };
        let value = pattern(self);
        if self.chance(35) {
            let key = pattern(self);
            return format!("some {key}, {value} in {collection}");
        }
        format!("some {value} in {collection}")
    }

    /// References with variables that have no value yet.
    fn some(&mut self, scope: &mut Scope) -> String {
        let collection = self.collection(scope);
        let is_reference = collection.starts_with(|first: char| first.is_alphabetic());
        let collection = if is_reference && !collection.contains('(') {
            collection
        } else {
            "input.list".to_owned()
        };
        let before = scope.clone();
        let name = self.fresh(scope);
        scope.push(name.clone());
        let declared = if self.chance(50) {
            format!("some {name}; ")
        } else {
            String::new()
        };
        let right = self.atom(&before);
        match self.random.below(6) {
            0 => format!("{declared}{collection}[{name}]"),
            1 => format!("{declared}{collection}[{name}] == {right}"),
            2 => format!("{declared}{right} = {collection}[{name}]"),
            3 => format!("{declared}{collection}[{name}]{}", self.key(&before)),
            4 => {
                let other = self.fresh(scope);
                scope.push(other.clone());
                format!("{declared}{other} := {collection}[{name}]")
            }
            _ => {
                let other = self.fresh(scope);
                scope.push(other.clone());
                format!("{declared}{collection}[{name}][{other}]")
            }
        }
    }

    fn every(&mut self, scope: &Scope) -> String {
        let collection = self.collection(scope);
        let mut inner = scope.clone();
        let value = self.fresh(&inner);
        inner.push(value.clone());
        let key = if self.chance(30) {
            let key = self.fresh(&inner);
            inner.push(key.clone());
            format!("{key}, ")
        } else {
            String::new()
        };
        let room = std::mem::replace(&mut self.room, 1);
        let count = self.random.between(1, 2);
        let body = self.body(&mut inner, count).join("; ");
        self.room = room;
        format!("every {key}{value} in {collection} {{ {body} }}")
    }

    /// A call with a place for its result.
    fn output(&mut self, scope: &mut Scope) -> String {
        let call = if self.chance(70) {
            self.function(scope)
        } else {
            let name = self.pick(&["count", "sum", "lower", "to_number", "object.keys"]);
            format!("{name}({})", self.atom(scope))
        };
        let Some(call) = call.strip_suffix(')').filter(|call| !call.starts_with('(')) else {
            return call;
        };
        let pattern = self.pattern(scope, 1);
        format!("{call}, {pattern})")
    }

    fn walk(&mut self, scope: &mut Scope) -> String {
        let collection = self.collection(scope);
        if self.chance(40) {
            let (path, value) = (self.fresh(scope), self.fresh(scope));
            scope.extend([path.clone(), value.clone()]);
            return format!("[{path}, {value}] := walk({collection})");
        }
        let (path, value) = (self.pattern(scope, 1), self.pattern(scope, 1));
        match self.random.below(2) {
            0 => format!("walk({collection}, [{path}, {value}])"),
            _ => format!("[{path}, {value}] = walk({collection})"),
        }
    }
}
