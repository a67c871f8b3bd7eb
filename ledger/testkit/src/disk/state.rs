//! Files and names, visible and durable.

use super::plan::{Fault, FaultKind, OperationNumber, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

const BLOCK: usize = 4096;

/// Names a file's content, whatever its name.
pub(super) type Inode = u64;

#[derive(Debug, Clone, Default)]
struct Content {
    visible: Vec<u8>,
    durable: Vec<u8>,
    /// Blocks that differ, or may differ, and that a sync would write.
    dirty: BTreeSet<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    files: BTreeMap<Inode, Content>,
    names: BTreeMap<String, Inode>,
    durable_names: BTreeMap<String, Inode>,
    locks: BTreeSet<String>,
    next_inode: Inode,
    pub(super) operations: OperationNumber,
    pub(super) plan: Vec<Fault>,
    pub(super) dead: bool,
}

impl State {
    /// The machine starts again: no locks, no plans, everything usable.
    pub(super) fn restart(&mut self) {
        self.locks.clear();
        self.plan.clear();
        self.dead = false;
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        if self.dead {
            return Err(io::Error::other("the process has ended"));
        }
        Ok(())
    }

    /// What is planned for the next operation.
    pub(super) fn next_fault(&self) -> Option<FaultKind> {
        let planned = self.plan.iter().find(|fault| fault.at == self.operations);
        planned.filter(|_| !self.dead).map(|fault| fault.kind)
    }

    /// Counts an operation and says what becomes of it.
    pub(super) fn verdict(&mut self) -> io::Result<Verdict> {
        self.alive()?;
        let kind = self.next_fault();
        self.operations = OperationNumber(self.operations.0 + 1);
        if kind == Some(FaultKind::Killed) {
            self.dead = true;
        }
        Ok(kind.map_or(Verdict::Act, FaultKind::verdict))
    }

    /// Power loss: `keep` decides for each dirty block and changed name.
    pub(super) fn drop_unsynced(&mut self, keep: &mut dyn FnMut(()) -> bool) {
        let changed: BTreeSet<String> = self
            .names
            .keys()
            .chain(self.durable_names.keys())
            .filter(|name| self.names.get(*name) != self.durable_names.get(*name))
            .cloned()
            .collect();
        for name in changed {
            if keep(()) {
                match self.names.get(&name) {
                    Some(inode) => self.durable_names.insert(name, *inode),
                    None => self.durable_names.remove(&name),
                };
            }
        }
        self.names = self.durable_names.clone();
        for content in self.files.values_mut() {
            for block in std::mem::take(&mut content.dirty) {
                if keep(()) {
                    content.persist(block);
                }
            }
            content.visible = content.durable.clone();
        }
    }

    pub(super) fn create(&mut self, path: &str) -> Inode {
        // Emptying an existing file and making a new one under its name differ only in what
        // power loss leaves; the log never creates over a name that matters.
        let inode = self.next_inode;
        self.next_inode += 1;
        self.files.insert(inode, Content::default());
        self.names.insert(path.to_owned(), inode);
        inode
    }

    pub(super) fn open(&self, path: &str) -> io::Result<Inode> {
        self.alive()?;
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), inode);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        let removed = self.names.remove(path);
        removed.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    pub(super) fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.alive()?;
        let inside = |path: &String| {
            let name = path.strip_prefix(directory)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| name.to_owned())
        };
        Ok(self.names.keys().filter_map(inside).collect())
    }

    pub(super) fn sync_dir(&mut self, directory: &str) {
        let inside = |path: &str| {
            let parent = path.rsplit_once('/').map_or(".", |(parent, _)| parent);
            parent == directory
        };
        self.durable_names.retain(|path, _| !inside(path));
        for (path, inode) in &self.names {
            if inside(path) {
                self.durable_names.insert(path.clone(), *inode);
            }
        }
    }

    pub(super) fn sync_parent(&mut self, path: &str) {
        self.sync_dir(path.rsplit_once('/').map_or(".", |(parent, _)| parent));
    }

    pub(super) fn lock(&mut self, path: &str) -> io::Result<bool> {
        self.alive()?;
        Ok(self.locks.insert(path.to_owned()))
    }

    pub(super) fn unlock(&mut self, path: &str) {
        self.locks.remove(path);
    }

    pub(super) fn length(&self, inode: Inode) -> io::Result<usize> {
        self.alive()?;
        Ok(self.file(inode)?.visible.len())
    }

    pub(super) fn read(&self, inode: Inode, buffer: &mut [u8], offset: usize) -> io::Result<()> {
        self.alive()?;
        let content = &self.file(inode)?.visible;
        let bytes = content
            .get(offset..offset + buffer.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn write(&mut self, inode: Inode, bytes: &[u8], offset: usize) -> io::Result<()> {
        let file = self.file_mut(inode)?;
        let end = offset + bytes.len();
        if file.visible.len() < end {
            file.visible.resize(end, 0);
        }
        if let Some(slot) = file.visible.get_mut(offset..end) {
            slot.copy_from_slice(bytes);
        }
        file.dirty.extend(offset / BLOCK..end.div_ceil(BLOCK));
        Ok(())
    }

    pub(super) fn sync(&mut self, inode: Inode) -> io::Result<()> {
        let file = self.file_mut(inode)?;
        for block in std::mem::take(&mut file.dirty) {
            file.persist(block);
        }
        Ok(())
    }

    /// What a failed sync leaves on some kernels: clean pages that are nowhere else.
    pub(super) fn pretend_synced(&mut self, inode: Inode) {
        if let Ok(file) = self.file_mut(inode) {
            file.dirty.clear();
        }
    }

    pub(super) fn change(
        &mut self,
        path: &str,
        edit: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let inode = self.open(path)?;
        let file = self.file_mut(inode)?;
        edit(&mut file.visible)?;
        file.durable = file.visible.clone();
        file.dirty.clear();
        Ok(())
    }

    pub(super) fn content(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(self.file(self.open(path)?)?.visible.clone())
    }

    pub(super) fn files(&self) -> Vec<(String, usize)> {
        let length = |inode| self.files.get(inode).map_or(0, |file| file.visible.len());
        self.names
            .iter()
            .map(|(name, inode)| (name.clone(), length(inode)))
            .collect()
    }

    fn file(&self, inode: Inode) -> io::Result<&Content> {
        self.files
            .get(&inode)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file_mut(&mut self, inode: Inode) -> io::Result<&mut Content> {
        self.files
            .get_mut(&inode)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Content {
    /// One block reaches the medium; the file is at least that long from then on.
    fn persist(&mut self, block: usize) {
        let start = block * BLOCK;
        let end = (start + BLOCK).min(self.visible.len());
        let Some(bytes) = self.visible.get(start..end) else {
            return;
        };
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        if let Some(slot) = self.durable.get_mut(start..end) {
            slot.copy_from_slice(bytes);
        }
    }
}
