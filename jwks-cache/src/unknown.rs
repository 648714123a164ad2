//! Key ids that a newly fetched set did not have: a bounded memory.

use std::collections::{BTreeSet, VecDeque};

use crate::attempts::within;

/// The longest key id remembered; longer ones are never anybody's (T12).
const MAX_KID_BYTES: usize = 64;

/// The newest `capacity` unknown key ids, each with the time of the set that lacked it.
#[derive(Debug)]
pub(crate) struct UnknownKids {
    capacity: usize,
    /// Oldest first.
    order: VecDeque<(String, i64)>,
    names: BTreeSet<String>,
}

impl UnknownKids {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            order: VecDeque::new(),
            names: BTreeSet::new(),
        }
    }

    /// Remembers that the set fetched at `at_ms` lacked `kid`; the oldest entry makes room.
    pub(crate) fn note(&mut self, kid: &str, at_ms: i64) {
        if kid.len() > MAX_KID_BYTES || self.capacity == 0 || self.names.contains(kid) {
            return;
        }
        while self.order.len() >= self.capacity {
            self.drop_oldest();
        }
        self.names.insert(kid.to_owned());
        self.order.push_back((kid.to_owned(), at_ms));
    }

    /// When `kid` was last seen missing, if that was within `memory_ms`.
    pub(crate) fn noted_at(&mut self, kid: &str, memory_ms: i64, now_ms: i64) -> Option<i64> {
        while self
            .order
            .front()
            .is_some_and(|(_, at_ms)| !within(*at_ms, memory_ms, now_ms))
        {
            self.drop_oldest();
        }
        if !self.names.contains(kid) {
            return None;
        }
        self.order
            .iter()
            .find(|(name, _)| name == kid)
            .map(|(_, at_ms)| *at_ms)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    fn drop_oldest(&mut self) {
        if let Some((name, _)) = self.order.pop_front() {
            self.names.remove(&name);
        }
    }
}
