//! The part of a command that waits for the network, and what Ctrl-C does to it.

use std::future::Future;

use crate::failure::Failure;

/// Runs what speaks to a server, until it is done or Ctrl-C is pressed.
///
/// Only this part catches the signal. Work on files and the processor never yields to anybody who
/// could look, so there the signal ends the process, as it does by default.
pub(crate) fn online<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::local)?;
    let answer = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            answer = work => answer,
        }
    });
    // a name that is still being looked up would hold the process for as long as that takes
    runtime.shutdown_background();
    answer
}
