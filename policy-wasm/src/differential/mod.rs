//! Policies made by chance, answered by OPA and by us: both answers must be the same.
//!
//! [`pair`] asks our engine, [`generate`] makes policies, [`record`] compares with what OPA said
//! once, [`live`] with what it says now, [`shrink`] makes a policy smaller as long as it shows a
//! difference. `scripts/fuzz.sh` starts [`live`]; `conformance/differential/main.go` asks OPA.

#[cfg(test)]
mod compare;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod live;
mod pair;
#[cfg(test)]
mod random;
#[cfg(test)]
mod record;
#[cfg(test)]
mod shrink;
