//! How large a log may be, and how its numbers are written.

use crate::Error;

/// The largest size of a log, in entries: what a `bigint` of SQL and the `int64` of Go's package hold.
pub const MAX_SIZE: u64 = u64::MAX >> 1;

/// Errors: `Size` above [`MAX_SIZE`].
pub(crate) fn check(size: u64) -> Result<u64, Error> {
    if size > MAX_SIZE {
        return Err(Error::Size);
    }
    Ok(size)
}

/// The size after `more` entries.
/// Errors: `Size`.
pub(crate) fn add(size: u64, more: u64) -> Result<u64, Error> {
    check(size.checked_add(more).ok_or(Error::Size)?)
}

/// Errors: `Size`, `Index`.
pub(crate) fn check_index(index: u64, size: u64) -> Result<(), Error> {
    check(size)?;
    if index >= size {
        return Err(Error::Index);
    }
    Ok(())
}

/// Errors: `Size`, `SizeOrder`.
pub(crate) fn check_order(first: u64, second: u64) -> Result<(), Error> {
    check(second)?;
    if first > second {
        return Err(Error::SizeOrder);
    }
    Ok(())
}

/// Reads ASCII decimal digits without leading zeros.
/// Errors: `Number`; `Size` above [`MAX_SIZE`].
pub(crate) fn parse(text: &str) -> Result<u64, Error> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || (text.starts_with('0') && text != "0") {
        return Err(Error::Number);
    }
    check(text.parse().map_err(|_| Error::Size)?)
}
