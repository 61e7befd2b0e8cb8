//! A copy of one book's groups on this machine's disk, so that history needs no round trip to the database.
//!
//! The one idea: **it is a cache.** Only what the database has confirmed is put into it, every group is held
//! against its own hash when it is taken out, and whenever a book is opened the newest group in it is held
//! against the one in the database: where they differ, all of it is thrown away. Nothing is synced, nothing
//! waits for it, and it may be deleted at any time.
//!
//! ```text
//! copy/<book>/<n>.groups   groups one behind the other, as they were confirmed or asked for
//! ```
//!
//! A file is written by one run of a process and never again; the oldest goes when there are too many bytes.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use journal::{Group, HEADER_BYTES, Header, Tail};

const FILE_BYTES: u64 = 64 << 20;
/// Groups that may wait to be written; the others are not kept this time.
const QUEUE_GROUPS: usize = 64;
const SUFFIX: &str = "groups";

pub(crate) struct LocalCopy {
    kept: Mutex<Kept>,
    to_write: SyncSender<Vec<u8>>,
}

/// What is there, and where.
struct Kept {
    directory: PathBuf,
    bytes_max: u64,
    bytes: u64,
    files: VecDeque<Kin>,
    places: HashMap<u64, Place>,
    /// Number of the next file.
    next: u64,
    /// The newest file is this run's, and may be added to.
    is_open: bool,
}

/// A file, and how much is in it.
struct Kin {
    number: u64,
    file: Arc<File>,
    bytes: u64,
}

#[derive(Clone, Copy)]
struct Place {
    file: u64,
    at: u64,
    length: usize,
}

impl LocalCopy {
    /// Finds what earlier runs have left in the directory, and starts the thread that adds to it.
    pub(crate) fn open(directory: &Path, bytes_max: u64) -> io::Result<Arc<Self>> {
        fs::create_dir_all(directory)?;
        let kept = Mutex::new(Kept::find(directory, bytes_max)?);
        let (to_write, groups) = sync_channel::<Vec<u8>>(QUEUE_GROUPS);
        let copy = Arc::new(Self { kept, to_write });
        let weak: Weak<Self> = Arc::downgrade(&copy);
        std::thread::Builder::new().name("local copy".to_owned()).spawn(move || {
            for group in groups {
                let Some(copy) = weak.upgrade() else { return };
                if let Err(error) = copy.kept().add(&group) {
                    tracing::debug!(%error, "a group is not kept on this disk");
                }
            }
        })?;
        Ok(copy)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only of what the database has confirmed.
    pub(crate) fn keep(&self, group: &Group) {
        if !self.kept().places.contains_key(&group.header().position) {
            // A full queue costs a round trip later, and nothing now.
            _ = self.to_write.try_send(group.bytes().to_vec());
        }
    }

    /// The group at a position, if it is there and whole.
    pub(crate) fn find(&self, position: u64) -> Option<Group> {
        let (file, place) = {
            let kept = self.kept();
            let place = *kept.places.get(&position)?;
            let kin = kept.files.iter().find(|kin| kin.number == place.file)?;
            (Arc::clone(&kin.file), place)
        };
        let mut bytes = vec![0; place.length];
        let read = file.read_exact_at(&mut bytes, place.at).ok();
        let group = read.and_then(|()| Group::parse(bytes).ok());
        let group = group.filter(|group| group.header().position == position);
        if group.is_none() {
            self.kept().places.remove(&position);
        }
        group
    }

    /// The newest group that the database should have as well, if the journal ends at `position` there.
    pub(crate) fn newest_until(&self, position: u64) -> Option<Tail> {
        let newest = self.kept().places.keys().copied().filter(|it| *it <= position).max()?;
        self.find(newest).map(|group| group.tail())
    }

    /// What lies beyond `position` was never confirmed, or is no more.
    pub(crate) fn forget_beyond(&self, position: u64) {
        self.kept().places.retain(|it, _| *it <= position);
    }

    /// It is another history's.
    pub(crate) fn discard(&self) {
        let mut kept = self.kept();
        while !kept.files.is_empty() {
            kept.drop_oldest();
        }
        kept.is_open = false;
    }
}

impl Kept {
    fn find(directory: &Path, bytes_max: u64) -> io::Result<Self> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let stem = path.extension().filter(|it| *it == SUFFIX).and(path.file_stem());
            numbers.extend(stem.and_then(|stem| stem.to_str()?.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        let mut kept = Self {
            directory: directory.to_owned(),
            bytes_max,
            bytes: 0,
            files: VecDeque::new(),
            places: HashMap::new(),
            next: numbers.last().map_or(0, |last| last + 1),
            is_open: false,
        };
        for number in numbers {
            let file = File::open(kept.path(number))?;
            kept.index(number, file)?;
        }
        kept.make_room();
        Ok(kept)
    }

    /// Goes from header to header; what does not begin like a group ends the file.
    fn index(&mut self, number: u64, file: File) -> io::Result<()> {
        let end = file.metadata()?.len();
        let (mut at, mut header) = (0, [0; HEADER_BYTES]);
        while at + HEADER_BYTES as u64 <= end {
            file.read_exact_at(&mut header, at)?;
            let Ok(found) = Header::parse(&header) else { break };
            let length = found.group_bytes();
            if at + length as u64 > end {
                break;
            }
            self.places.insert(found.position, Place { file: number, at, length });
            at += length as u64;
        }
        self.bytes += end;
        self.files.push_back(Kin { number, file: Arc::new(file), bytes: end });
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}.{SUFFIX}"))
    }

    fn add(&mut self, group: &[u8]) -> io::Result<()> {
        let Ok(header) = Header::parse(group) else { return Ok(()) };
        if self.places.contains_key(&header.position) {
            return Ok(());
        }
        let is_full =
            self.files.back().is_some_and(|newest| newest.bytes >= FILE_BYTES.min(self.bytes_max / 2));
        if !self.is_open || is_full {
            self.begin_file()?;
        }
        let Some(newest) = self.files.back_mut() else { return Ok(()) };
        if let Err(error) = (&*newest.file).write_all(group) {
            // What was half written would be in the way of what comes next.
            self.is_open = false;
            return Err(error);
        }
        let place = Place { file: newest.number, at: newest.bytes, length: group.len() };
        newest.bytes += group.len() as u64;
        self.bytes += group.len() as u64;
        self.places.insert(header.position, place);
        self.make_room();
        Ok(())
    }

    fn begin_file(&mut self) -> io::Result<()> {
        // Somebody may have deleted all of it.
        fs::create_dir_all(&self.directory)?;
        let number = self.next;
        self.next += 1;
        let file = File::options().read(true).append(true).create_new(true).open(self.path(number))?;
        self.files.push_back(Kin { number, file: Arc::new(file), bytes: 0 });
        self.is_open = true;
        Ok(())
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max && self.files.len() > 1 {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.files.pop_front() else { return };
        self.places.retain(|_, place| place.file != oldest.number);
        self.bytes -= oldest.bytes;
        // One that stays is found, and dropped, by the next start.
        _ = fs::remove_file(self.path(oldest.number));
    }
}

#[cfg(test)]
mod tests;
