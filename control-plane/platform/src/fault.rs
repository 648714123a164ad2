//! Named places where a build for tests ends itself, as a power cut would. In any other build there is
//! nothing here.

/// Reads from the environment (`FAILPOINTS`) which places end the process, and when.
pub fn set_up() {
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
}

/// A place on the way of an event: `name` says which.
#[cfg_attr(
    not(feature = "failpoints"),
    expect(clippy::missing_const_for_fn, reason = "it does something in tests")
)]
pub fn reach(name: &'static str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(name, |how: Option<String>| signal(how.as_deref()));
    #[cfg(not(feature = "failpoints"))]
    let _ = name;
}

/// Ends the process, or stops it where it stands if that is asked for; nobody gets to tidy up.
#[cfg(feature = "failpoints")]
fn signal(how: Option<&str>) {
    use rustix::process::{Signal, getpid, kill_process};
    if how == Some("stop") {
        let _ = kill_process(getpid(), Signal::STOP);
        return;
    }
    let _ = kill_process(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}
