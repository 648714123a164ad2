//! The plinto command line.

fn main() {}
