//! Where passwords are hashed: a bounded number at once, in memory that the pool keeps.
//!
//! A hash needs 19 MiB for some milliseconds. Asked for anew each time, on whichever thread is
//! free, the allocator takes them from all over its heaps and gives hardly any back. So each slot's
//! memory goes from one hash to the next, and back to the system when nobody signs in.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use argon2::Block;
use plinto_platform::{Platform, PlatformState, http::Overloaded};
use tokio::sync::Semaphore;
use zeroize::Zeroize as _;

/// 33 MiB, in blocks of 1 KiB: what is reserved at least, though only what is used becomes resident.
/// Above 32 MiB the C library gives an allocation pages of its own and returns them when it is
/// freed; below, it may keep them. Source: mallopt(3), `M_MMAP_THRESHOLD`.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// A bounded number of blocking threads for work that takes tens of milliseconds each.
#[derive(Debug)]
pub(super) struct Pool {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    shelf: Arc<Shelf>,
}

/// The memory that no hash is using.
#[derive(Debug, Default)]
struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    memories: Vec<Memory>,
    was_used: bool,
}

/// What one hash works in.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Memory({} KiB)", self.0.len())
    }
}

impl PlatformState for Pool {
    fn new(platform: &Platform) -> Self {
        let config = &platform.config.credentials;
        Self::of(config.hashing_threads, config.hashing_queue)
    }
}

impl Pool {
    /// `threads`: hashes at once, 0 for one per core. `queue`: how many may wait behind them.
    fn of(threads: usize, queue: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores } else { threads };
        Self {
            slots: Arc::new(Semaphore::new(threads)),
            queue: Arc::new(Semaphore::new(threads.saturating_add(queue))),
            shelf: Arc::default(),
        }
    }

    /// Runs `work` on a blocking thread when a slot is free. The slot stays taken until the work
    /// is done, also when nobody waits for it any more.
    /// Errors: when the queue is full.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let place = Arc::clone(&self.queue)
            .try_acquire_owned()
            .map_err(|_| Overloaded)?;
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| Overloaded)?;
        let memories = Arc::clone(&self.shelf);
        tokio::task::spawn_blocking(move || {
            let mut memory = memories.take();
            let result = work(&mut memory);
            memories.put(memory);
            drop((slot, place));
            result
        })
        .await
        .map_err(|_| Overloaded)
    }

    /// Gives memory back that was not used since the last call.
    pub(crate) fn give_back(&self) {
        let mut kept = self.shelf.lock();
        if !mem::take(&mut kept.was_used) {
            kept.memories.clear();
        }
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Memory {
        let mut kept = self.lock();
        kept.was_used = true;
        kept.memories.pop().unwrap_or_default()
    }

    fn put(&self, mut memory: Memory) {
        memory.wipe();
        self.lock().memories.push(memory);
    }
}

impl Memory {
    /// As many blocks of 1 KiB, whatever is in them; `None` when the system has no more.
    pub(super) fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if self.0.len() < count {
            self.0 = Vec::new();
            self.0.try_reserve_exact(count.max(RESERVED_BLOCKS)).ok()?;
            self.0.resize(count, Block::new());
        }
        self.0.get_mut(..count)
    }

    // SECURITY: what a hash leaves behind lets a guess be checked for a fraction of its price.
    fn wipe(&mut self) {
        for block in &mut self.0 {
            block.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: usize = 64;

    fn kept(pool: &Pool) -> usize {
        pool.shelf.lock().memories.len()
    }

    /// Statement A3: a storm of sign-ins holds the memory of as many hashes as run at once.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_storm_uses_no_more_memories_than_there_are_slots() {
        let pool = Arc::new(Pool::of(2, 64));
        let mut storm = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let pool = Arc::clone(&pool);
            storm.spawn(async move { pool.run(|memory| memory.blocks(BLOCKS).is_some()).await });
        }
        assert_eq!(storm.join_all().await, vec![Ok(true); 64]);
        assert!((1..=2).contains(&kept(&pool)), "{}", kept(&pool));
    }

    #[tokio::test]
    async fn memory_that_nobody_used_since_the_last_look_goes_back() {
        let pool = Pool::of(1, 1);
        pool.run(|memory| memory.blocks(BLOCKS).is_some())
            .await
            .unwrap();
        pool.give_back();
        assert_eq!(kept(&pool), 1, "it was used a moment ago");
        pool.give_back();
        assert_eq!(kept(&pool), 0);
    }

    /// Statement A3: nothing of a password stays where the next hash works.
    #[tokio::test]
    async fn the_next_hash_finds_nothing_of_the_last_one() {
        let pool = Pool::of(1, 1);
        let scribble = |memory: &mut Memory| {
            let blocks = memory.blocks(BLOCKS).unwrap();
            for block in blocks {
                block.as_mut().fill(7);
            }
        };
        pool.run(scribble).await.unwrap();
        let left = |memory: &mut Memory| {
            let blocks = memory.blocks(BLOCKS).unwrap();
            blocks.iter().any(|block| block.as_ref().contains(&7))
        };
        assert_eq!(pool.run(left).await, Ok(false));
    }
}
