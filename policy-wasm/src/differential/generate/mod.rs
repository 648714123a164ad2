//! Makes small policies by chance: the same for the same seed.
//!
//! [`world`] is what there is to be asked about, [`rules`] makes rules, [`bodies`] their expressions,
//! [`terms`] what stands in those, [`with`] what is replaced. A rule uses only rules that come after
//! it, so none needs itself.

mod bodies;
mod rules;
mod terms;
mod with;
mod world;

use serde_json::value::RawValue;

use super::{
    pair::{Ask, Policy},
    random::Random,
};
use world::{DATA, INPUTS};

/// What a rule is, as far as others have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Value,
    Set,
    Object,
    /// Objects in objects.
    Deep,
    Function(usize),
}

/// A rule before it is written.
#[derive(Debug, Clone)]
struct Name {
    /// Index in [`world::PACKAGES`].
    package: usize,
    name: &'static str,
    shape: Shape,
}

/// What writes something down.
type Maker<T> = fn(&mut Generator, &T) -> String;

/// Makes one policy.
struct Generator {
    random: Random,
    rules: Vec<Name>,
    /// Which rule is being written.
    at: usize,
    /// How many more terms may be nested.
    room: usize,
    /// Whether what is being written is negated, where nothing may be left open.
    is_negated: bool,
}

/// Variables that may be used where something stands.
type Scope = Vec<String>;

/// The policy of a seed.
pub(super) fn policy(seed: u64) -> Policy {
    let mut generator = Generator {
        random: Random::new(seed),
        rules: Vec::new(),
        at: 0,
        room: 0,
        is_negated: false,
    };
    let modules = generator.modules();
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let data = raw(&generator.pick(DATA));
    let asks = (0..3).map(|_| Ask {
        input: generator
            .random
            .chance(95)
            .then(|| raw(&generator.pick(INPUTS))),
        strict: generator.random.chance(15),
    });
    Policy {
        modules,
        data,
        asks: asks.collect(),
    }
}

impl Generator {
    fn chance(&mut self, percent: usize) -> bool {
        self.random.chance(percent)
    }

    fn pick(&mut self, from: &[&str]) -> String {
        (*self.random.pick(from)).to_owned()
    }

    /// Makes one of several, each as often as it weighs.
    fn one_of<T>(&mut self, scope: &T, makers: &[(usize, Maker<T>)]) -> String {
        let weights: Vec<usize> = makers.iter().map(|(weight, _)| *weight).collect();
        let place = self.random.weighted(&weights);
        (makers[place].1)(self, scope)
    }

    /// A variable that may be used already.
    fn used(&mut self, scope: &Scope) -> Option<String> {
        (!scope.is_empty()).then(|| self.random.pick(scope).clone())
    }

    /// A name for a variable, seldom one that something has.
    fn fresh(&mut self, scope: &Scope) -> String {
        for _ in 0..4 {
            let name = if self.chance(1) {
                self.pick(&["q", "r", "u", "f"])
            } else {
                self.pick(&rules::VARIABLES)
            };
            if !scope.contains(&name) || self.chance(2) {
                return name;
            }
        }
        format!("n{}", self.random.below(90))
    }
}
