//! Whether a value of one type may be one of another.

use std::rc::Rc;

use super::type_system::{Any, Array, Function, Known, Object, Type, or};

/// 20,000: comparisons after which two types are taken to fit.
const STEPS_MAX: u32 = 20_000;

/// Whether some value has both types. Nothing is known to fit what is unknown.
/// Source: OPA, `v1/ast/check.go`.
pub(super) fn fits(left: &Known, right: &Known) -> bool {
    let mut fitting = Fitting { steps: STEPS_MAX };
    fitting.fits(left.as_ref(), right.as_ref())
}

struct Fitting {
    /// How many more comparisons there may be. Alternatives inside alternatives multiply.
    steps: u32,
}

impl Fitting {
    fn fits(&mut self, left: Option<&Type>, right: Option<&Type>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return false;
        };
        let Some(steps) = self.steps.checked_sub(1) else {
            return true;
        };
        self.steps = steps;
        match (left, right) {
            (Type::Any(any), Type::Any(other)) => {
                self.fits_any(any, right) || self.fits_any(other, left)
            }
            (Type::Any(any), other) | (other, Type::Any(any)) => self.fits_any(any, other),
            (Type::Array(left), Type::Array(right)) => self.fits_array(left, right),
            (Type::Object(left), Type::Object(right)) => self.fits_object(left, right),
            (Type::Set(left), Type::Set(right)) => {
                left.of.is_none()
                    || right.of.is_none()
                    || self.fits(left.of.as_ref(), right.of.as_ref())
            }
            (Type::Function(left), Type::Function(right)) => {
                let mut pairs = left.arguments.iter().zip(&right.arguments);
                left.arguments.len() == right.arguments.len()
                    && pairs.all(|(left, right)| self.fits(left.as_ref(), right.as_ref()))
            }
            (Type::Null, Type::Null)
            | (Type::Boolean, Type::Boolean)
            | (Type::Number, Type::Number)
            | (Type::Text, Type::Text) => true,
            _ => false,
        }
    }

    fn fits_any(&mut self, any: &Any, other: &Type) -> bool {
        !matches!(other, Type::Function(_))
            && (any.of.is_empty() || any.of.iter().any(|one| self.fits(Some(one), Some(other))))
    }

    /// What is not known of the rest fits anything.
    fn rests(&mut self, left: Option<&Type>, right: Option<&Type>) -> bool {
        left.is_none() || right.is_none() || self.fits(left, right)
    }

    fn fits_array(&mut self, left: &Array, right: &Array) -> bool {
        let longest = left.items.len().max(right.items.len());
        let items = (0..longest).all(|index| {
            let left = left.items.get(index).unwrap_or(&left.rest);
            let right = right.items.get(index).unwrap_or(&right.rest);
            self.fits(left.as_ref(), right.as_ref())
        });
        items && self.rests(left.rest.as_ref(), right.rest.as_ref())
    }

    fn fits_object(&mut self, left: &Object, right: &Object) -> bool {
        let (left_rest, right_rest) = (left.rest_value(), right.rest_value());
        let has_more = left_rest.is_some() || right_rest.is_some();
        self.fits_fields(left, right, has_more)
            && self.fits_fields(right, left, has_more)
            && self.rests(left_rest, right_rest)
    }

    fn fits_fields(&mut self, one: &Object, other: &Object, has_more: bool) -> bool {
        let mut fields = one.fields.iter();
        fields.all(|(key, value)| match other.select(key) {
            None => has_more,
            opposite => self.fits(value.as_ref(), opposite.as_ref()),
        })
    }
}

/// Whether it is, or has in it, the type of an empty collection.
pub(super) fn has_empty_collection(known: &Type) -> bool {
    let part = |known: &Known| known.as_ref().is_some_and(has_empty_collection);
    known.is_empty_collection()
        || match known {
            Type::Array(array) => array.items.iter().any(part) || part(&array.rest),
            Type::Object(object) => {
                object.fields.iter().any(|(_, value)| part(value))
                    || object.rest.as_ref().is_some_and(|(_, value)| part(value))
            }
            Type::Set(set) => part(&set.of),
            Type::Any(any) => any.of.iter().any(has_empty_collection),
            _ => false,
        }
}

/// The same type with anything where it has an empty collection.
pub(super) fn without_empty_collections(known: &Type) -> Type {
    if known.is_empty_collection() {
        return Type::anything();
    }
    let part = |known: &Known| known.as_ref().map(without_empty_collections);
    match known {
        Type::Array(array) => {
            Type::array(array.items.iter().map(part).collect(), part(&array.rest))
        }
        Type::Object(object) => {
            let fields = object.fields.iter();
            let rest = object.rest.as_ref();
            Type::object(
                fields
                    .map(|(key, value)| (key.clone(), part(value)))
                    .collect(),
                rest.map(|(key, value)| (key.clone(), part(value))),
            )
        }
        Type::Set(set) => Type::set(part(&set.of)),
        Type::Any(any) => {
            let parts = any
                .of
                .iter()
                .map(|one| Some(without_empty_collections(one)));
            parts.fold(None, or).unwrap_or_else(Type::anything)
        }
        other => other.clone(),
    }
}

/// Reads the packed types of a declaration, one after another.
/// Source: `scripts/rego-declarations.py`.
pub(super) fn unpacked(text: &str) -> Vec<Known> {
    let mut rest = text.chars();
    let mut types = Vec::new();
    while !rest.as_str().is_empty() {
        types.push(Some(unpacked_one(&mut rest)));
    }
    types
}

fn unpacked_one(rest: &mut std::str::Chars<'_>) -> Type {
    match rest.next() {
        Some('z') => Type::Null,
        Some('b') => Type::Boolean,
        Some('n') => Type::Number,
        Some('s') => Type::Text,
        Some('<') => {
            let of = (!skipped(rest, '>')).then(|| {
                let of = unpacked_one(rest);
                skipped(rest, '>');
                of
            });
            Type::set(of)
        }
        Some('(') => {
            let mut of = Vec::new();
            while !rest.as_str().is_empty() && !skipped(rest, ')') {
                of.push(unpacked_one(rest));
            }
            Type::one_of(of)
        }
        Some('[') => {
            let (mut items, mut others) = (Vec::new(), None);
            while !rest.as_str().is_empty() && !skipped(rest, ']') {
                if skipped(rest, ';') {
                    others = Some(unpacked_one(rest));
                } else {
                    items.push(Some(unpacked_one(rest)));
                }
            }
            Type::array(items, others)
        }
        Some('{') => {
            let (mut fields, mut others) = (Vec::new(), None);
            while !rest.as_str().is_empty() && !skipped(rest, '}') {
                if skipped(rest, '*') {
                    let key = Some(unpacked_one(rest));
                    skipped(rest, ':');
                    others = Some((key, Some(unpacked_one(rest))));
                } else {
                    let name: String = rest.by_ref().take_while(|one| *one != '=').collect();
                    let value = Some(unpacked_one(rest));
                    skipped(rest, ',');
                    fields.push((name.as_str().into(), value));
                }
            }
            Type::object(fields, others)
        }
        _ => Type::anything(),
    }
}

fn skipped(rest: &mut std::str::Chars<'_>, wanted: char) -> bool {
    let is_next = rest.as_str().starts_with(wanted);
    if is_next {
        rest.next();
    }
    is_next
}

/// The type of a builtin.
pub(super) fn function(arguments: &str, result: Option<&str>, is_variadic: bool) -> Rc<Function> {
    Rc::new(Function {
        arguments: unpacked(arguments),
        result: result.and_then(|result| unpacked(result).pop().flatten()),
        is_variadic,
    })
}
