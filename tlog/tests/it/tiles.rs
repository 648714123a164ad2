//! Tiles as they are named, kept and served.

use plinto_tlog::{Error, MAX_SIZE, Tile, TileId, Tiles, tree};

use crate::definition::{leaf, log};

#[test]
fn a_tile_is_kept_as_its_hashes_one_after_another() {
    let (_, stored) = log(300);
    for tile in stored.iter() {
        let bytes = tile.to_bytes();
        assert_eq!(bytes.len(), usize::from(tile.width()) * 32);
        assert_eq!(Tile::from_bytes(tile.id(), &bytes).as_ref(), Ok(tile));
    }
    let id = TileId::new(0, 0).unwrap();
    for length in [0, 1, 31, 33, 8_191, 8_193, 8_224] {
        let result = Tile::from_bytes(id, &vec![0; length]);
        assert_eq!(result, Err(Error::TileContent), "{length} bytes");
    }
    assert!(Tile::from_bytes(id, &[0; 8_192]).is_ok());
    assert_eq!(Tile::new(id, Vec::new()), Err(Error::TileContent));
    assert_eq!(Tile::new(id, vec![leaf(0); 257]), Err(Error::TileContent));
}

#[test]
fn paths_are_those_of_tiled_logs() {
    let last = MAX_SIZE >> 8;
    for (level, index, width, path) in [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 273, 112, "tile/1/273.p/112"),
        (2, 999, 255, "tile/2/999.p/255"),
        (0, 1_000, 256, "tile/0/x001/000"),
        (3, 1_234_067, 256, "tile/3/x001/x234/067"),
        (3, 1_234_067, 8, "tile/3/x001/x234/067.p/8"),
        (7, 0, 127, "tile/7/000.p/127"),
        (0, last, 255, "tile/0/x036/x028/x797/x018/x963/967.p/255"),
    ] {
        let id = TileId::new(level, index).unwrap();
        assert_eq!(id.path(width), path);
        assert_eq!(TileId::from_path(path), Ok((id, width)));
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/+0/000",
        "tile/8/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/x1/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/256",
        "tile/0/000.p/70000",
        "tile/0/000.p/1.p/1",
        "tile/0/xx01/000",
        "tile/7/001",
        "tile/entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/٣٣٣",
    ] {
        assert_eq!(TileId::from_path(path), Err(Error::TileId), "{path}");
        assert_eq!(path.parse::<TileId>(), Err(Error::TileId), "{path}");
    }
    let partial = "tile/0/000.p/1".parse::<TileId>();
    assert_eq!(partial, Err(Error::TileId), "an id has no width");
}

#[test]
fn tiles_beyond_the_largest_log_do_not_exist() {
    for level in 0..=7_u8 {
        let last = MAX_SIZE
            .checked_shr(8 * (u32::from(level) + 1))
            .unwrap_or(0);
        assert!(TileId::new(level, last).is_ok());
        assert_eq!(TileId::new(level, last + 1), Err(Error::TileId));
    }
    for level in [8, 63, 255] {
        assert_eq!(TileId::new(level, 0), Err(Error::TileId));
    }
}

#[test]
fn a_tree_has_as_many_hashes_of_a_tile_as_it_is_long() {
    let width = |level, index, size| TileId::new(level, index).unwrap().width_in(size);
    assert_eq!(width(0, 0, 0), 0);
    assert_eq!(width(0, 0, 1), 1);
    assert_eq!(width(0, 0, 256), 256);
    assert_eq!(width(0, 1, 256), 0);
    assert_eq!(width(1, 0, 256), 1);
    assert_eq!(width(0, 273, 70_000), 112);
    assert_eq!(width(1, 1, 70_000), 17);
    assert_eq!(width(2, 0, 70_000), 1);
    assert_eq!(width(7, 0, MAX_SIZE), 127);
    assert_eq!(width(7, 0, u64::MAX), 255);
}

#[test]
fn a_wider_tile_answers_for_a_narrower_one() {
    let ((then, _), (_, now)) = (log(300), log(700));
    assert_eq!(tree::root(300, &now), Ok(then.root()));
    let (_, before) = log(300);
    let path = tree::inclusion(290, 300, &before);
    assert_eq!(tree::inclusion(290, 300, &now), path);
    // but not the other way round
    let error = Error::TileWidth {
        level: 0,
        index: 1,
        width: 44,
        needed: 46,
    };
    assert_eq!(tree::root(512, &before).map(drop), Err(wanted(&before)));
    assert_eq!(tree::inclusion(300, 512, &before), Err(error));
}

/// The root of 512 needs the second hash of level 1, which a log of 300 has not.
fn wanted(before: &Tiles) -> Error {
    let tile = before.get(TileId::new(1, 0).unwrap()).unwrap();
    Error::TileWidth {
        level: 1,
        index: 0,
        width: tile.width(),
        needed: 2,
    }
}
