//! The crate from outside: evaluation, refusals, signed bundles, the example policies.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod hostile;
mod negation;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod signed;
#[cfg(test)]
mod test_rules;
#[cfg(test)]
mod vectors;
