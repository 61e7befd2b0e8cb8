//! The real disk: a directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::disk::{Disk, DiskFile, Hold, PastCache};

/// What an unbuffered read must be aligned to, in memory, in the file and in length.
const DIRECT_ALIGNMENT: usize = 4096;
const DIRECT_PIECE: usize = 1 << 20;

pub struct OsDisk {
    directory: PathBuf,
}

pub struct OsFile {
    file: File,
    path: PathBuf,
}

impl OsDisk {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }
}

/// Keys lie beside the journal, so everything here is for its owner only.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

impl Disk for OsDisk {
    type File = OsFile;
    type Lock = OsLock;

    fn open(&self, path: &str) -> io::Result<OsFile> {
        let path = self.path(path);
        let file = match options().open(&path) {
            // A copy to be verified may lie where nothing can be written.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                File::open(&path)?
            }
            file => file?,
        };
        Ok(OsFile { file, path })
    }

    fn create(&self, path: &str) -> io::Result<OsFile> {
        let path = self.path(path);
        Ok(OsFile { file: options().create(true).truncate(true).open(&path)?, path })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(path))
    }

    fn create_directory(&self, path: &str) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(self.path(path))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.path(directory))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        File::open(self.path(directory))?.sync_all()
    }

    fn lock(&self, path: &str, hold: Hold) -> io::Result<OsLock> {
        let file = match hold {
            Hold::Exclusive => options().create(true).truncate(false).open(self.path(path))?,
            Hold::Shared => File::open(self.path(path))?,
        };
        let taken = match hold {
            Hold::Exclusive => file.try_lock(),
            Hold::Shared => file.try_lock_shared(),
        };
        match taken {
            Ok(()) => Ok(OsLock(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let space = rustix::fs::statvfs(&self.directory)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

/// Given back by name: a process that was being started at that moment may have a copy of the handle.
#[derive(Debug)]
pub struct OsLock(File);

impl Drop for OsLock {
    fn drop(&mut self) {
        // Closing it does the same, unless there is such a copy.
        _ = self.0.unlock();
    }
}

impl DiskFile for OsFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    #[cfg(target_os = "linux")]
    fn write_zeros_at(&self, length: usize, offset: u64) -> io::Result<()> {
        if self.write_zeros_directly(length, offset).is_ok() {
            return Ok(());
        }
        // The file system refuses that, or the disk is full: which of them, a usual write finds out.
        self.write_all_at(&vec![0; length], offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn read_past_cache(&self, into: &mut [u8], offset: u64) -> io::Result<PastCache> {
        if read_direct(&self.path, into, offset).is_ok() {
            return Ok(PastCache::Direct);
        }
        let dropped = match self.drop_cached() {
            Ok(()) => PastCache::Dropped,
            Err(_) => PastCache::Trusted,
        };
        self.read_exact_at(into, offset)?;
        Ok(dropped)
    }

    #[cfg(target_os = "linux")]
    fn drop_cached(&self) -> io::Result<()> {
        Ok(rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn drop_cached(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
impl OsFile {
    fn write_zeros_directly(&self, length: usize, offset: u64) -> io::Result<()> {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        let zeros = Aligned::new(length.min(DIRECT_PIECE));
        let flags = fcntl_getfl(&self.file)?;
        fcntl_setfl(&self.file, flags | OFlags::DIRECT)?;
        let mut at = 0;
        let mut written = Ok(());
        while at < length && written.is_ok() {
            let piece = &zeros.bytes()[..DIRECT_PIECE.min(length - at)];
            written = self.write_all_at(piece, offset + at as u64);
            at += piece.len();
        }
        fcntl_setfl(&self.file, flags)?;
        written
    }
}

/// Zeros in memory that an unbuffered read or write may use.
#[cfg(target_os = "linux")]
struct Aligned {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

#[cfg(target_os = "linux")]
impl Aligned {
    fn new(length: usize) -> Self {
        let memory = vec![0; length + DIRECT_ALIGNMENT];
        let start = memory.as_ptr().align_offset(DIRECT_ALIGNMENT);
        Self { memory, start, length }
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

#[cfg(target_os = "linux")]
fn read_direct(path: &Path, into: &mut [u8], offset: u64) -> io::Result<()> {
    let direct = rustix::fs::OFlags::DIRECT.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(direct).open(path)?;
    let mut aligned = Aligned::new(DIRECT_PIECE);
    let piece = aligned.bytes_mut();
    let mut filled = 0;
    while filled < into.len() {
        let at = offset + filled as u64;
        let skipped = (at % DIRECT_ALIGNMENT as u64) as usize;
        let wanted = (skipped + into.len() - filled).next_multiple_of(DIRECT_ALIGNMENT).min(DIRECT_PIECE);
        let read = file.read_at(&mut piece[..wanted], at - skipped as u64)?;
        let useful = read.saturating_sub(skipped).min(into.len() - filled);
        if useful == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into[filled..filled + useful].copy_from_slice(&piece[skipped..skipped + useful]);
        filled += useful;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn read_direct(_path: &Path, _into: &mut [u8], _offset: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests;
