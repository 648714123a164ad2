//! DER, as far as keys and certificates need it. Source: X.690; as strict as Go, `cryptobyte`.

/// Tags of X.690.
pub(in crate::builtins) mod tag {
    pub(in crate::builtins) const BOOLEAN: u8 = 0x01;
    pub(in crate::builtins) const INTEGER: u8 = 0x02;
    pub(in crate::builtins) const BIT_STRING: u8 = 0x03;
    pub(in crate::builtins) const OCTET_STRING: u8 = 0x04;
    pub(in crate::builtins) const NULL: u8 = 0x05;
    pub(in crate::builtins) const OID: u8 = 0x06;
    pub(in crate::builtins) const UTF8_STRING: u8 = 0x0c;
    pub(in crate::builtins) const NUMERIC_STRING: u8 = 0x12;
    pub(in crate::builtins) const PRINTABLE_STRING: u8 = 0x13;
    pub(in crate::builtins) const T61_STRING: u8 = 0x14;
    pub(in crate::builtins) const IA5_STRING: u8 = 0x16;
    pub(in crate::builtins) const UTC_TIME: u8 = 0x17;
    pub(in crate::builtins) const GENERALIZED_TIME: u8 = 0x18;
    pub(in crate::builtins) const BMP_STRING: u8 = 0x1e;
    pub(in crate::builtins) const SEQUENCE: u8 = 0x30;
    pub(in crate::builtins) const SET: u8 = 0x31;

    /// `[n]`, of the context, around other elements.
    pub(in crate::builtins) const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }

    /// `[n]`, of the context, in the place of a tag.
    pub(in crate::builtins) const fn primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) struct Element<'a> {
    pub(in crate::builtins) tag: u8,
    pub(in crate::builtins) content: &'a [u8],
    /// With its tag and length.
    pub(in crate::builtins) whole: &'a [u8],
}

/// An element is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) struct Broken;

/// What is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) struct Reader<'a>(pub(in crate::builtins) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::builtins) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// The next element, whatever it is.
    pub(in crate::builtins) fn any(&mut self) -> Option<Element<'a>> {
        let start = self.0;
        let mut reader = *self;
        let tag = reader.byte()?;
        // Tags of more than one byte occur nowhere here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let length = reader.length()?;
        let content = reader.take(length)?;
        let size = start.len().checked_sub(reader.0.len())?;
        let whole = start.get(..size)?;
        *self = reader;
        Some(Element {
            tag,
            content,
            whole,
        })
    }

    fn length(&mut self) -> Option<usize> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(usize::from(first));
        }
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let bytes = self.take(count)?;
        let length = bytes.iter().fold(0_u64, |length, byte| {
            length.wrapping_shl(8) | u64::from(*byte)
        });
        // The shortest form only.
        if length < 0x80 || bytes.first() == Some(&0) {
            return None;
        }
        usize::try_from(length).ok()
    }

    pub(in crate::builtins) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element, if it has that tag.
    pub(in crate::builtins) fn element(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut reader = *self;
        let element = reader.any().filter(|element| element.tag == tag)?;
        *self = reader;
        Some(element)
    }

    /// What stands in the next element, if it has that tag.
    pub(in crate::builtins) fn inner(&mut self, tag: u8) -> Option<Self> {
        self.element(tag).map(|element| Self(element.content))
    }

    pub(in crate::builtins) fn sequence(&mut self) -> Option<Self> {
        self.inner(tag::SEQUENCE)
    }

    /// What stands in an element that may be missing. Errors: it is there, and broken.
    pub(in crate::builtins) fn optional(&mut self, tag: u8) -> Result<Option<Self>, Broken> {
        if self.peek() == Some(tag) {
            return self.inner(tag).map(Some).ok_or(Broken);
        }
        Ok(None)
    }

    pub(in crate::builtins) fn boolean(&mut self) -> Option<bool> {
        match self.inner(tag::BOOLEAN)?.0 {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// A number in two's complement, in its shortest form.
    pub(in crate::builtins) fn integer(&mut self) -> Option<&'a [u8]> {
        self.integer_with(tag::INTEGER)
    }

    fn integer_with(&mut self, tag: u8) -> Option<&'a [u8]> {
        let bytes = self.inner(tag)?.0;
        match bytes {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
            _ => Some(bytes),
        }
    }

    /// A number that is not negative, without zeros before it.
    pub(in crate::builtins) fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.integer()? {
            [0x80..=0xff, ..] => None,
            [0, rest @ ..] => Some(rest),
            bytes => Some(bytes),
        }
    }

    pub(in crate::builtins) fn small(&mut self) -> Option<i64> {
        self.small_with(tag::INTEGER)
    }

    pub(in crate::builtins) fn small_with(&mut self, tag: u8) -> Option<i64> {
        let bytes = self.integer_with(tag)?;
        let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
        let mut all = [sign; 8];
        let start = all.len().checked_sub(bytes.len())?;
        all.get_mut(start..)?.copy_from_slice(bytes);
        Some(i64::from_be_bytes(all))
    }

    /// Bits, and how many at the end are none.
    pub(in crate::builtins) fn bits(&mut self) -> Option<(&'a [u8], u8)> {
        let (unused, bytes) = self.inner(tag::BIT_STRING)?.0.split_first()?;
        let last = bytes.last().copied().unwrap_or(0);
        let rest = 1_u8.checked_shl(u32::from(*unused))?.checked_sub(1)?;
        if *unused > 7 || (bytes.is_empty() && *unused != 0) || last & rest != 0 {
            return None;
        }
        Some((bytes, *unused))
    }

    pub(in crate::builtins) fn octets(&mut self) -> Option<&'a [u8]> {
        self.inner(tag::OCTET_STRING).map(|octets| octets.0)
    }

    /// The encoded identifier, checked.
    pub(in crate::builtins) fn oid(&mut self) -> Option<&'a [u8]> {
        let bytes = self.inner(tag::OID)?.0;
        arcs(bytes)?;
        Some(bytes)
    }
}

/// The numbers of an object identifier. `None`: it is none.
pub(in crate::builtins) fn arcs(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut arcs = Vec::new();
    let mut value = 0_u64;
    let mut is_open = false;
    for byte in bytes {
        // A zero at the start of a number is superfluous.
        if !is_open && *byte == 0x80 {
            return None;
        }
        value = value
            .checked_mul(128)?
            .checked_add(u64::from(byte & 0x7f))?;
        is_open = byte & 0x80 != 0;
        if is_open {
            continue;
        }
        // Go's limit.
        if value > 0x7fff_ffff {
            return None;
        }
        if arcs.is_empty() {
            let first = (value / 40).min(2);
            arcs.push(first);
            arcs.push(value.checked_sub(first.checked_mul(40)?)?);
        } else {
            arcs.push(value);
        }
        value = 0;
    }
    (!is_open && !arcs.is_empty()).then_some(arcs)
}
