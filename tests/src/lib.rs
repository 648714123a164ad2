//! Behaviour across crates, journeys, architecture rules.
