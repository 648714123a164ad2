//! Rules and modules.

use std::fmt::Write as _;

use super::{Generator, Name, Scope, Shape, world::PACKAGES};

/// How a rule's definitions are written.
const SHAPES: [Shape; 8] = [
    Shape::Value,
    Shape::Value,
    Shape::Value,
    Shape::Set,
    Shape::Object,
    Shape::Deep,
    Shape::Function(1),
    Shape::Function(1),
];

impl Generator {
    /// The modules of a policy.
    pub(super) fn modules(&mut self) -> Vec<String> {
        self.rules = vec![Name {
            package: 0,
            name: "p",
            shape: *self.random.pick(&SHAPES[..6]),
        }];
        let others = self.random.weighted(&[15, 35, 30, 15, 5]);
        let mut package = 0;
        let names = ["q", "r", "s", "u"];
        for name in names.iter().take(others) {
            if package + 1 < PACKAGES.len() && self.chance(18) {
                package = self.random.between(package + 1, PACKAGES.len() - 1);
            }
            let shape = match *self.random.pick(&SHAPES) {
                Shape::Function(_) if self.chance(25) => Shape::Function(2),
                shape => shape,
            };
            self.rules.push(Name {
                package,
                name,
                shape,
            });
        }
        let texts: Vec<String> = (0..self.rules.len())
            .map(|rule| self.rule_text(rule))
            .collect();
        let mut modules: Vec<String> = Vec::new();
        for (package, (path, _)) in PACKAGES.iter().enumerate() {
            let own: Vec<&str> = self
                .rules
                .iter()
                .zip(&texts)
                .filter(|(rule, _)| rule.package == package)
                .map(|(_, text)| text.as_str())
                .collect();
            if own.is_empty() {
                continue;
            }
            let text = own.concat();
            let mut imports = String::new();
            if package == 0 {
                for (path, alias) in PACKAGES.iter().skip(1) {
                    if text.contains(&format!("{alias}.")) {
                        writeln!(imports, "import data.{path}").unwrap();
                    }
                }
            }
            modules.push(format!("package {path}\n\n{imports}{text}"));
        }
        modules
    }

    fn rule_text(&mut self, rule: usize) -> String {
        self.at = rule;
        self.room = 2;
        let Name { name, shape, .. } = self.rules[rule].clone();
        let definitions = self.random.weighted(&[0, 65, 28, 7]);
        let mut text = String::new();
        let can_default = matches!(shape, Shape::Value | Shape::Function(_));
        if can_default && self.chance(18) {
            let value = self.pick(&["false", "0", "\"d\"", "[]", "{\"x\": false}", "null"]);
            match shape {
                Shape::Function(count) => {
                    let parameters = vec!["_"; count].join(", ");
                    writeln!(text, "default {name}({parameters}) := {value}").unwrap();
                }
                _ => writeln!(text, "default {name} := {value}").unwrap(),
            }
        }
        for _ in 0..definitions {
            let definition = match shape {
                Shape::Value => self.value_definition(name, &Scope::new()),
                Shape::Function(count) => self.function_definition(name, count),
                Shape::Set => self.set_definition(name),
                Shape::Object => self.object_definition(name),
                Shape::Deep => self.deep_definition(name),
            };
            text += &without_unused(&definition);
        }
        text
    }

    fn made_body(&mut self, scope: &mut Scope) -> String {
        let count = self.random.weighted(&[0, 45, 35, 20]);
        let mut body = self.body(scope, count);
        if self.chance(10) {
            self.random.shuffle(&mut body);
        }
        format!(" if {{\n\t{}\n}}", body.join("\n\t"))
    }

    fn value_definition(&mut self, head: &str, scope: &Scope) -> String {
        let mut inner = scope.clone();
        if self.chance(12) {
            return format!("{head} := {}\n", self.term(scope));
        }
        let body = self.made_body(&mut inner);
        let value = if self.chance(25) {
            String::new()
        } else {
            format!(" := {}", self.head(&inner))
        };
        let mut text = format!("{head}{value}{body}");
        if self.chance(20) {
            for _ in 0..self.random.between(1, 2) {
                let mut inner = scope.clone();
                let body = self.made_body(&mut inner);
                let value = self.head(&inner);
                write!(text, " else := {value}{body}").unwrap();
            }
            if self.chance(20) {
                write!(text, " else := {}", self.atom(scope)).unwrap();
            }
        }
        text + "\n"
    }

    fn function_definition(&mut self, name: &str, count: usize) -> String {
        let mut scope = Scope::new();
        let mut parameters = Vec::new();
        for _ in 0..count {
            let parameter = match self.random.weighted(&[60, 8, 6, 6, 6, 4, 4]) {
                1 => self.pick(&["1", "\"x\"", "null", "false", "[1, 2]", "{\"a\": 1}"]),
                2 => {
                    let (first, second) = (self.fresh(&scope), self.fresh(&scope));
                    scope.extend([first.clone(), second.clone()]);
                    format!("[{first}, {second}]")
                }
                3 => {
                    let first = self.fresh(&scope);
                    scope.push(first.clone());
                    format!("{{\"a\": {first}}}")
                }
                4 => "_".to_owned(),
                5 => self.used(&scope).unwrap_or_else(|| "x".to_owned()),
                6 => "[1, _]".to_owned(),
                _ => {
                    let first = self.fresh(&scope);
                    scope.push(first.clone());
                    first
                }
            };
            parameters.push(parameter);
        }
        let head = format!("{name}({})", parameters.join(", "));
        self.value_definition(&head, &scope)
    }

    fn set_definition(&mut self, name: &str) -> String {
        let mut scope = Scope::new();
        if self.chance(10) {
            return format!("{name} contains {}\n", self.term(&scope));
        }
        let body = self.made_body(&mut scope);
        format!("{name} contains {}{body}\n", self.head(&scope))
    }

    fn object_definition(&mut self, name: &str) -> String {
        let mut scope = Scope::new();
        if self.chance(15) {
            let key = self.pick(&[".x", ".k", "[\"a b\"]"]);
            let value = self.term(&scope);
            return format!("{name}{key} := {value}\n");
        }
        let body = self.made_body(&mut scope);
        let key = match self.used(&scope) {
            Some(key) if self.chance(75) => key,
            _ => self.atom(&scope),
        };
        if self.chance(10) {
            return format!("{name}[{key}]{body}\n");
        }
        format!("{name}[{key}] := {}{body}\n", self.head(&scope))
    }

    /// Heads of several steps, of which some are known and some are not.
    fn deep_definition(&mut self, name: &str) -> String {
        let mut scope = Scope::new();
        let body = self.made_body(&mut scope);
        let mut path = String::new();
        for _ in 0..self.random.between(1, 3) {
            let step = match self.used(&scope) {
                Some(step) if self.chance(50) => format!("[{step}]"),
                _ if self.chance(85) => self.pick(&[".x", ".k", ".a", "[\"x\"]"]),
                _ => format!("[{}]", self.atom(&scope)),
            };
            path += &step;
        }
        let value = self.head(&scope);
        match self.random.below(5) {
            0 | 1 => format!("{name}{path} contains {value}{body}\n"),
            2 => format!("{name}{path}{body}\n"),
            _ => format!("{name}{path} := {value}{body}\n"),
        }
    }
}

/// The names that stand for variables.
pub(super) const VARIABLES: [&str; 8] = ["x", "y", "z", "w", "k", "v", "i", "j"];

/// Variables that stand only once become wildcards: OPA refuses those that are declared in vain.
fn without_unused(text: &str) -> String {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '"');
    let mut text = text.to_owned();
    for name in VARIABLES {
        let whole = |at: &usize| {
            let before = text[..*at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            before.is_none_or(|before| !is_part(before) && before != '.')
                && after.is_none_or(|after| !is_part(after))
        };
        let places: Vec<usize> = text.match_indices(name).map(|(at, _)| at).collect();
        let places: Vec<usize> = places.into_iter().filter(whole).collect();
        if let [place] = places[..] {
            let after = &text[place + name.len()..];
            if !after.starts_with(" :=") {
                text = format!("{}_{after}", &text[..place]);
            }
        }
    }
    text
}
