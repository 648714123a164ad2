//! The outer layers of a bundle: gzip and tar, read under limits and written the same every time.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use tar::{Archive, Builder, EntryType, Header};

use crate::{bundle::Error, limits::BundleLimits};

/// Unpacks an archive into its files, by normalised path.
/// Errors: `TooLarge`, `TooManyFiles`, `Archive`, `Path`, `DuplicateFile`.
pub(crate) fn unpack(
    packed: &[u8],
    limits: &BundleLimits,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    if packed.len() > limits.packed_bytes {
        return Err(Error::TooLarge {
            what: "packed",
            limit: limits.packed_bytes,
        });
    }
    let unpacked = inflate(packed, limits.unpacked_bytes)?;
    let mut files = BTreeMap::new();
    let mut archive = Archive::new(unpacked.as_slice());
    for entry in archive.entries().map_err(|error| malformed(&error))? {
        let mut entry = entry.map_err(|error| malformed(&error))?;
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            // SECURITY: links, devices and sparse files have no business in a bundle.
            other => {
                return Err(Error::Archive(format!(
                    "contains an entry of type {other:?}"
                )));
            }
        }
        let path = normalise(&entry.path_bytes(), limits)?;
        if files.len() >= limits.files {
            return Err(Error::TooManyFiles(limits.files));
        }
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .map_err(|error| malformed(&error))?;
        if files.insert(path.clone(), content).is_some() {
            return Err(Error::DuplicateFile(path));
        }
    }
    Ok(files)
}

/// Inflates at most `limit` bytes; what would be more is refused before it is kept.
fn inflate(packed: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut reader = GzDecoder::new(packed).take(bound);
    let mut unpacked = Vec::new();
    reader
        .read_to_end(&mut unpacked)
        .map_err(|error| malformed(&error))?;
    if unpacked.len() > limit {
        return Err(Error::TooLarge {
            what: "unpacked",
            limit,
        });
    }
    if !reader.into_inner().into_inner().is_empty() {
        return Err(Error::Archive("has bytes after its end".to_owned()));
    }
    Ok(unpacked)
}

fn malformed(error: &std::io::Error) -> Error {
    Error::Archive(error.to_string())
}

/// `opa build` writes a leading slash, `tar` may write `./`; both name the same file.
fn normalise(raw: &[u8], limits: &BundleLimits) -> Result<String, Error> {
    let text = std::str::from_utf8(raw).map_err(|_| Error::Path {
        path: String::from_utf8_lossy(raw).escape_default().to_string(),
        why: "it is not UTF-8",
    })?;
    let text = text.strip_prefix("./").unwrap_or(text);
    let text = text.strip_prefix('/').unwrap_or(text);
    check_path(text, limits)?;
    Ok(text.to_owned())
}

/// Refuses a path that could mean another file than it says.
pub(crate) fn check_path(path: &str, limits: &BundleLimits) -> Result<(), Error> {
    let refuse = |why| {
        Err(Error::Path {
            path: path.escape_default().to_string(),
            why,
        })
    };
    if path.len() > limits.path_bytes {
        return refuse("it is too long");
    }
    if path
        .chars()
        .any(|character| character.is_control() || matches!(character, '\\' | ':'))
    {
        return refuse("it contains a character that is not permitted");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("it has an empty part, `.` or `..`");
    }
    Ok(())
}

/// Packs files in the order of their paths: no times, no owners, so equal files give equal bytes.
pub(crate) fn pack(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let mut builder = Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        builder
            .append_data(&mut header, path, content.as_slice())
            .map_err(|error| malformed(&error))?;
    }
    let unpacked = builder.into_inner().map_err(|error| malformed(&error))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&unpacked)
        .and_then(|()| encoder.finish())
        .map_err(|error| malformed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> BundleLimits {
        BundleLimits::default()
    }

    /// A tar archive with one raw header, for names that the writer would refuse.
    fn raw(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(u64::try_from(content.len()).unwrap());
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        // Padded to a whole block, then two empty ones.
        let padded = bytes.len().next_multiple_of(512).saturating_add(1024);
        bytes.resize(padded, 0);
        gzip(&bytes)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_come_back_as_they_went_in() {
        let long = format!("{}/policy.rego", "a".repeat(150));
        let files = BTreeMap::from([
            ("data.json".to_owned(), b"{}".to_vec()),
            (long, b"package a".to_vec()),
        ]);
        let packed = pack(&files).unwrap();
        assert_eq!(unpack(&packed, &small()).unwrap(), files);
        assert_eq!(packed, pack(&files).unwrap());
    }

    #[test]
    fn a_leading_slash_names_the_same_file() {
        let packed = raw(b"/data.json", EntryType::Regular, b"{}");
        assert!(unpack(&packed, &small()).unwrap().contains_key("data.json"));
    }

    #[test]
    fn a_path_that_leaves_the_bundle_is_refused() {
        for name in [
            &b"../data.json"[..],
            b"a/../../data.json",
            b"a//data.json",
            b"//data.json",
            b"a/./data.json",
            b"a\\..\\data.json",
            b"C:data.json",
            b"a\x01/data.json",
            b"a\xff/data.json",
        ] {
            let packed = raw(name, EntryType::Regular, b"{}");
            let result = unpack(&packed, &small());
            assert!(matches!(result, Err(Error::Path { .. })), "{result:?}");
        }
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Fifo,
            EntryType::GNUSparse,
        ] {
            let packed = raw(b"data.json", kind, b"");
            let result = unpack(&packed, &small());
            assert!(matches!(result, Err(Error::Archive(_))), "{result:?}");
        }
    }

    #[test]
    fn an_archive_that_inflates_without_end_is_refused_at_the_limit() {
        // 64 MiB of zeros in under 512 KiB.
        let packed = gzip(&vec![0; 64 << 20]);
        assert!(packed.len() < 512 << 10);
        let result = unpack(&packed, &small());
        assert!(
            matches!(
                result,
                Err(Error::TooLarge {
                    what: "unpacked",
                    ..
                })
            ),
            "{result:?}"
        );
    }

    #[test]
    fn too_large_too_many_and_trailing_bytes_are_refused() {
        let result = unpack(&vec![0; (1 << 20) + 1], &small());
        assert!(matches!(
            result,
            Err(Error::TooLarge { what: "packed", .. })
        ));

        let many: BTreeMap<_, _> = (0..1025)
            .map(|index| (format!("{index}/data.json"), b"{}".to_vec()))
            .collect();
        let result = unpack(&pack(&many).unwrap(), &small());
        assert!(matches!(result, Err(Error::TooManyFiles(1024))));

        let mut trailing = pack(&BTreeMap::new()).unwrap();
        trailing.push(0);
        assert!(matches!(
            unpack(&trailing, &small()),
            Err(Error::Archive(_))
        ));
    }

    #[test]
    fn the_same_path_twice_is_refused() {
        let mut builder = Builder::new(Vec::new());
        for name in ["a/data.json", "./a/data.json"] {
            let mut header = Header::new_ustar();
            header.set_size(2);
            builder.append_data(&mut header, name, &b"{}"[..]).unwrap();
        }
        let packed = gzip(&builder.into_inner().unwrap());
        let result = unpack(&packed, &small());
        assert!(matches!(result, Err(Error::DuplicateFile(_))), "{result:?}");
    }
}
