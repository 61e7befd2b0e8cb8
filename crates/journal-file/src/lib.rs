//! The journal as a directory: nothing to install, one write and one `fdatasync` per group.
//!
//! The one idea: **a sector that was acknowledged is never written again with other content.** Groups go
//! into segments that were filled with zeros and synced before, each beginning on a sector of its own,
//! so a crash can spoil only the group that nobody was told about, and anything else that does not check
//! is damage, which is reported and never cut off.
//!
//! ```text
//! lock                     held by the one process that writes; shared by those that verify
//! identity                 one sector: which journal this is
//! ring/0003.segment        zeros, ready to be used; or a segment: header sector, groups on sectors
//! ring/0003.zeroing        on its way there; its content means nothing
//! archive/0000000007.archive   segment 7, sealed: header sector, blocks of 16 KiB compressed with LZ4, index
//! archive/0000000007.sidecar   what the engine distilled from it; made again when it is lost
//! archive/0000000007.anchor    the state behind archive 7, where archives up to it were removed
//! snapshots/<begun>-<ended>.snapshot   header sector, chunks with length and check, trailer sector
//! vault                    header sector, records of 64 bytes: owner, key, batch, check
//! *.partial                being written; removed at the next start
//! ```
//!
//! Every file begins with a sector of magic, version (1), the journal's incarnation, its fields and a
//! check (16 bytes of BLAKE3). All integers are little-endian. Groups carry their own hash and chain.
//!
//! | file | magic | fields behind the incarnation |
//! |---|---|---|
//! | identity | `BJNL` | |
//! | segment | `BSEG` | number, history before it (position, chain) |
//! | archive | `BARC` | number, history before it, history with it, first and last book time, where the index begins, check of the index, bytes uncompressed |
//! | sidecar | `BSID` | number, length, check |
//! | snapshot | `BSNP` | begun (position, chain) |
//! | its trailer | `BSNE` | begun, ended, number of chunks, check of the chunks' checks |
//! | anchor | `BANC` | number of the archive, history with it, its last book time, digest of the state |
//! | its trailer | `BANE` | history with the archive, number of chunks, check of the chunks' checks |
//! | vault | `BVLT` | |
//!
//! Invariants:
//! - A group is found by readers only after its sync returned; a sync that failed ends all appending
//!   until the journal is opened again, which reads what the device holds and not what the page cache believes.
//! - A segment leaves the ring only when its archive was read back from the disk and followed from end to
//!   end, the engine has released it, and no reader holds it.
//! - Segments and archives are consecutive from 1, or from the one behind the anchor; a gap is an error that
//!   names what is missing.
//! - Zeroing, sealing and snapshots write in pieces with a sync each, so that an append's sync never waits
//!   behind much of theirs.
//!
//! What it rests on: a device writes a sector of 512 bytes whole or not at all, and a sync that returned
//! is kept. What it cannot tell: damage to the very last group from an append that was cut short. The
//! engine closes its tail with an empty group, so that this last group is one that nobody waits for. Nor,
//! until the segment before it is sealed, that the file of the open segment was deleted.
//!
//! Left out: direct IO for appends (measured: brings nothing for small groups), several appends in flight,
//! fetching archives that were moved away.

mod anchor;
mod archive;
mod backup;
mod cache;
mod chunks;
mod disk;
mod error;
mod file_journal;
mod format;
mod index;
mod keys;
mod options;
mod os_disk;
mod reader;
mod recovery;
mod ring;
mod seal;
mod segment;
mod snapshot;
mod vault;
mod verify;

pub use backup::{Backup, backup};
pub use disk::{Disk, DiskFile, Hold, PastCache};
pub use error::OpenError;
pub use file_journal::{FileJournal, Opened};
pub use format::Incarnation;
pub use options::{Background, Options, Written};
pub use os_disk::{OsDisk, OsFile, OsLock};
pub use verify::{Verified, verify};
