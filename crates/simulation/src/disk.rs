//! A disk in memory that loses power, fails to sync, fills up and rots.
//!
//! | what happens | how it is modelled |
//! |---|---|
//! | write | lands in the page cache (4 KiB pages), perhaps only up to a sector; durable after a sync of its file |
//! | power loss | each unsynced sector (512 B) is lost or kept, in any order; a sector is never torn |
//! | create, rename, remove | durable after a sync of the directory; any of the others may be lost |
//! | failed sync | some sectors arrive; all pages look written from then on and are not written again |
//! | read past the cache | what the device holds, unsynced but unfailed pages written out first |
//!
//! Directories themselves are durable at once.

mod inode;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use journal_file::{Disk, DiskFile, Hold, PastCache};

use self::inode::{Fate, Inode, SECTOR};
use crate::random::Random;

/// Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    machine: Arc<Mutex<Machine>>,
}

pub struct SimFile {
    disk: SimDisk,
    inode: usize,
}

pub struct SimLock {
    disk: SimDisk,
    path: String,
    hold: Hold,
}

struct Machine {
    random: Random,
    inodes: Vec<Inode>,
    directories: BTreeSet<String>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Not covered by a sync of their directory yet, oldest first.
    changes: Vec<NameChange>,
    /// Path to number of holders; exclusive ones count as -1.
    locks: BTreeMap<String, i32>,
    capacity: u64,
    short_writes: bool,
    /// Changing operations until the power goes, and syncs until one fails.
    power_left: Option<u64>,
    syncs_left: Option<u64>,
}

#[derive(Clone)]
enum NameChange {
    Put { name: String, inode: usize },
    Remove { name: String },
    Rename { from: String, to: String, inode: usize },
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Put { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Remove { name } => {
                names.remove(name);
            }
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }

    fn directory(&self) -> &str {
        let (Self::Put { name, .. } | Self::Remove { name } | Self::Rename { to: name, .. }) = self;
        parent(name)
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl Machine {
    fn has_power(&self) -> io::Result<()> {
        if self.power_left == Some(0) { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// Counts one changing operation.
    fn change(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.power_left {
            *left = left.saturating_sub(1);
        }
        self.has_power()
    }

    fn find(&self, path: &str) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename_into(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn free_bytes(&self) -> u64 {
        let used: usize = self.names.values().map(|inode| self.inodes[*inode].cached.len()).sum();
        self.capacity.saturating_sub(used as u64)
    }
}

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        let machine = Machine {
            random: Random::new(seed),
            inodes: Vec::new(),
            directories: BTreeSet::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            locks: BTreeMap::new(),
            capacity: u64::MAX,
            short_writes: false,
            power_left: None,
            syncs_left: None,
        };
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("no holder of this lock panics")
    }

    /// The disk as it is found after the power was lost now. The old one is to be dropped.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        let old = self.machine();
        let mut random = Random::new(seed);
        let mut names = old.durable_names.clone();
        let fate = Fate::draw(&mut random, old.changes.len());
        for (number, change) in old.changes.iter().enumerate() {
            if fate.keeps(number, &mut random) {
                change.apply(&mut names);
            }
        }
        let mut inodes = vec![Inode::default(); old.inodes.len()];
        for inode in names.values() {
            let mut found = old.inodes[*inode].clone();
            found.lose_power(&mut random);
            inodes[*inode] = found;
        }
        let machine = Machine {
            inodes,
            directories: old.directories.clone(),
            durable_names: names.clone(),
            names,
            changes: Vec::new(),
            locks: BTreeMap::new(),
            capacity: old.capacity,
            short_writes: old.short_writes,
            power_left: None,
            syncs_left: None,
            random,
        };
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    /// The power goes at the `operation`-th write, sync or change of a name from now; a write still
    /// reaches the page cache. Every operation fails from then on.
    pub fn power_off_at(&self, operation: u64) {
        self.machine().power_left = Some(operation.max(1));
    }

    /// The `sync`-th sync of a file from now fails.
    pub fn fail_sync_at(&self, sync: u64) {
        self.machine().syncs_left = Some(sync.max(1));
    }

    /// Whatever was to fail does not.
    pub fn repair(&self) {
        let mut machine = self.machine();
        machine.power_left = None;
        machine.syncs_left = None;
    }

    /// Writes may be short or interrupted from now on.
    pub fn set_short_writes(&self, short: bool) {
        self.machine().short_writes = short;
    }

    pub fn set_capacity(&self, bytes: u64) {
        self.machine().capacity = bytes;
    }

    pub fn used_bytes(&self) -> u64 {
        let machine = self.machine();
        machine.capacity - machine.free_bytes()
    }

    /// Turns one bit over, on the device and in the page cache.
    pub fn flip(&self, path: &str, offset: u64, bit: u32) {
        let mut machine = self.machine();
        let inode = machine.find(path).expect("the file to damage is there");
        let inode = &mut machine.inodes[inode];
        inode.cached[offset as usize] ^= 1 << bit;
        inode.durable[offset as usize] ^= 1 << bit;
    }

    /// Makes a stretch of a file zero, on the device and in the page cache.
    pub fn erase(&self, path: &str, offset: u64, length: usize) {
        let mut machine = self.machine();
        let inode = machine.find(path).expect("the file to damage is there");
        let inode = &mut machine.inodes[inode];
        let stretch = offset as usize..offset as usize + length;
        inode.cached[stretch.clone()].fill(0);
        inode.durable[stretch].fill(0);
    }

    /// The files and what they hold, as a reader sees them.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let machine = self.machine();
        let files = machine.names.iter();
        files.map(|(name, inode)| (name.clone(), machine.inodes[*inode].cached.clone())).collect()
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn open(&self, path: &str) -> io::Result<SimFile> {
        let machine = self.machine();
        machine.has_power()?;
        Ok(SimFile { disk: self.clone(), inode: machine.find(path)? })
    }

    fn create(&self, path: &str) -> io::Result<SimFile> {
        let mut machine = self.machine();
        machine.change()?;
        if !machine.directories.contains(parent(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = machine.find(path).unwrap_or(machine.inodes.len());
        if inode == machine.inodes.len() {
            machine.inodes.push(Inode::default());
            machine.rename_into(NameChange::Put { name: path.into(), inode });
        } else {
            machine.inodes[inode].empty();
        }
        Ok(SimFile { disk: self.clone(), inode })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut machine = self.machine();
        machine.change()?;
        let inode = machine.find(from)?;
        machine.rename_into(NameChange::Rename { from: from.into(), to: to.into(), inode });
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut machine = self.machine();
        machine.change()?;
        machine.find(path)?;
        machine.rename_into(NameChange::Remove { name: path.into() });
        Ok(())
    }

    fn create_directory(&self, path: &str) -> io::Result<()> {
        let mut machine = self.machine();
        machine.change()?;
        machine.directories.insert(path.into());
        Ok(())
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let machine = self.machine();
        machine.has_power()?;
        let names = machine.names.keys().filter(|name| parent(name) == directory);
        Ok(names.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect())
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        let mut machine = self.machine();
        machine.change()?;
        let (synced, left) = std::mem::take(&mut machine.changes)
            .into_iter()
            .partition(|change: &NameChange| change.directory() == directory);
        machine.changes = left;
        for change in synced {
            change.apply(&mut machine.durable_names);
        }
        Ok(())
    }

    fn lock(&self, path: &str, hold: Hold) -> io::Result<SimLock> {
        let mut machine = self.machine();
        machine.has_power()?;
        if !machine.directories.contains(parent(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let holders = machine.locks.entry(path.into()).or_default();
        match hold {
            Hold::Exclusive if *holders == 0 => *holders = -1,
            Hold::Shared if *holders >= 0 => *holders += 1,
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        }
        Ok(SimLock { disk: self.clone(), path: path.into(), hold })
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let machine = self.machine();
        machine.has_power()?;
        Ok(machine.free_bytes())
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        if let Some(holders) = self.disk.machine().locks.get_mut(&self.path) {
            *holders -= if self.hold == Hold::Exclusive { -1 } else { 1 };
        }
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        let machine = self.disk.machine();
        machine.has_power()?;
        Ok(machine.inodes[self.inode].cached.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let machine = self.disk.machine();
        machine.has_power()?;
        let rest = machine.inodes[self.inode].cached.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut machine = self.disk.machine();
        machine.has_power()?;
        let powered = machine.change();
        let mut length = bytes.len();
        if machine.short_writes {
            if machine.random.one_in(8) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if machine.random.one_in(3) {
                // Cut between sectors: the kernel copies what lies within a page in one go.
                let end = offset as usize + 1 + machine.random.below(length as u64) as usize;
                length = length.min(end.next_multiple_of(SECTOR) - offset as usize);
            }
        }
        let held = machine.inodes[self.inode].cached.len() as u64;
        let fits = held.saturating_add(machine.free_bytes()).saturating_sub(offset);
        length = length.min(usize::try_from(fits).unwrap_or(usize::MAX));
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        machine.inodes[self.inode].write(&bytes[..length], offset as usize);
        powered.map(|()| length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.change()?;
        let machine = &mut *machine;
        let inode = &mut machine.inodes[self.inode];
        if let Some(left) = &mut machine.syncs_left {
            *left -= 1;
            if *left == 0 {
                machine.syncs_left = None;
                inode.sync_some(&mut machine.random);
                return Err(io::Error::other("the device failed to write"));
            }
        }
        inode.sync();
        Ok(())
    }

    fn read_past_cache(&self, into: &mut [u8], offset: u64) -> io::Result<PastCache> {
        let machine = self.disk.machine();
        machine.has_power()?;
        machine.inodes[self.inode].read_past_cache(into, offset as usize);
        Ok(PastCache::Direct)
    }

    fn drop_cached(&self) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.has_power()?;
        machine.inodes[self.inode].drop_cached();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
