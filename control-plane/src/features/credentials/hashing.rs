//! Argon2id, outside any transaction, on the bounded pool that `app` holds: as many hashes at once
//! as there are cores, a bounded queue behind them, and a plain "busy" beyond that.
//! Source: RFC 9106 §4, statement A3.

use argon2::{
    Algorithm, Argon2, CustomizedPasswordHasher, Params, PasswordVerifier, Version,
    password_hash::phc,
};

use super::model::{AcceptablePassword, Password, PasswordHash};
use crate::app::{App, Overloaded};

/// 19 MiB. Source: statement A3 (OWASP's first choice for Argon2id with one lane).
const MEMORY_KIB: u32 = 19_456;
/// 2 passes. Source: as above.
const PASSES: u32 = 2;
/// 1 lane. Source: as above.
const LANES: u32 = 1;
/// 16 bytes. Source: RFC 9106 §3.1.
const SALT_BYTES: usize = 16;

/// The hash of a password nobody has, under today's parameters: what is verified for somebody
/// who does not exist, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    cGxpbnRvLW5vYm9keS1zYQ$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Why no hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// As many are waiting as may wait.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The stored text is not an Argon2id PHC string.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// The hash function refused.
    #[error("the password could not be hashed")]
    Failed,
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another password.
    Wrong,
    /// The password.
    Right,
    /// The password, hashed with parameters that are no longer ours.
    RightButOutdated,
}

/// Hashes a new password.
/// Errors: `Overloaded`, `Failed`.
pub(crate) async fn hash_new(
    app: &App,
    password: AcceptablePassword,
) -> Result<PasswordHash, HashingError> {
    let salt = salt(app);
    app.hashing
        .run(move || hash(password.as_bytes(), &salt))
        .await?
}

/// Hashes a password that was just verified, because its hash is outdated.
/// Errors: `Overloaded`, `Failed`.
pub(crate) async fn hash_again(
    app: &App,
    password: Password,
) -> Result<PasswordHash, HashingError> {
    let salt = salt(app);
    app.hashing
        .run(move || hash(password.hashable().unwrap_or_default(), &salt))
        .await?
}

/// Verifies a password against what is stored. Without a `stored` hash, or without a password
/// that anybody could have, the same work is done and the answer is `Wrong`.
/// Errors: `Overloaded`, `Unreadable`, `Failed`.
pub(crate) async fn verify(
    app: &App,
    password: Password,
    stored: Option<PasswordHash>,
) -> Result<Verdict, HashingError> {
    let compare = move || {
        compare(
            password.hashable(),
            stored.as_ref().map(PasswordHash::as_str),
        )
    };
    app.hashing.run(compare).await?
}

fn salt(app: &App) -> [u8; SALT_BYTES] {
    let mut salt = [0_u8; SALT_BYTES];
    app.random.fill(&mut salt);
    salt
}

fn params() -> Result<Params, HashingError> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashingError::Failed)
}

fn hash(password: &[u8], salt: &[u8]) -> Result<PasswordHash, HashingError> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params()?)
        .hash_password_customized(
            password,
            salt,
            Some(Algorithm::Argon2id.as_str()),
            Some(Version::V0x13.into()),
            params()?,
        )
        .map(|hash: phc::PasswordHash| PasswordHash::new(hash.to_string()))
        .map_err(|_| HashingError::Failed)
}

fn compare(password: Option<&[u8]>, stored: Option<&str>) -> Result<Verdict, HashingError> {
    let known =
        phc::PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| HashingError::Unreadable)?;
    let matches = Argon2::default()
        .verify_password(password.unwrap_or_default(), &known)
        .is_ok();
    if !matches || password.is_none() || stored.is_none() {
        return Ok(Verdict::Wrong);
    }
    if is_current(&known)? {
        Ok(Verdict::Right)
    } else {
        Ok(Verdict::RightButOutdated)
    }
}

fn is_current(hash: &phc::PasswordHash) -> Result<bool, HashingError> {
    let theirs = Params::try_from(hash).map_err(|_| HashingError::Unreadable)?;
    let ours = params()?;
    Ok(hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && theirs.m_cost() == ours.m_cost()
        && theirs.t_cost() == ours.t_cost()
        && theirs.p_cost() == ours.p_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; SALT_BYTES] = *b"sixteen bytes ok";
    const GOOD: &[u8] = b"gavotte brindle quokka";

    /// A3: Argon2id, 19 MiB, 2 passes, 1 lane, as a PHC string.
    #[test]
    fn a_hash_is_a_phc_string_with_our_parameters() {
        let hash = hash(GOOD, &SALT).unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_str()
        );
        assert_eq!(compare(Some(GOOD), Some(hash.as_str())), Ok(Verdict::Right));
        let other = b"gavotte brindle quokkb";
        assert_eq!(
            compare(Some(other), Some(hash.as_str())),
            Ok(Verdict::Wrong)
        );
    }

    /// A3: a hash made with other parameters still verifies, and is told apart.
    #[test]
    fn an_older_hash_is_right_but_outdated() {
        let weak: phc::PasswordHash = Argon2::default()
            .hash_password_customized(
                GOOD,
                &SALT,
                None,
                None,
                Params::new(8_192, 1, 1, None).unwrap(),
            )
            .unwrap();
        let verdict = compare(Some(GOOD), Some(&weak.to_string()));
        assert_eq!(verdict, Ok(Verdict::RightButOutdated));
    }

    /// A4: nobody's hash has today's parameters, so it costs what a real one costs.
    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        assert!(is_current(&phc::PasswordHash::new(NOBODY).unwrap()).unwrap());
        assert_eq!(compare(Some(b"anything"), None), Ok(Verdict::Wrong));
        assert_eq!(compare(None, Some(NOBODY)), Ok(Verdict::Wrong));
    }

    #[test]
    fn an_unreadable_hash_is_an_error_and_not_a_match() {
        assert_eq!(
            compare(Some(GOOD), Some("plain text")),
            Err(HashingError::Unreadable)
        );
    }
}
