//! What the journal asks of a disk: little enough that a simulated one can take its place.
//!
//! Paths are relative to the journal's directory. A write is durable after `sync_data` of its file, a
//! name after `sync_directory` of its directory, and neither before.

use std::io;

pub trait Disk: Send + Sync + 'static {
    type File: DiskFile;
    /// Held until it is dropped.
    type Lock: Send + Sync;

    /// An existing file, to be read and written.
    fn open(&self, path: &str) -> io::Result<Self::File>;

    /// An empty file; one that was there is emptied.
    fn create(&self, path: &str) -> io::Result<Self::File>;

    /// Replaces `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    fn remove(&self, path: &str) -> io::Result<()>;

    /// May be there already.
    fn create_directory(&self, path: &str) -> io::Result<()>;

    /// The names in a directory, in order. The journal's own is the empty path.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    fn sync_directory(&self, directory: &str) -> io::Result<()>;

    /// Fails with [`io::ErrorKind::WouldBlock`] when another process holds it in the way.
    fn lock(&self, path: &str, hold: Hold) -> io::Result<Self::Lock>;

    fn free_bytes(&self) -> io::Result<u64>;
}

pub trait DiskFile: Send + Sync + 'static {
    fn size(&self) -> io::Result<u64>;

    /// Like `pread`: may read less, and reads nothing at the end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Like `pwrite`: may write less.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Writes zeros. Nobody else uses the file meanwhile, and nobody reads them soon: they need not pass
    /// through the page cache.
    fn write_zeros_at(&self, length: usize, offset: u64) -> io::Result<()> {
        self.write_all_at(&vec![0; length], offset)
    }

    fn sync_data(&self) -> io::Result<()>;

    /// Fills `into` with what is on the disk, whatever the page cache believes. A sync that failed
    /// leaves pages that look written and are not.
    fn read_past_cache(&self, into: &mut [u8], offset: u64) -> io::Result<PastCache>;

    /// Lets the page cache forget what is synced, so that the next read comes from the disk.
    fn drop_cached(&self) -> io::Result<()>;

    fn read_exact_at(&self, mut into: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !into.is_empty() {
            match self.read_at(into, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    into = &mut into[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The one writer.
    Exclusive,
    /// Any number of readers of a journal that nobody writes.
    Shared,
}

/// How the page cache was passed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastCache {
    /// Read directly from the device.
    Direct,
    /// The file system refuses that: its pages were dropped and read again.
    Dropped,
    /// Neither is possible here; what was read may be only in memory.
    Trusted,
}
