//! Terms.

use super::{
    Generator, Scope, Shape,
    world::{CONSTANTS, IN_DATA, IN_INPUT, PACKAGES},
};

impl Generator {
    /// Any term, as nested as there is room for.
    pub(super) fn term(&mut self, scope: &Scope) -> String {
        if self.room == 0 {
            return self.atom(scope);
        }
        self.room -= 1;
        let term = self.one_of(
            scope,
            &[
                (30, Self::atom),
                (8, Self::literal),
                (8, Self::comprehension),
                (8, Self::builtin),
                (7, Self::function),
                (5, Self::infix),
                (3, Self::comparison),
                (2, Self::member),
                (2, Self::template),
                (3, Self::deep),
            ],
        );
        self.room += 1;
        term
    }

    /// A term without others in it.
    pub(super) fn atom(&mut self, scope: &Scope) -> String {
        if self.chance(40)
            && let Some(name) = self.used(scope)
        {
            return name;
        }
        let text = match self.random.weighted(&[30, 10, 25, 30]) {
            0 => self.pick(IN_INPUT),
            1 => self.pick(IN_DATA),
            2 => self.pick(CONSTANTS),
            _ => self.rule(scope),
        };
        self.stepped(text, scope, 8)
    }

    /// Sometimes one more step after a reference.
    fn stepped(&mut self, text: String, scope: &Scope, percent: usize) -> String {
        let is_reference = text.starts_with(|first: char| first.is_alphabetic())
            && !text.contains('(')
            && !matches!(text.as_str(), "true" | "false" | "null");
        if !is_reference || !self.chance(percent) {
            return text;
        }
        let step = self.key(scope);
        format!("{text}{step}")
    }

    /// `.x`, `[x]`, `[_]` …
    pub(super) fn key(&mut self, scope: &Scope) -> String {
        let open = if self.is_negated { 0 } else { 8 };
        match self.random.weighted(&[30, 25, open, 12, 5, 4]) {
            0 => self.pick(&[".a", ".x", ".k", "[0]", "[1]", ".b", "[\"x\"]", "[1.0]"]),
            1 => match self.used(scope) {
                Some(name) => format!("[{name}]"),
                None if self.is_negated => "[0]".to_owned(),
                None => "[_]".to_owned(),
            },
            2 => "[_]".to_owned(),
            3 => format!("[{}]", self.pick(&["input.a", "input.b", "data.d.a"])),
            4 => format!("[{}]", self.pick(CONSTANTS)),
            _ => format!("[{}]", self.term(scope)),
        }
    }

    /// What can be gone through, mostly.
    pub(super) fn collection(&mut self, scope: &Scope) -> String {
        match self.random.weighted(&[30, 12, 14, 30, 6, 8, 5]) {
            0 => (*self.random.pick(&IN_INPUT[..8])).to_owned(),
            1 => (*self.random.pick(&IN_DATA[..5])).to_owned(),
            2 => self.pick(&[
                "[1, 2]",
                "{1, 2}",
                "{\"x\": 1, \"k\": 2}",
                "[[1, 2], [2, 1]]",
                "{\"x\", \"k\"}",
                "[false, true]",
                "[{\"a\": 1}, {\"a\": 2}]",
                "numbers.range(1, 3)",
            ]),
            3 => {
                let rule = self.rule(scope);
                self.stepped(rule, scope, 6)
            }
            4 if self.room > 0 => self.comprehension(scope),
            5 => self.used(scope).unwrap_or_else(|| "input".to_owned()),
            _ => self.term(scope),
        }
    }

    /// How a rule that comes later is named here.
    pub(super) fn named(&mut self, rule: usize) -> String {
        let name = self.rules[rule].clone();
        let here = self.rules[self.at].package;
        let (package, alias) = PACKAGES[name.package];
        if here == name.package && self.chance(85) {
            return name.name.to_owned();
        }
        if here == 0 && name.package > 0 && self.chance(40) {
            return format!("{alias}.{}", name.name);
        }
        format!("data.{package}.{}", name.name)
    }

    fn later(&mut self, wanted: impl Fn(Shape) -> bool) -> Option<usize> {
        let first = self.at + 1;
        let later: Vec<usize> = (first..self.rules.len())
            .filter(|rule| wanted(self.rules[*rule].shape))
            .collect();
        (!later.is_empty()).then(|| *self.random.pick(&later))
    }

    /// A rule, or a package with rules, or something else.
    fn rule(&mut self, scope: &Scope) -> String {
        let Some(rule) = self.later(|shape| !matches!(shape, Shape::Function(_))) else {
            return self.pick(IN_INPUT);
        };
        let (here, there) = (self.rules[self.at].package, self.rules[rule].package);
        if here == 0 && there > 0 && self.chance(15) {
            let package = self.pick(&["data.lib", "data.lib", "data.lib.sub"]);
            let key = self.key(scope);
            return match self.random.below(3) {
                0 => package,
                1 => format!("{package}{key}"),
                _ => format!("{package}{key}{}", self.key(scope)),
            };
        }
        let text = self.named(rule);
        let percent = match self.rules[rule].shape {
            Shape::Value => 5,
            Shape::Set | Shape::Object => 45,
            Shape::Deep | Shape::Function(_) => 65,
        };
        if !self.chance(percent) {
            return text;
        }
        let mut text = text + &self.key(scope);
        if self.rules[rule].shape == Shape::Deep && self.chance(50) {
            text += &self.key(scope);
        }
        text
    }

    fn literal(&mut self, scope: &Scope) -> String {
        let mut next = || self.term(scope);
        let (first, second) = (next(), next());
        match self.random.below(7) {
            0 => format!("[{first}]"),
            1 => format!("[{first}, {second}]"),
            2 => format!("{{\"x\": {first}}}"),
            3 => format!("{{\"x\": {first}, \"y\": {second}}}"),
            4 => format!("{{{first}: {second}}}"),
            5 => format!("{{{first}, {second}}}"),
            _ => format!("{{{first}}}"),
        }
    }

    pub(super) fn comprehension(&mut self, scope: &Scope) -> String {
        let mut inner = scope.clone();
        let room = self.room;
        let is_negated = std::mem::take(&mut self.is_negated);
        self.room = room.saturating_sub(1);
        let count = self.random.between(1, 2);
        let body = self.body(&mut inner, count).join("; ");
        let (first, second) = (self.head(&inner), self.head(&inner));
        self.room = room;
        self.is_negated = is_negated;
        match self.random.below(5) {
            0 | 1 => format!("[{first} | {body}]"),
            2 | 3 => format!("{{{first} | {body}}}"),
            _ => format!("{{{first}: {second} | {body}}}"),
        }
    }

    /// What a head says: a variable, mostly.
    pub(super) fn head(&mut self, scope: &Scope) -> String {
        match self.used(scope) {
            Some(name) if self.chance(60) => name,
            _ => self.term(scope),
        }
    }

    fn builtin(&mut self, scope: &Scope) -> String {
        let name = self.pick(&[
            "count(c)",
            "count(c)",
            "sum(c)",
            "max(c)",
            "sort(c)",
            "lower(s)",
            "upper(s)",
            "to_number(a)",
            "abs(a)",
            "is_string(a)",
            "is_number(a)",
            "type_name(a)",
            "is_null(a)",
            "object.get(c, a, b)",
            "object.keys(c)",
            "format_int(a, 2)",
            "concat(\",\", c)",
            "startswith(s, \"x\")",
            "object.union(c, c)",
            "json.marshal(a)",
            "split(s, \" \")",
            "numbers.range(a, 2)",
            "substring(s, 0, a)",
            "array.slice(c, 0, a)",
            "format_int(a, 10)",
            "object.remove(c, [a])",
            "contains(s, \"x\")",
            "any_of(c)",
            "trim(s, \"x\")",
            "replace(s, \"x\", s)",
            "round(a)",
            "ceil(a)",
            "floor(a)",
            "min(c)",
            "product(c)",
        ]);
        if name == "any_of(c)" {
            return format!("regex.match(\"^[xk]\", {})", self.atom(scope));
        }
        let (function, arguments) = name.split_once('(').unwrap();
        let mut text = format!("{function}(");
        let letters = arguments.trim_end_matches(')');
        let pieces: Vec<&str> = letters.split_inclusive([',', '[', ']', '{', '}']).collect();
        for piece in pieces {
            let letter = piece.trim_matches([' ', ',', '[', ']', '{', '}']);
            let made = match letter {
                "c" => self.collection(scope),
                "a" | "b" => self.term(scope),
                "s" => self.atom(scope),
                _ => {
                    text += piece;
                    continue;
                }
            };
            text += &piece.replace(letter, &made);
        }
        text + ")"
    }

    /// A call of a function that comes later.
    pub(super) fn function(&mut self, scope: &Scope) -> String {
        let Some(rule) = self.later(|shape| matches!(shape, Shape::Function(_))) else {
            return self.atom(scope);
        };
        let Shape::Function(parameters) = self.rules[rule].shape else {
            return self.atom(scope);
        };
        let name = self.named(rule);
        let arguments: Vec<String> = (0..parameters).map(|_| self.term(scope)).collect();
        format!("{name}({})", arguments.join(", "))
    }

    fn infix(&mut self, scope: &Scope) -> String {
        let operator = self.pick(&["+", "-", "*", "/", "%", "|", "&", "-", "+"]);
        let (left, right) = (self.term(scope), self.term(scope));
        format!("({left} {operator} {right})")
    }

    fn comparison(&mut self, scope: &Scope) -> String {
        let operator = self.pick(&["==", "==", "!=", "<", "<=", ">", ">="]);
        let (left, right) = (self.term(scope), self.term(scope));
        format!("({left} {operator} {right})")
    }

    fn member(&mut self, scope: &Scope) -> String {
        let collection = self.collection(scope);
        let value = self.term(scope);
        if self.chance(30) {
            let key = self.term(scope);
            return format!("({key}, {value} in {collection})");
        }
        format!("({value} in {collection})")
    }

    fn template(&mut self, scope: &Scope) -> String {
        let term = self.term(scope);
        if term.contains('"') || term.contains('\\') || term.starts_with('{') {
            return format!("$`t {{{term}}}`");
        }
        let with = if self.chance(10) {
            self.with(scope)
        } else {
            String::new()
        };
        if with.contains('"') {
            return format!("$`t {{{term}{with}}} e`");
        }
        format!("$\"t {{{term}{with}}} e\"")
    }

    /// A reference into what is no reference.
    fn deep(&mut self, scope: &Scope) -> String {
        let of = match self.random.below(3) {
            0 => self.comprehension(scope),
            1 => self.function(scope),
            _ => self.literal(scope),
        };
        if !of.ends_with([')', ']', '}']) || of.starts_with('(') {
            return of;
        }
        let key = self.key(scope);
        format!("{of}{key}")
    }
}
