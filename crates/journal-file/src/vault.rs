//! The key file: a header sector, then records of 64 bytes, eight to a sector so that none is torn.
//!
//! ```text
//! owner 8 │ key 32 │ first record of its batch 8 │ check 16
//! ```
//! A key of zeros is a destroyed one. Keys are appended in batches, one sync each, and destroyed in
//! place; a file system or a device that writes elsewhere may keep the old sector for a while, so the
//! directory belongs on one that does not. A batch that was not acknowledged may be there in part: the
//! records that are whole are kept, which harms nobody, because their owners were told nothing, and those
//! that are not are marked as void.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use journal::{Vault, VaultError, VaultKey};

use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::format::{
    Incarnation, PARTIAL, SECTOR, SectorError, SectorReader, SectorWriter, VAULT, VAULT_MAGIC, check,
};
use crate::keys::Keys;

pub(crate) const RECORD_BYTES: usize = 64;
const CHECK_AT: usize = 48;
const DESTROYED: [u8; 32] = [0; 32];
/// The batch of a record that was torn and holds no key.
const VOID: u64 = u64::MAX;

pub(crate) struct FileVault<D: Disk> {
    keys: RwLock<Keys>,
    file: Mutex<File<D::File>>,
    _lock: Arc<D::Lock>,
}

struct File<F> {
    file: F,
    records: u64,
    /// A write failed: what the file holds is known again when it is opened.
    failed: bool,
}

fn record(owner: u64, key: &[u8; 32], batch: u64) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    bytes[..8].copy_from_slice(&owner.to_le_bytes());
    bytes[8..40].copy_from_slice(key);
    bytes[40..CHECK_AT].copy_from_slice(&batch.to_le_bytes());
    let check = check(&bytes[..CHECK_AT]);
    bytes[CHECK_AT..].copy_from_slice(&check);
    bytes
}

struct Record {
    owner: u64,
    key: [u8; 32],
    batch: u64,
}

fn parse(bytes: &[u8; RECORD_BYTES]) -> Option<Record> {
    (bytes[CHECK_AT..] == check(&bytes[..CHECK_AT])).then(|| {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Record { owner: word(0), key: bytes[8..40].try_into().expect("thirty-two bytes"), batch: word(40) }
    })
}

fn offset(record: u64) -> u64 {
    SECTOR as u64 + record * RECORD_BYTES as u64
}

/// What the bytes behind the header hold.
pub(crate) struct Contents {
    owners: Vec<(u64, [u8; 32], u32)>,
    /// Torn ones with whole ones behind them.
    torn: Vec<u64>,
    /// Where the next record goes.
    records: u64,
}

/// Reads all records. An unreadable one is the leftover of the last batch, or damage.
pub(crate) fn read_records(bytes: &[u8]) -> Result<Contents, VaultError> {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    let (mut owners, mut unreadable) = (Vec::new(), Vec::new());
    let mut end = 0;
    for (number, bytes) in records.iter().enumerate() {
        let Some(record) = parse(bytes) else {
            unreadable.push(number as u64);
            continue;
        };
        end = number + 1;
        if record.batch == VOID {
            continue;
        }
        if let Some(damaged) = unreadable.first().filter(|first| record.batch > **first) {
            return Err(VaultError::Damaged { offset: offset(*damaged) });
        }
        owners.push((record.owner, record.key, number as u32));
    }
    unreadable.retain(|number| *number < end as u64);
    Ok(Contents { owners, torn: unreadable, records: end as u64 })
}

pub(crate) fn create<D: Disk>(disk: &D, incarnation: &Incarnation) -> io::Result<()> {
    let partial = format!("{VAULT}.{PARTIAL}");
    let file = disk.create(&partial)?;
    file.write_all_at(&SectorWriter::new(VAULT_MAGIC, incarnation).finish(), 0)?;
    file.sync_data()?;
    disk.rename(&partial, VAULT)?;
    disk.sync_directory("")
}

impl<D: Disk> FileVault<D> {
    pub(crate) fn open(disk: &D, incarnation: &Incarnation, lock: &Arc<D::Lock>) -> Result<Self, OpenError> {
        let fault = || OpenError::fault(VAULT);
        let file = disk.open(VAULT).map_err(fault())?;
        let mut bytes = vec![0; file.size().map_err(fault())? as usize];
        file.read_past_cache(&mut bytes, 0).map_err(fault())?;
        let unreadable =
            |error: SectorError| OpenError::Unreadable { file: VAULT.into(), reason: error.to_string() };
        SectorReader::of(&bytes, VAULT_MAGIC, incarnation).map_err(unreadable)?;
        let contents = read_records(&bytes[SECTOR..])
            .map_err(|error| OpenError::Unreadable { file: VAULT.into(), reason: error.to_string() })?;
        mend(&file, &contents, bytes.len()).map_err(fault())?;
        let file = File { file, records: contents.records, failed: false };
        Ok(Self {
            keys: RwLock::new(Keys::from_records(contents.owners)),
            file: Mutex::new(file),
            _lock: Arc::clone(lock),
        })
    }

    fn file(&self) -> Result<MutexGuard<'_, File<D::File>>, VaultError> {
        let file = self.file.lock().expect("no holder of this lock panics");
        if file.failed {
            return Err(io::Error::other("an earlier write of keys failed: open the journal again").into());
        }
        Ok(file)
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        self.keys.read().expect("no holder of this lock panics")
    }
}

/// Marks torn records and overwrites what is behind the last whole one: it may look blank on the disk
/// and not in the page cache, which would be written with the next batch.
fn mend<F: DiskFile>(file: &F, contents: &Contents, file_bytes: usize) -> io::Result<()> {
    for torn in &contents.torn {
        file.write_all_at(&record(0, &DESTROYED, VOID), offset(*torn))?;
    }
    let end = offset(contents.records);
    file.write_all_at(&vec![0; file_bytes - end as usize], end)?;
    file.sync_data()
}

impl<F: DiskFile> File<F> {
    /// Durable when it returns.
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, at).and_then(|()| self.file.sync_data());
        self.failed = written.is_err();
        written
    }

    fn append(&mut self, keys: &[(u64, [u8; 32])]) -> io::Result<u32> {
        let first = self.records;
        let records: Vec<u8> = keys.iter().flat_map(|(owner, key)| record(*owner, key, first)).collect();
        self.write(&records, offset(first))?;
        self.records += keys.len() as u64;
        Ok(first as u32)
    }
}

impl<D: Disk> Vault for FileVault<D> {
    fn get(&self, owner: u64) -> Option<VaultKey> {
        self.keys().get(owner).map(|kept| kept.key).filter(|key| *key != DESTROYED).map(VaultKey)
    }

    fn all(&self) -> Vec<(u64, Option<VaultKey>)> {
        let key = |key: &[u8; 32]| (*key != DESTROYED).then_some(VaultKey(*key));
        self.keys().iter().map(|(owner, kept)| (owner, key(kept))).collect()
    }

    fn put(&self, keys: &[(u64, VaultKey)]) -> Result<(), VaultError> {
        let mut file = self.file()?;
        let mut fresh: Vec<(u64, [u8; 32])> = Vec::new();
        {
            let kept = self.keys();
            let mut seen = std::collections::BTreeSet::new();
            for (owner, key) in keys {
                if key.0 == DESTROYED {
                    let source = io::Error::new(io::ErrorKind::InvalidInput, "a key of zeros is no key");
                    return Err(source.into());
                }
                if kept.get(*owner).is_none() && seen.insert(*owner) {
                    fresh.push((*owner, key.0));
                }
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let first = file.append(&fresh)?;
        let mut kept = self.keys.write().expect("no holder of this lock panics");
        for (record, (owner, key)) in (first..).zip(fresh) {
            kept.set(owner, key, record);
        }
        Ok(())
    }

    fn destroy(&self, owner: u64) -> Result<(), VaultError> {
        let mut file = self.file()?;
        let record_number = self.keys().get(owner).map(|kept| kept.record);
        let number = match record_number {
            Some(number) => {
                let mut old = [0; RECORD_BYTES];
                file.file.read_exact_at(&mut old, offset(u64::from(number)))?;
                let old = parse(&old).ok_or(VaultError::Damaged { offset: offset(u64::from(number)) })?;
                file.write(&record(owner, &DESTROYED, old.batch), offset(u64::from(number)))?;
                number
            }
            None => file.append(&[(owner, DESTROYED)])?,
        };
        self.keys.write().expect("no holder of this lock panics").set(owner, DESTROYED, number);
        Ok(())
    }
}
