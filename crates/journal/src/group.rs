//! The durable unit: what queued while the last append ran.
//!
//! ```text
//! 0    4        8         16     24      32           40          64           96
//! | BGRP | version | position | time | events | body bytes | reserved | previous chain | chain | body …
//! ```
//! All integers are little-endian. `chain` is BLAKE3 over the header before it and the body, so it covers
//! the previous chain and with it all of history.

use domain::Timestamp;

pub const HEADER_BYTES: usize = 128;
/// Header and body together; the same bound in every kind of journal.
pub const GROUP_BYTES_MAX: usize = 512 * 1024;

const MAGIC: [u8; 4] = *b"BGRP";
const VERSION: u32 = 1;
const CHAIN_AT: usize = 96;

/// A group's hash. The zero chain stands before the first group.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain(pub [u8; 32]);

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…")
    }
}

/// The end of a history: a position and the hash of everything up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tail {
    pub position: u64,
    pub chain: Chain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub position: u64,
    /// Book time: one instant for all events of the group, never less than the group before.
    pub time: Timestamp,
    pub events: u32,
    pub body_bytes: usize,
    pub previous: Chain,
    pub chain: Chain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    #[error("no group begins here")]
    NoMagic,
    #[error("written by a newer release (group version {0})")]
    Version(u32),
    #[error("shorter than its header says")]
    Short,
    #[error("larger than any group")]
    TooLarge,
    #[error("its hash does not match its bytes")]
    Hash,
    #[error("it does not follow the group before it")]
    Unchained,
}

/// Header and body in one buffer, ready to be written or as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    bytes: Vec<u8>,
}

impl Group {
    /// A buffer with room for the header; the body is written behind it.
    pub fn buffer() -> Vec<u8> {
        vec![0; HEADER_BYTES]
    }

    /// Fills in the header of a buffer that began as [`Group::buffer`], as the successor of `tail`.
    pub fn seal(mut bytes: Vec<u8>, tail: &Tail, time: Timestamp, events: u32) -> Self {
        assert!(
            (HEADER_BYTES..=GROUP_BYTES_MAX).contains(&bytes.len()),
            "a group is bounded before it is sealed"
        );
        let body_bytes = (bytes.len() - HEADER_BYTES) as u64;
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(4, &VERSION.to_le_bytes());
        put(8, &(tail.position + 1).to_le_bytes());
        put(16, &time.as_micros().to_le_bytes());
        put(24, &u64::from(events).to_le_bytes());
        put(32, &body_bytes.to_le_bytes());
        put(40, &[0; 24]);
        put(64, &tail.chain.0);
        let chain = hash(&bytes);
        bytes[CHAIN_AT..HEADER_BYTES].copy_from_slice(&chain.0);
        Self { bytes }
    }

    /// Checks the bytes against the hash they carry. Bytes behind the body are ignored.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, GroupError> {
        let group = Self::parse_unchecked(bytes)?;
        if hash(&group.bytes) == group.header().chain { Ok(group) } else { Err(GroupError::Hash) }
    }

    /// The same without computing the hash: for bytes that are checked elsewhere.
    pub fn parse_unchecked(mut bytes: Vec<u8>) -> Result<Self, GroupError> {
        let header = Header::parse(&bytes)?;
        if bytes.len() < header.group_bytes() {
            return Err(GroupError::Short);
        }
        bytes.truncate(header.group_bytes());
        Ok(Self { bytes })
    }

    pub fn header(&self) -> Header {
        Header::parse(&self.bytes).expect("a group is only made from a valid header")
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// The history that ends with this group.
    pub fn tail(&self) -> Tail {
        let header = self.header();
        Tail { position: header.position, chain: header.chain }
    }

    /// The buffer, to be used again for the next group.
    pub fn into_buffer(mut self) -> Vec<u8> {
        self.bytes.truncate(HEADER_BYTES);
        self.bytes
    }
}

impl Header {
    /// Reads a header without checking the hash: the body may not have been read yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, GroupError> {
        if bytes.len() < MAGIC.len() || bytes[..4] != MAGIC {
            return Err(GroupError::NoMagic);
        }
        if bytes.len() < HEADER_BYTES {
            return Err(GroupError::Short);
        }
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let chain = |at: usize| Chain(bytes[at..at + 32].try_into().expect("thirty-two bytes"));
        let version = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes"));
        if version != VERSION {
            return Err(GroupError::Version(version));
        }
        let (events, body_bytes) = (word(24), word(32));
        if body_bytes > (GROUP_BYTES_MAX - HEADER_BYTES) as u64 || events > u64::from(u32::MAX) {
            return Err(GroupError::TooLarge);
        }
        Ok(Self {
            position: word(8),
            time: Timestamp::from_micros(word(16) as i64),
            events: events as u32,
            body_bytes: body_bytes as usize,
            previous: chain(64),
            chain: chain(CHAIN_AT),
        })
    }

    pub fn group_bytes(&self) -> usize {
        HEADER_BYTES + self.body_bytes
    }

    /// Whether this group may stand directly behind `tail`.
    pub fn follows(&self, tail: &Tail) -> bool {
        self.position == tail.position + 1 && self.previous == tail.chain
    }
}

fn hash(bytes: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CHAIN_AT]);
    hasher.update(&bytes[HEADER_BYTES..]);
    Chain(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests;
