//! The journal itself: one write and one sync per group.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use journal::{Anchor, AppendError, Group, Header, Journal, Reader, Room, Snapshots, Tail, Vault};

use crate::archive::LastBlock;
use crate::disk::{Disk, DiskFile, Hold, PastCache};
use crate::error::OpenError;
use crate::format::{
    ARCHIVE, IDENTITY, IDENTITY_MAGIC, Incarnation, LOCK, PAGE, PARTIAL, RING, SECTOR, SNAPSHOTS,
    SectorWriter, segment_path, zeroing_path,
};
use crate::options::{Background, Counters, Options, Written};
use crate::reader::FileReader;
use crate::recovery;
use crate::ring::{Ring, Shared};
use crate::segment::{Place, Segment, SegmentFile, SegmentHeader, Slot};
use crate::snapshot::FileSnapshots;
use crate::vault::{self, FileVault};

/// How long the background waits before it tries again what the disk refused.
const RETRY: Duration = Duration::from_secs(1);

pub struct FileJournal<D: Disk> {
    pub(crate) shared: Arc<Shared<D>>,
    snapshots: Arc<FileSnapshots<D>>,
    vault: Arc<FileVault<D>>,
    tail: Tail,
    /// The open segment and where its next group begins.
    open: Option<(Arc<SegmentFile<D::File>>, u64)>,
    /// Why nothing may be appended any more.
    stopped: Option<&'static str>,
    buffer: Vec<u8>,
    /// Complete, and not cut to yet.
    pub(crate) written_anchor: Option<Anchor>,
    background: Option<JoinHandle<()>>,
}

/// What opening found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub tail: Tail,
    /// How the tail was read past the page cache; nothing when there was none to read.
    pub past_cache: Option<PastCache>,
    /// Bytes behind the tail that were not zero: of an append that was not acknowledged.
    pub leftover_bytes: u64,
    pub segments: usize,
    pub archives: usize,
}

/// Where a group is to be written.
enum Target<F> {
    Open(Arc<SegmentFile<F>>, u64),
    New(Slot<F>),
}

impl<D: Disk> FileJournal<D> {
    /// Makes an empty journal with one segment prepared. An attempt that was cut short may be repeated.
    pub fn init(disk: &D, incarnation: Incarnation, options: &Options) -> Result<(), OpenError> {
        options.check()?;
        let directories = ["", RING, ARCHIVE, SNAPSHOTS];
        for directory in directories {
            disk.create_directory(directory).map_err(OpenError::fault(directory))?;
        }
        let _lock = lock(disk, Hold::Exclusive)?;
        if disk.list("").map_err(OpenError::fault(""))?.iter().any(|name| name == IDENTITY) {
            return Err(OpenError::AlreadyInitialised);
        }
        prepare_first_slot(disk, options).map_err(OpenError::fault(segment_path(0)))?;
        let identity = || {
            let partial = format!("{IDENTITY}.{PARTIAL}");
            let file = disk.create(&partial)?;
            file.write_all_at(&SectorWriter::new(IDENTITY_MAGIC, &incarnation).finish(), 0)?;
            file.sync_data()?;
            vault::create(disk, &incarnation)?;
            for directory in directories {
                disk.sync_directory(directory)?;
            }
            disk.rename(&partial, IDENTITY)?;
            disk.sync_directory("")
        };
        identity().map_err(OpenError::fault(IDENTITY))
    }

    /// The directory stays locked until the journal and all that was got from it (readers, snapshots,
    /// vault, scans) is dropped, because each of them can still touch its files.
    pub fn open(disk: D, options: Options, background: Background) -> Result<(Self, Opened), OpenError> {
        options.check()?;
        let lock = Arc::new(lock(&disk, Hold::Exclusive)?);
        let found = recovery::recover(&disk, &options)?;
        let vault = FileVault::open(&disk, &found.incarnation, &lock)?;
        let opened = found.opened;
        let open = found.index.ring.back().map(|segment| (Arc::clone(&segment.file), found.end));
        let shared = Arc::new(Shared::new(disk, lock, options, found));
        let snapshots = FileSnapshots::open(&shared).map_err(OpenError::fault(SNAPSHOTS))?;
        let journal = Self {
            background: match background {
                Background::Thread => Some(work_in_background(&shared).map_err(OpenError::fault(RING))?),
                Background::Manual => None,
            },
            shared,
            snapshots: Arc::new(snapshots),
            vault: Arc::new(vault),
            tail: opened.tail,
            open,
            stopped: None,
            buffer: Vec::new(),
            written_anchor: None,
        };
        Ok((journal, opened))
    }

    pub fn vault(&self) -> Arc<dyn Vault> {
        Arc::clone(&self.vault) as Arc<dyn Vault>
    }

    /// One bounded piece of what [`Background::Thread`] does. False when nothing is left to do for now.
    pub fn run_background_step(&self) -> io::Result<bool> {
        self.shared.step().map_err(io::Error::other)
    }

    /// What the background last failed at, until it succeeds. Appending goes on as long as there is room.
    pub fn background_fault(&self) -> Option<String> {
        self.shared.fault()
    }

    /// Complete snapshots that turned out to be damaged, by file.
    pub fn damaged_snapshots(&self) -> Vec<String> {
        self.snapshots.damaged()
    }

    pub fn written(&self) -> Written {
        self.shared.counters.read()
    }

    fn stop(&mut self, why: &'static str) {
        self.stopped = Some(why);
    }

    /// Why a group that does not follow the tail was built: who stands there instead?
    fn misplaced(&self, header: &Header) -> AppendError {
        let position = header.position.saturating_sub(1);
        let ours = match position {
            0 => Tail::default(),
            _ if position > self.tail.position => return AppendError::HistoryLost { position },
            _ if position == self.tail.position => self.tail,
            _ => match self.shared.group(position, &mut LastBlock::default()) {
                Ok(group) => group.tail(),
                Err(error) => {
                    return AppendError::Fault { position: header.position, source: io::Error::other(error) };
                }
            },
        };
        if ours.chain == header.previous {
            AppendError::Fenced { position }
        } else {
            AppendError::HistoryLost { position }
        }
    }

    fn target(&self, group_bytes: u64) -> Option<Target<D::File>> {
        if let Some((file, end)) = &self.open
            && end + group_bytes <= file.slot.size
        {
            return Some(Target::Open(Arc::clone(file), *end));
        }
        let slot = self.shared.take_slot();
        self.shared.alarm.ring(Ring::Work);
        slot.map(Target::New)
    }

    /// Writes the group, and before it the header of a new segment, in one piece of whole pages: the
    /// zeros that fill the last one are there already, but a page written in part would be read first.
    fn write(&mut self, group: &Group, target: Target<D::File>) -> io::Result<Segment<D::File>> {
        self.buffer.clear();
        let (segment, offset) = match target {
            Target::Open(file, end) => (file, end),
            Target::New(slot) => {
                let number = self.open.as_ref().map_or(0, |(file, _)| file.header.number) + 1;
                let header = SegmentHeader { number, previous: self.tail };
                self.buffer.extend_from_slice(&header.write(&self.shared.incarnation));
                (Arc::new(SegmentFile { header, slot }), 0)
            }
        };
        let place =
            Place { offset: offset as u32 + self.buffer.len() as u32, bytes: group.bytes().len() as u32 };
        self.buffer.extend_from_slice(group.bytes());
        let filled = (offset as usize + self.buffer.len()).next_multiple_of(PAGE) - offset as usize;
        self.buffer.resize(filled, 0);
        segment.slot.file.write_all_at(&self.buffer, offset)?;
        segment.slot.file.sync_data()?;
        let counters = &self.shared.counters;
        Counters::add(&counters.appends, 1);
        Counters::add(&counters.append_bytes, filled + offset as usize % PAGE);
        Ok(Segment { file: segment, places: vec![place] })
    }

    /// Only now may readers find it.
    fn publish(&mut self, segment: Segment<D::File>, tail: Tail) {
        let place = segment.places[0];
        self.open = Some((Arc::clone(&segment.file), place.end()));
        self.tail = tail;
        let mut index = self.shared.index_mut();
        index.tail = tail;
        match index.ring.back_mut() {
            Some(open) if Arc::ptr_eq(&open.file, &segment.file) => open.places.push(place),
            _ => index.ring.push_back(segment),
        }
    }
}

impl<D: Disk> Journal for FileJournal<D> {
    fn tail(&self) -> Tail {
        self.tail
    }

    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        let header = group.header();
        let position = header.position;
        if let Some(why) = self.stopped {
            return Err(AppendError::Fault { position, source: io::Error::other(why) });
        }
        if !header.follows(&self.tail) {
            self.stop("an earlier append was refused: open the journal again");
            return Err(self.misplaced(&header));
        }
        let group_bytes = group.bytes().len() as u64;
        let options = &self.shared.options;
        if SECTOR as u64 + group_bytes > options.segment_bytes || group_bytes > options.group_bytes_max as u64
        {
            self.stop("an earlier group was too large");
            let source =
                io::Error::new(io::ErrorKind::InvalidInput, "the group is larger than the journal takes");
            return Err(AppendError::Fault { position, source });
        }
        let Some(target) = self.target(group_bytes) else {
            return Err(AppendError::Full { position });
        };
        match self.write(group, target) {
            Ok(segment) => {
                self.publish(segment, group.tail());
                Ok(())
            }
            Err(source) => {
                self.stop("an earlier append failed: open the journal again");
                Err(AppendError::Unknown { position, source })
            }
        }
    }

    fn room(&self) -> Room {
        if self.shared.obtainable() < 2 { Room::Reserved } else { Room::Ample }
    }

    fn release_before(&mut self, position: u64) {
        self.shared.release_before(position);
        self.shared.alarm.ring(Ring::Work);
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(FileReader { shared: Arc::clone(&self.shared) })
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::clone(&self.snapshots) as Arc<dyn Snapshots>
    }
}

impl<D: Disk> Drop for FileJournal<D> {
    fn drop(&mut self) {
        self.shared.alarm.ring(Ring::Stop);
        if let Some(background) = self.background.take() {
            // Its panic was reported when it happened.
            let _ = background.join();
        }
    }
}

pub(crate) fn lock<D: Disk>(disk: &D, hold: Hold) -> Result<D::Lock, OpenError> {
    disk.lock(LOCK, hold).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked,
        io::ErrorKind::NotFound => OpenError::NotInitialised,
        _ => OpenError::fault(LOCK)(error),
    })
}

fn prepare_first_slot<D: Disk>(disk: &D, options: &Options) -> io::Result<()> {
    let file = disk.create(&zeroing_path(0))?;
    let zeros = vec![0; options.zeroing_bytes];
    let mut at = 0;
    while at < options.segment_bytes {
        let piece = zeros.len().min((options.segment_bytes - at) as usize);
        file.write_all_at(&zeros[..piece], at)?;
        at += piece as u64;
    }
    file.sync_data()?;
    disk.rename(&zeroing_path(0), &segment_path(0))?;
    disk.sync_directory(RING)
}

fn work_in_background<D: Disk>(shared: &Arc<Shared<D>>) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("journal".into()).spawn(move || {
        loop {
            let rested = !matches!(shared.step(), Ok(true));
            let mut rung = shared.alarm.rung.lock().expect("no holder of this lock panics");
            if rested && *rung == Ring::Quiet {
                // A disk that was full, or a reader that held a segment, does not say when it has changed.
                let waited = shared.alarm.bell.wait_timeout(rung, RETRY);
                rung = waited.expect("no holder of this lock panics").0;
            }
            if *rung == Ring::Stop {
                return;
            }
            *rung = Ring::Quiet;
        }
    })
}

#[cfg(test)]
mod tests;
