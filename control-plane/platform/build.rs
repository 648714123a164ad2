//! Rebuilds the crate when a migration is added, which `sqlx::migrate!` cannot see by itself.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
    println!("cargo::rerun-if-changed=Cargo.toml");
}
