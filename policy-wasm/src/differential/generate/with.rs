//! What is replaced while an expression is evaluated.

use super::{Generator, Scope, Shape};

impl Generator {
    /// One modifier or two, with a space before each.
    pub(super) fn with(&mut self, scope: &Scope) -> String {
        let first = self.modifier(scope);
        if self.chance(20) {
            return first + &self.modifier(scope);
        }
        first
    }

    fn modifier(&mut self, scope: &Scope) -> String {
        let value = if self.chance(60) {
            self.atom(scope)
        } else {
            self.term(scope)
        };
        match self.random.weighted(&[35, 20, 20, 15, 12]) {
            0 => {
                let target = self.pick(&[
                    "input",
                    "input.a",
                    "input.a",
                    "input.b",
                    "input.list",
                    "input.o",
                    "input.o.x",
                    "input.a.b.c",
                ]);
                format!(" with {target} as {value}")
            }
            1 => {
                let target = self.pick(&[
                    "data.d",
                    "data.d.a",
                    "data.d.b",
                    "data.d.c.x",
                    "data.d.c",
                    "data.new",
                    "data.lib.base",
                    "data.lib.new",
                    "data.lib.sub",
                ]);
                format!(" with {target} as {value}")
            }
            2 => self.rule_replaced(&value),
            3 => self.function_replaced(&value),
            _ => self.builtin_replaced(&value),
        }
    }

    fn rule_replaced(&mut self, value: &str) -> String {
        let first = self.at + 1;
        let rules: Vec<usize> = (first..self.rules.len())
            .filter(|rule| !matches!(self.rules[*rule].shape, Shape::Function(_)))
            .collect();
        if rules.is_empty() {
            return format!(" with input.a as {value}");
        }
        let rule = *self.random.pick(&rules);
        let name = self.named(rule);
        let below = if self.chance(20) {
            self.pick(&[".a", ".x", ".k"])
        } else {
            String::new()
        };
        format!(" with {name}{below} as {value}")
    }

    fn functions(&mut self) -> Vec<(usize, usize)> {
        let first = self.at + 1;
        (first..self.rules.len())
            .filter_map(|rule| match self.rules[rule].shape {
                Shape::Function(parameters) => Some((rule, parameters)),
                _ => None,
            })
            .collect()
    }

    fn function_replaced(&mut self, value: &str) -> String {
        let functions = self.functions();
        if functions.is_empty() {
            return format!(" with input.b as {value}");
        }
        let (rule, parameters) = *self.random.pick(&functions);
        let name = self.named(rule);
        if self.chance(45) {
            return format!(" with {name} as {value}");
        }
        // Only one that does not need the first.
        let others: Vec<usize> = functions
            .iter()
            .filter(|(other, count)| *count == parameters && *other > rule)
            .map(|(other, _)| *other)
            .collect();
        let replacement = match self.random.below(3) {
            0 if parameters == 1 => self.pick(&["count", "lower", "is_string", "type_name"]),
            _ if !others.is_empty() => {
                let other = *self.random.pick(&others);
                self.named(other)
            }
            _ => value.to_owned(),
        };
        format!(" with {name} as {replacement}")
    }

    fn builtin_replaced(&mut self, value: &str) -> String {
        let name = self.pick(&[
            "count",
            "count",
            "lower",
            "sum",
            "to_number",
            "is_string",
            "object.get",
        ]);
        if self.chance(50) {
            return format!(" with {name} as {value}");
        }
        let functions = self.functions();
        let wanted = match name.as_str() {
            "object.get" => 3,
            "sprintf" => 2,
            _ => 1,
        };
        let fitting: Vec<usize> = functions
            .iter()
            .filter(|(_, parameters)| *parameters == wanted)
            .map(|(rule, _)| *rule)
            .collect();
        if fitting.is_empty() || self.chance(20) {
            return match wanted {
                1 => format!(" with {name} as {}", self.pick(&["upper", "sort", "max"])),
                _ => format!(" with {name} as {value}"),
            };
        }
        let rule = *self.random.pick(&fitting);
        format!(" with {name} as {}", self.named(rule))
    }
}
