//! Turns the oldest full segment into an archive: written, synced, read again from the disk and followed
//! from end to end, and only then renamed, which is what lets the ring forget it.

use std::sync::Arc;

use journal::{Group, ReadError, Sidecar, Tail, with_causes};
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use crate::archive::{ArchiveFile, ArchiveHeader, ArchiveIndex, BLOCK_BYTES, LastBlock, block_check};
use crate::disk::{Disk, DiskFile};
use crate::format::{
    ARCHIVE, PARTIAL, SECTOR, SIDECAR_MAGIC, SectorReader, SectorWriter, archive_path, check, sidecar_path,
};
use crate::options::Counters;
use crate::ring::{Shared, SidecarFile, Work};
use crate::segment::{Place, SegmentFile, SegmentHeader};

/// Written between two syncs, so that appends are not stalled for long.
const WRITE_BYTES: usize = 1 << 20;
const SIDECARS_OPEN_MAX: usize = 128;

struct Full<F> {
    file: Arc<SegmentFile<F>>,
    places: Vec<Place>,
    last: Tail,
}

impl<F: DiskFile> Full<F> {
    fn check(&self) -> Result<(), ReadError> {
        let first = self.file.header.previous.position + 1;
        (first..).zip(&self.places).try_for_each(|(at, place)| self.file.group(at, *place).map(drop))
    }
}

impl<D: Disk> Shared<D> {
    /// Seals the oldest full segment that is not sealed yet.
    pub(crate) fn seal_next(&self) -> Result<bool, String> {
        let Some(full) = self.next_full() else {
            return Ok(false);
        };
        let number = full.file.header.number;
        let header = self
            .seal(&full)
            .map_err(|error| format!("segment {number} cannot be sealed: {}", with_causes(&error)))?;
        self.index_mut().archives.push(Arc::new(header));
        Ok(true)
    }

    fn next_full(&self) -> Option<Full<D::File>> {
        let index = self.index();
        let archived = index.archived();
        let at = index.ring.iter().position(|segment| segment.file.header.number > archived)?;
        let last = index.ring.get(at + 1)?.file.header.previous;
        let segment = &index.ring[at];
        Some(Full { file: Arc::clone(&segment.file), places: segment.places.clone(), last })
    }

    fn seal(&self, full: &Full<D::File>) -> Result<ArchiveHeader, ReadError> {
        let first = full.file.header.previous.position + 1;
        let fault = |source| ReadError::Fault { position: first, source };
        let path = archive_path(full.file.header.number);
        let partial = format!("{path}.{PARTIAL}");
        let file = self.disk.create(&partial).map_err(fault)?;
        let (header, distilled) = self.write_archive(full, &file)?;
        file.sync_data().map_err(fault)?;
        // What was wrong before it was written is the segment's fault, and is told so.
        check_archive(file, &header).map_err(|error| full.check().err().unwrap_or(error))?;
        if let Some(distilled) = distilled {
            self.write_sidecar(header.number, &distilled)?;
        }
        self.disk.rename(&partial, &path).map_err(fault)?;
        self.disk.sync_directory(ARCHIVE).map_err(fault)?;
        Ok(header)
    }

    /// Reads each group once: it goes into the archive on its way to the sidecar. Its hash is checked
    /// where it was written to, together with the chain.
    fn write_archive(
        &self,
        full: &Full<D::File>,
        file: &D::File,
    ) -> Result<(ArchiveHeader, Option<Vec<u8>>), ReadError> {
        let SegmentHeader { number, previous } = full.file.header;
        let mut writer = ArchiveWriter::new(file, &self.counters);
        let mut times = None;
        let groups = (previous.position + 1..).zip(&full.places).map(|(position, place)| {
            let group = full.file.unchecked_group(position, *place)?;
            let time = group.header().time;
            times = Some((times.map_or(time, |(first, _)| first), time));
            writer.group(&group).map_err(|source| ReadError::Fault { position, source })?;
            Ok(group)
        });
        let distilled = distil(self.options.sidecar.as_deref(), groups)?;
        let (first_time, last_time) = times.unwrap_or_default();
        let header = ArchiveHeader {
            number,
            previous,
            last: full.last,
            first_time,
            last_time,
            index_at: 0,
            index_check: [0; 16],
            stream_bytes: 0,
        };
        let finished = writer.finish(header, &self.incarnation);
        let header = finished.map_err(|source| ReadError::Fault { position: full.last.position, source })?;
        Ok((header, distilled))
    }

    fn write_sidecar(&self, number: u64, bytes: &[u8]) -> Result<(), ReadError> {
        let path = sidecar_path(number);
        let partial = format!("{path}.{PARTIAL}");
        let written = || {
            let header = SectorWriter::new(SIDECAR_MAGIC, &self.incarnation)
                .number(number)
                .number(bytes.len() as u64)
                .put(&check(bytes))
                .finish();
            let file = self.disk.create(&partial)?;
            file.write_all_at(&header, 0)?;
            file.write_all_at(bytes, SECTOR as u64)?;
            file.sync_data()?;
            self.disk.rename(&partial, &path)?;
            self.sidecars.lock().expect("no holder of this lock panics").retain(|kept| kept.number != number);
            self.disk.sync_directory(ARCHIVE)
        };
        Counters::add(&self.counters.archive_bytes, SECTOR + bytes.len());
        written().map_err(|source| ReadError::Fault { position: number, source })
    }

    /// A sidecar says nothing that its archive does not: a lost one is made again.
    pub(crate) fn remake_sidecar(&self, work: &mut Work<D::File>) -> Result<bool, String> {
        let Some(number) = work.sidecars.last().copied() else {
            return Ok(false);
        };
        let header = self.index().archives.iter().find(|archive| archive.number == number).cloned();
        let header = header.expect("only archives that are there ask for a sidecar");
        let made = ArchiveFile::open(&self.disk, &header).and_then(|archive| {
            let mut last = LastBlock::default();
            let positions = header.previous.position + 1..=header.last.position;
            let groups = positions.map(|position| archive.group(position, &mut last));
            match distil(self.options.sidecar.as_deref(), groups)? {
                Some(distilled) => self.write_sidecar(number, &distilled),
                None => Ok(()),
            }
        });
        made.map_err(|error| {
            format!("the sidecar of archive {number} cannot be made: {}", with_causes(&error))
        })?;
        work.sidecars.pop();
        Ok(true)
    }

    pub(crate) fn read_sidecar(&self, number: u64, position: u64) -> Result<Vec<u8>, ReadError> {
        let fault = |source| ReadError::Fault { position, source };
        let path = sidecar_path(number);
        let damaged =
            || ReadError::Damaged { position, place: path.clone(), reason: journal::GroupError::Hash };
        let file = self.disk.open(&path).map_err(fault)?;
        let mut header = [0; SECTOR];
        file.read_exact_at(&mut header, 0).map_err(fault)?;
        let mut header =
            SectorReader::of(&header, SIDECAR_MAGIC, &self.incarnation).map_err(|_| damaged())?;
        let (of, length, expected) = (header.number(), header.number(), header.take());
        if of != number || file.size().map_err(fault)? != SECTOR as u64 + length {
            return Err(damaged());
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, SECTOR as u64).map_err(fault)?;
        if check(&bytes) == expected { Ok(bytes) } else { Err(damaged()) }
    }

    /// Kept open: whoever asks for a slice asks for others of the same files.
    fn sidecar_file(&self, number: u64) -> std::io::Result<Arc<SidecarFile<D::File>>> {
        let mut open = self.sidecars.lock().expect("no holder of this lock panics");
        if let Some(kept) = open.iter().find(|kept| kept.number == number) {
            return Ok(Arc::clone(kept));
        }
        let file = self.disk.open(&sidecar_path(number))?;
        let size = file.size()?;
        let file = Arc::new(SidecarFile { number, file, size });
        if open.len() == SIDECARS_OPEN_MAX {
            open.remove(0);
        }
        open.push(Arc::clone(&file));
        Ok(file)
    }

    /// The end of the file ends the slice.
    pub(crate) fn read_sidecar_slice(
        &self,
        number: u64,
        offset: u64,
        length: usize,
        into: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        let sidecar = self.sidecar_file(number)?;
        let SidecarFile { file, size, .. } = &*sidecar;
        let left = size.saturating_sub(SECTOR as u64 + offset);
        let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        let start = into.len();
        into.resize(start + length, 0);
        file.read_exact_at(&mut into[start..], SECTOR as u64 + offset)
    }
}

/// What belongs beside the archive of these groups, all of which are drawn.
fn distil(
    sidecar: Option<&dyn Sidecar>,
    groups: impl Iterator<Item = Result<Group, ReadError>>,
) -> Result<Option<Vec<u8>>, ReadError> {
    let mut failed = None;
    let mut whole = groups.map_while(|group| group.map_err(|error| failed = Some(error)).ok());
    let distilled = sidecar.map(|sidecar| sidecar.distil(&mut whole));
    whole.for_each(drop);
    failed.map_or(Ok(distilled), Err)
}

/// Reads the archive back from the disk and follows its chain from end to end. Where the cache cannot
/// be dropped, what was written is still unpacked and compared.
fn check_archive<F: DiskFile>(file: F, header: &ArchiveHeader) -> Result<(), ReadError> {
    let _ = file.drop_cached();
    ArchiveFile::read_index(file, &Arc::new(*header))?.check()
}

/// Packs groups into blocks and writes them behind the header's sector.
struct ArchiveWriter<'a, F> {
    file: &'a F,
    counters: &'a Counters,
    index: ArchiveIndex,
    stream_bytes: usize,
    unpacked: Vec<u8>,
    packed: Vec<u8>,
    block: Vec<u8>,
    table: CompressTable,
    written: u64,
}

impl<'a, F: DiskFile> ArchiveWriter<'a, F> {
    fn new(file: &'a F, counters: &'a Counters) -> Self {
        Self {
            file,
            counters,
            index: ArchiveIndex::default(),
            stream_bytes: 0,
            unpacked: Vec::new(),
            packed: Vec::new(),
            block: vec![0; get_maximum_output_size(BLOCK_BYTES)],
            table: CompressTable::default(),
            written: SECTOR as u64,
        }
    }

    fn group(&mut self, group: &Group) -> std::io::Result<()> {
        self.index.group_starts.push(self.stream_bytes as u32);
        self.stream_bytes += group.bytes().len();
        self.unpacked.extend_from_slice(group.bytes());
        let whole = self.unpacked.len() / BLOCK_BYTES * BLOCK_BYTES;
        self.pack(whole);
        if self.packed.len() < WRITE_BYTES {
            return Ok(());
        }
        self.write_out()?;
        self.file.sync_data()
    }

    fn pack(&mut self, bytes: usize) {
        for block in self.unpacked[..bytes].chunks(BLOCK_BYTES) {
            let packed = compress_into_with_table(block, &mut self.block, &mut self.table)
                .expect("the buffer has the room that compressing may need");
            let kept = if packed < block.len() { &self.block[..packed] } else { block };
            self.packed.extend_from_slice(kept);
            self.index.block_ends.push((self.written + self.packed.len() as u64) as u32);
            self.index.block_checks.push(block_check(kept));
        }
        self.unpacked.drain(..bytes);
    }

    fn write_out(&mut self) -> std::io::Result<()> {
        self.file.write_all_at(&self.packed, self.written)?;
        Counters::add(&self.counters.archive_bytes, self.packed.len());
        self.written += self.packed.len() as u64;
        self.packed.clear();
        Ok(())
    }

    fn finish(
        mut self,
        header: ArchiveHeader,
        incarnation: &crate::format::Incarnation,
    ) -> std::io::Result<ArchiveHeader> {
        self.pack(self.unpacked.len());
        self.write_out()?;
        let index_at = self.written;
        let index = self.index.write();
        self.packed.extend_from_slice(&index);
        self.write_out()?;
        let header = ArchiveHeader {
            index_at,
            index_check: check(&index),
            stream_bytes: self.stream_bytes as u64,
            ..header
        };
        self.file.write_all_at(&header.write(incarnation), 0)?;
        Ok(header)
    }
}
