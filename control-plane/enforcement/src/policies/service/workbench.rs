//! Where bundles are worked on: a bounded number at once, and the dangerous part elsewhere.
//!
//! A bundle's tests are a stranger's program. Steps bound what they do, but one step may double a
//! value that is shared, and the next one write it out. So a bundle is checked in a process of its
//! own, which is bounded in time and memory as a whole and can be ended from outside.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use plinto_platform::{Platform, PlatformState};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::check::{CheckOutcome, Checked};
use crate::policies::error::PoliciesError;

/// The subcommand that reads an archive and writes the outcome.
pub const CHECK_BUNDLE: &str = "check-bundle";
/// 2: bundles worked on at once. Compiling takes a core for up to a second; sign-ins want the rest.
const AT_ONCE: usize = 2;
/// 16: bundles that may wait or be worked on; more are turned away.
const WAITING: usize = 16;
/// 20 s: a check, with its wait for a core; less than a request may take.
const CHECK_TIME: Duration = Duration::from_secs(20);
/// 5 s: processor time of a check. A large bundle with all the tests it may have takes about half.
const CHECK_CPU_S: u64 = 5;
/// 512 MiB: address space of a check.
const CHECK_MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// 1 MiB: an outcome. Its parts are bounded well below.
const OUTCOME_BYTES: u64 = 1024 * 1024;

/// Room for work on bundles, and the program that checks them.
#[derive(Debug)]
pub(super) struct Workbench {
    checker: PathBuf,
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// A place at the bench, until it is dropped.
struct Room {
    _slot: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl PlatformState for Workbench {
    fn new(platform: &Platform) -> Self {
        Self {
            checker: platform.program.clone(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl Workbench {
    async fn room(&self) -> Result<Room, PoliciesError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| PoliciesError::Busy)?;
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| PoliciesError::Busy)?;
        Ok(Room {
            _slot: slot,
            _place: place,
        })
    }

    /// Runs work that ends by itself on a blocking thread. Its place stays taken until it is done,
    /// also when nobody waits for it any more.
    /// Errors: `Busy` when too many wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PoliciesError> + Send + 'static,
    ) -> Result<T, PoliciesError> {
        let room = self.room().await?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(room);
            result
        })
        .await
        .map_err(|_| PoliciesError::Interrupted)?
    }

    /// Checks an archive in a process of its own. It ends with this future at the latest.
    /// Errors: `Refused`; `TooExpensive` when it had to be ended; `Busy`.
    pub(super) async fn check(&self, packed: &[u8]) -> Result<Checked, PoliciesError> {
        let _room = self.room().await?;
        let mut child = Command::new(&self.checker)
            .arg(CHECK_BUNDLE)
            // SECURITY: the settings hold secrets, and the check needs none.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What the engine says of itself may quote the bundle: not for our log.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(PoliciesError::Checker)?;
        let talk = converse(&mut child, packed);
        let Ok(ended) = tokio::time::timeout(CHECK_TIME, talk).await else {
            child.kill().await.map_err(PoliciesError::Checker)?;
            return Err(PoliciesError::TooExpensive("20 s"));
        };
        let (status, outcome) = ended.map_err(PoliciesError::Checker)?;
        read_outcome(status, &outcome)
    }
}

/// Hands the archive over, then reads until the end. The child writes nothing before it has read
/// everything, so neither waits for the other.
async fn converse(child: &mut Child, packed: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    if let Some(mut stdin) = stdin {
        // One that has ended already says why by its status.
        let _written = stdin.write_all(packed).await;
    }
    let mut outcome = Vec::new();
    if let Some(stdout) = stdout {
        stdout.take(OUTCOME_BYTES).read_to_end(&mut outcome).await?;
    }
    Ok((child.wait().await?, outcome))
}

fn read_outcome(status: ExitStatus, outcome: &[u8]) -> Result<Checked, PoliciesError> {
    // A failed allocation and a full stack abort; the kernel kills when memory is short.
    const MEMORY: [Signal; 4] = [Signal::ABORT, Signal::SEGV, Signal::BUS, Signal::KILL];
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        return Err(PoliciesError::TooExpensive("5 s of processor time"));
    }
    if MEMORY.into_iter().any(is) {
        return Err(PoliciesError::TooExpensive("512 MiB of memory"));
    }
    if !status.success() {
        return Err(PoliciesError::Interrupted);
    }
    match serde_json::from_slice(outcome) {
        Ok(CheckOutcome::Good(checked)) => Ok(checked),
        Ok(CheckOutcome::Refused(refusal)) => Err(PoliciesError::Refused(refusal)),
        Err(_) => Err(PoliciesError::Interrupted),
    }
}

/// Bounds the process that calls it, before it reads anything.
pub fn confine() -> io::Result<()> {
    let bound = |most: u64, hard: u64| Rlimit {
        current: Some(most),
        maximum: Some(hard),
    };
    setrlimit(Resource::Core, bound(0, 0))?;
    // At the lower bound comes a signal of its own, at the higher one a plain kill.
    setrlimit(
        Resource::Cpu,
        bound(CHECK_CPU_S, CHECK_CPU_S.saturating_add(1)),
    )?;
    setrlimit(Resource::As, bound(CHECK_MEMORY_BYTES, CHECK_MEMORY_BYTES))?;
    Ok(())
}
