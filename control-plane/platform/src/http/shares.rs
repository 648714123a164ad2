//! Places of which no client takes more than its share: what one holds on to, the others keep.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A number of places, and how many of them one client may take.
#[derive(Debug)]
pub struct Shares<K> {
    each: usize,
    all: usize,
    taken: Arc<Mutex<Taken<K>>>,
}

#[derive(Debug)]
struct Taken<K> {
    all: usize,
    by_client: HashMap<K, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The client's own share is taken.
    Share,
    /// All places are taken.
    All,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place<K: Hash + Eq> {
    client: Option<K>,
    taken: Arc<Mutex<Taken<K>>>,
}

impl<K: Hash + Eq + Clone> Shares<K> {
    /// `each`: places of one client; `all`: of all together.
    pub fn new(each: usize, all: usize) -> Self {
        let taken = Taken {
            all: 0,
            by_client: HashMap::new(),
        };
        Self {
            each,
            all,
            taken: Arc::new(Mutex::new(taken)),
        }
    }

    /// A place for a client; one without a name has no share, only a place.
    /// Errors: `Full`.
    pub fn acquire(&self, client: Option<K>) -> Result<Place<K>, Full> {
        let mut taken = lock(&self.taken);
        if let Some(client) = &client
            && taken.by_client.get(client).copied().unwrap_or_default() >= self.each
        {
            return Err(Full::Share);
        }
        if taken.all >= self.all {
            return Err(Full::All);
        }
        taken.all = taken.all.saturating_add(1);
        if let Some(client) = &client {
            let own = taken.by_client.entry(client.clone()).or_default();
            *own = own.saturating_add(1);
        }
        Ok(Place {
            client,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all = taken.all.saturating_sub(1);
        let Some(client) = &self.client else {
            return;
        };
        if let Some(own) = taken.by_client.get_mut(client) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.by_client.remove(client);
            }
        }
    }
}

/// Nothing under the lock can panic half-way, so what it guards is whole.
fn lock<K>(taken: &Mutex<Taken<K>>) -> MutexGuard<'_, Taken<K>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_takes_its_share_and_leaves_the_rest() {
        let shares = Shares::new(2, 3);
        let first = shares.acquire(Some("a")).unwrap();
        let _second = shares.acquire(Some("a")).unwrap();
        assert_eq!(shares.acquire(Some("a")).unwrap_err(), Full::Share);
        let _third = shares.acquire(Some("b")).unwrap();
        assert_eq!(shares.acquire(Some("b")).unwrap_err(), Full::All);
        assert_eq!(shares.acquire(None).unwrap_err(), Full::All);
        drop(first);
        let again = shares.acquire(Some("a")).unwrap();
        drop(again);
        shares.acquire(None).unwrap();
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let shares = Shares::new(1, 10);
        drop(shares.acquire(Some(7)).unwrap());
        assert!(lock(&shares.taken).by_client.is_empty());
        assert_eq!(lock(&shares.taken).all, 0);
    }
}
