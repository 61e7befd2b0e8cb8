//! What all files share: where they lie, and a first sector that says what they are.

use journal::{Chain, Tail};

/// What a disk writes whole or not at all. Groups begin on one, so that no acknowledged sector is written again.
pub(crate) const SECTOR: usize = 512;
/// What the page cache reads and writes: writes are filled up to it, so that no page is read for them.
pub(crate) const PAGE: usize = 4096;

const VERSION: u32 = 1;
const CHECK_AT: usize = SECTOR - 16;

/// Tells this journal's files from another's: a random number given when the journal is made.
pub type Incarnation = [u8; 16];

pub(crate) const LOCK: &str = "lock";
pub(crate) const IDENTITY: &str = "identity";
pub(crate) const RING: &str = "ring";
pub(crate) const ARCHIVE: &str = "archive";
pub(crate) const SNAPSHOTS: &str = "snapshots";
pub(crate) const VAULT: &str = "vault";
pub(crate) const PARTIAL: &str = "partial";

pub(crate) const IDENTITY_MAGIC: [u8; 4] = *b"BJNL";
pub(crate) const SEGMENT_MAGIC: [u8; 4] = *b"BSEG";
pub(crate) const ARCHIVE_MAGIC: [u8; 4] = *b"BARC";
pub(crate) const SIDECAR_MAGIC: [u8; 4] = *b"BSID";
pub(crate) const SNAPSHOT_MAGIC: [u8; 4] = *b"BSNP";
pub(crate) const SNAPSHOT_END_MAGIC: [u8; 4] = *b"BSNE";
pub(crate) const ANCHOR_MAGIC: [u8; 4] = *b"BANC";
pub(crate) const ANCHOR_END_MAGIC: [u8; 4] = *b"BANE";
pub(crate) const VAULT_MAGIC: [u8; 4] = *b"BVLT";

/// A slot of the ring that is filled with zeros, or holds a segment.
pub(crate) fn segment_path(slot: u32) -> String {
    format!("{RING}/{slot:04}.segment")
}

/// A slot of the ring whose content is of no use.
pub(crate) fn zeroing_path(slot: u32) -> String {
    format!("{RING}/{slot:04}.zeroing")
}

pub(crate) fn archive_path(number: u64) -> String {
    format!("{ARCHIVE}/{number:010}.archive")
}

pub(crate) fn sidecar_path(number: u64) -> String {
    format!("{ARCHIVE}/{number:010}.sidecar")
}

pub(crate) fn anchor_path(number: u64) -> String {
    format!("{ARCHIVE}/{number:010}.anchor")
}

/// The number in front of an extension.
pub(crate) fn numbered(name: &str, extension: &str) -> Option<u64> {
    name.strip_suffix(extension)?.strip_suffix('.')?.parse().ok()
}

/// The first 16 bytes of the BLAKE3 hash: enough against accidents, which is all that is guarded against here.
pub(crate) fn check(bytes: &[u8]) -> [u8; 16] {
    blake3::hash(bytes).as_bytes()[..16].try_into().expect("sixteen bytes")
}

pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Builds the sector that a file (or its last part) is recognised by.
pub(crate) struct SectorWriter {
    bytes: [u8; SECTOR],
    at: usize,
}

impl SectorWriter {
    pub(crate) fn new(magic: [u8; 4], incarnation: &Incarnation) -> Self {
        let writer = Self { bytes: [0; SECTOR], at: 0 };
        writer.put(&magic).put(&VERSION.to_le_bytes()).put(incarnation)
    }

    pub(crate) fn put(mut self, field: &[u8]) -> Self {
        self.bytes[self.at..self.at + field.len()].copy_from_slice(field);
        self.at += field.len();
        self
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.put(&number.to_le_bytes())
    }

    pub(crate) fn tail(self, tail: &Tail) -> Self {
        self.number(tail.position).put(&tail.chain.0)
    }

    pub(crate) fn finish(mut self) -> [u8; SECTOR] {
        assert!(self.at <= CHECK_AT, "fields end before the check");
        let check = check(&self.bytes[..CHECK_AT]);
        self.bytes[CHECK_AT..].copy_from_slice(&check);
        self.bytes
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SectorError {
    #[error("it is blank")]
    Blank,
    #[error("its first sector does not check")]
    Check,
    #[error("written by a newer release (version {0})")]
    Version(u32),
    #[error("it belongs to another journal")]
    Foreign,
}

/// Takes the fields out in the order they were put in.
pub(crate) struct SectorReader<'a> {
    rest: &'a [u8],
    pub(crate) incarnation: Incarnation,
}

impl<'a> SectorReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], magic: [u8; 4]) -> Result<Self, SectorError> {
        let bytes = bytes.get(..SECTOR).ok_or(SectorError::Check)?;
        if is_blank(bytes) {
            return Err(SectorError::Blank);
        }
        if bytes[..4] != magic || bytes[CHECK_AT..] != check(&bytes[..CHECK_AT]) {
            return Err(SectorError::Check);
        }
        let mut reader = Self { rest: &bytes[4..CHECK_AT], incarnation: [0; 16] };
        let version = u32::from_le_bytes(reader.take());
        if version != VERSION {
            return Err(SectorError::Version(version));
        }
        reader.incarnation = reader.take();
        Ok(reader)
    }

    /// The same, and of this journal.
    pub(crate) fn of(bytes: &'a [u8], magic: [u8; 4], ours: &Incarnation) -> Result<Self, SectorError> {
        let reader = Self::new(bytes, magic)?;
        if reader.incarnation == *ours { Ok(reader) } else { Err(SectorError::Foreign) }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.rest.split_at(N);
        self.rest = rest;
        field.try_into().expect("as long as it was split")
    }

    pub(crate) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    pub(crate) fn tail(&mut self) -> Tail {
        Tail { position: self.number(), chain: Chain(self.take()) }
    }
}
