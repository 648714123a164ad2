//! Argon2id, outside any transaction, on the bounded [`Pool`]: as
//! many hashes at once as there are cores, a bounded queue behind them, and a plain "busy" beyond that.
//! Source: RFC 9106 §4, statement A3.

use argon2::{Algorithm, Argon2, Params, Version, password_hash::phc};
use plinto_platform::{Platform, http::Overloaded};

use super::{
    model::{AcceptablePassword, Password, PasswordHash},
    pool::{Memory, Pool},
};

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
pub enum PasswordMatch {
    /// Another password.
    Wrong,
    /// The password.
    Right,
    /// The password, hashed with parameters that are no longer ours.
    RightButOutdated,
}

/// Hashes a new password.
/// Errors: `Overloaded`, `Failed`.
pub async fn hash_new(
    platform: &Platform,
    password: AcceptablePassword,
) -> Result<PasswordHash, HashingError> {
    let salt = salt(platform);
    platform
        .state::<Pool>()
        .run(move |memory| hash(memory, password.as_bytes(), &salt))
        .await?
}

/// Hashes a password that was just verified, because its hash is outdated.
/// Errors: `Overloaded`, `Failed`.
pub async fn hash_again(
    platform: &Platform,
    password: Password,
) -> Result<PasswordHash, HashingError> {
    let salt = salt(platform);
    platform
        .state::<Pool>()
        .run(move |memory| hash(memory, password.hashable().unwrap_or_default(), &salt))
        .await?
}

/// Verifies a password against what is stored. Without a `stored` hash, or without a password
/// that anybody could have, the same work is done and the answer is `Wrong`.
/// Errors: `Overloaded`, `Unreadable`, `Failed`.
pub async fn verify(
    platform: &Platform,
    password: Password,
    stored: Option<PasswordHash>,
) -> Result<PasswordMatch, HashingError> {
    let compare = move |memory: &mut Memory| {
        compare(
            memory,
            password.hashable(),
            stored.as_ref().map(PasswordHash::as_str),
        )
    };
    platform.state::<Pool>().run(compare).await?
}

/// Gives memory that no hash needed for a while back to the system.
pub fn give_back_memory(platform: &Platform) {
    platform.state::<Pool>().give_back();
}

fn salt(platform: &Platform) -> [u8; SALT_BYTES] {
    let mut salt = [0_u8; SALT_BYTES];
    platform.random.fill(&mut salt);
    salt
}

fn params() -> Result<Params, HashingError> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashingError::Failed)
}

fn hash(memory: &mut Memory, password: &[u8], salt: &[u8]) -> Result<PasswordHash, HashingError> {
    let params = params()?;
    let mut hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(&params).map_err(|_| HashingError::Failed)?,
        salt: Some(phc::Salt::new(salt).map_err(|_| HashingError::Failed)?),
        hash: None,
    };
    hash.hash = Some(digest(memory, password, &hash)?);
    Ok(PasswordHash::new(hash.to_string()))
}

fn compare(
    memory: &mut Memory,
    password: Option<&[u8]>,
    stored: Option<&str>,
) -> Result<PasswordMatch, HashingError> {
    let known =
        phc::PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| HashingError::Unreadable)?;
    let expected = known.hash.as_ref().ok_or(HashingError::Unreadable)?;
    // `Output` compares in constant time.
    let matches = digest(memory, password.unwrap_or_default(), &known)? == *expected;
    if !matches || password.is_none() || stored.is_none() {
        return Ok(PasswordMatch::Wrong);
    }
    if is_current(&known)? {
        Ok(PasswordMatch::Right)
    } else {
        Ok(PasswordMatch::RightButOutdated)
    }
}

/// The digest of a password under the parameters and the salt of `hash`, made in `memory`.
fn digest(
    memory: &mut Memory,
    password: &[u8],
    hash: &phc::PasswordHash,
) -> Result<phc::Output, HashingError> {
    let params = Params::try_from(hash).map_err(|_| HashingError::Unreadable)?;
    let algorithm =
        Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| HashingError::Unreadable)?;
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from);
    let version = version.map_err(|_| HashingError::Unreadable)?;
    let salt = hash.salt.as_ref().ok_or(HashingError::Unreadable)?;
    let mut digest = [0_u8; phc::Output::MAX_LENGTH];
    let digest = digest
        .get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))
        .ok_or(HashingError::Unreadable)?;
    let blocks = memory
        .blocks(params.block_count())
        .ok_or(HashingError::Failed)?;
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password, salt, digest, blocks)
        .map_err(|_| HashingError::Failed)?;
    phc::Output::new(digest).map_err(|_| HashingError::Failed)
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
    use argon2::CustomizedPasswordHasher as _;

    use super::*;

    const SALT: [u8; SALT_BYTES] = *b"sixteen bytes ok";
    const GOOD: &[u8] = b"gavotte brindle quokka";

    /// A3: Argon2id, 19 MiB, 2 passes, 1 lane, as a PHC string.
    #[test]
    fn a_hash_is_a_phc_string_with_our_parameters() {
        let memory = &mut Memory::default();
        let hash = hash(memory, GOOD, &SALT).unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_str()
        );
        assert_eq!(
            compare(memory, Some(GOOD), Some(hash.as_str())),
            Ok(PasswordMatch::Right)
        );
        let other = b"gavotte brindle quokkb";
        assert_eq!(
            compare(memory, Some(other), Some(hash.as_str())),
            Ok(PasswordMatch::Wrong)
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
        let matched = compare(&mut Memory::default(), Some(GOOD), Some(&weak.to_string()));
        assert_eq!(matched, Ok(PasswordMatch::RightButOutdated));
    }

    /// A4: nobody's hash has today's parameters, so it costs what a real one costs.
    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        assert!(is_current(&phc::PasswordHash::new(NOBODY).unwrap()).unwrap());
        let memory = &mut Memory::default();
        assert_eq!(
            compare(memory, Some(b"anything"), None),
            Ok(PasswordMatch::Wrong)
        );
        assert_eq!(
            compare(memory, None, Some(NOBODY)),
            Ok(PasswordMatch::Wrong)
        );
    }

    /// A3: memory that another password was hashed in, with more of it, changes no digest. The
    /// reference is the library's own, in memory of its own.
    #[test]
    fn memory_that_was_used_before_gives_the_same_hash() {
        let memory = &mut Memory::default();
        memory
            .blocks(20_000)
            .unwrap()
            .iter_mut()
            .for_each(|block| block.as_mut().fill(7));
        let reference: phc::PasswordHash = Argon2::default()
            .hash_password_customized(GOOD, &SALT, None, None, params().unwrap())
            .unwrap();
        let ours = hash(memory, GOOD, &SALT).unwrap();
        assert_eq!(ours.as_str(), reference.to_string());
    }

    #[test]
    fn an_unreadable_hash_is_an_error_and_not_a_match() {
        assert_eq!(
            compare(&mut Memory::default(), Some(GOOD), Some("plain text")),
            Err(HashingError::Unreadable)
        );
    }
}
