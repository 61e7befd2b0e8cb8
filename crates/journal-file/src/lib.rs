//! The journal as a directory: nothing to install, one `fdatasync` per group.
mod archive;
mod cache;
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

pub use disk::{Disk, DiskFile, Hold, PastCache};
pub use error::OpenError;
pub use file_journal::{FileJournal, Opened};
pub use format::Incarnation;
pub use options::{Background, Options, Written};
pub use os_disk::{OsDisk, OsFile};
