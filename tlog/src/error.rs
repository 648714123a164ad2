//! Every reason to refuse a tile, a proof, a note or a checkpoint.

/// Why something was refused or can't be computed. Never carries text that came in, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A size or an index above [`MAX_SIZE`](crate::MAX_SIZE).
    #[error("the log would be too large")]
    Size,
    /// A size or an index that isn't decimal digits without leading zeros.
    #[error("not a decimal number in its one spelling")]
    Number,
    /// The index is not below the size of the tree.
    #[error("the tree has no such entry")]
    Index,
    /// The first of two sizes is the larger one.
    #[error("the first tree is larger than the second")]
    SizeOrder,
    /// No tile has this level and index, or the text is not the path of one.
    #[error("there can be no such tile")]
    TileId,
    /// Not 1 to 256 hashes of 32 bytes.
    #[error("a tile is 1 to 256 hashes of 32 bytes")]
    TileContent,
    /// A tile that is needed was not passed in.
    #[error("tile {index} of level {level} is missing")]
    TileMissing {
        /// Its level; 0 has the leaves.
        level: u8,
        /// Its index in the level.
        index: u64,
    },
    /// A tile has too few hashes; where a log goes on, also: too many.
    #[error("tile {index} of level {level} has {width} hashes, not {needed}")]
    TileWidth {
        /// Its level; 0 has the leaves.
        level: u8,
        /// Its index in the level.
        index: u64,
        /// How many hashes it has.
        width: u16,
        /// How many it should have.
        needed: u16,
    },
    /// Not as many hashes as the size has bits that are set.
    #[error("the hashes do not fit the size")]
    Frontier,
    /// A proof has too few or too many hashes for its sizes.
    #[error("the proof has a wrong length")]
    ProofLength,
    /// The hashes of a proof don't lead to the root.
    #[error("the proof does not lead to the root")]
    Proof,
    /// Not base64 with padding, or with stray trailing bits.
    #[error("not canonical base64")]
    Base64,
    /// Base64 of other than 32 bytes.
    #[error("not a SHA-256 hash")]
    Hash,
    /// A key's name is empty, or has a space, a plus or a control character in it.
    #[error("the key's name is malformed")]
    KeyName,
    /// Not `name+id+base64`, or not a usable Ed25519 key.
    #[error("the verifier key is malformed")]
    Key,
    /// The key is for signatures of another type than Ed25519.
    #[error("the verifier key is of an unknown type")]
    KeyType,
    /// The id in a verifier key is not that of its name and key.
    #[error("the verifier key has another key's id")]
    KeyId,
    /// Two of the known keys have the same name and id.
    #[error("two known keys share a name and an id")]
    AmbiguousKey,
    /// Longer than a note may be.
    #[error("the note is too large")]
    NoteSize,
    /// Not a signed note, or its text can't be one's.
    #[error("the note is malformed")]
    Note,
    /// More signatures than are looked at.
    #[error("the note has too many signatures")]
    TooManySignatures,
    /// A signature of a known key does not verify.
    #[error("a signature is not valid")]
    Signature,
    /// None of the known keys has signed.
    #[error("no known key has signed")]
    Unsigned,
    /// Not origin, size, root and lines of extensions.
    #[error("the checkpoint is malformed")]
    Checkpoint,
    /// The checkpoint is another log's.
    #[error("the checkpoint is another log's")]
    Origin,
    /// Not a proof in the form of C2SP tlog-proof.
    #[error("the proof's text is malformed")]
    ProofText,
}

impl Error {
    /// A stable name for programs; the message is for people.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size => "log_size_too_large",
            Self::Number => "number_invalid",
            Self::Index => "log_index_out_of_range",
            Self::SizeOrder => "log_sizes_reversed",
            Self::TileId => "tile_unknown",
            Self::TileContent => "tile_invalid",
            Self::TileMissing { .. } => "tile_missing",
            Self::TileWidth { .. } => "tile_width_wrong",
            Self::Frontier => "frontier_invalid",
            Self::ProofLength => "proof_length_wrong",
            Self::Proof => "proof_invalid",
            Self::Base64 => "base64_invalid",
            Self::Hash => "hash_invalid",
            Self::KeyName => "key_name_invalid",
            Self::Key => "key_invalid",
            Self::KeyType => "key_type_unknown",
            Self::KeyId => "key_id_mismatch",
            Self::AmbiguousKey => "key_ambiguous",
            Self::NoteSize => "note_too_large",
            Self::Note => "note_invalid",
            Self::TooManySignatures => "note_too_many_signatures",
            Self::Signature => "signature_invalid",
            Self::Unsigned => "note_unsigned",
            Self::Checkpoint => "checkpoint_invalid",
            Self::Origin => "checkpoint_origin_mismatch",
            Self::ProofText => "proof_text_invalid",
        }
    }
}
