//! What a disk still has after the power was lost: file contents as they were last synced, names as their folder was last synced,
//! and nothing else. A rename is one change, durable in both folders once one of them is synced, and so is what was changed before it,
//! as wherever there is a journal. Real file systems keep more; none that has a journal may keep less.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file or folder, whatever its name is now; inode numbers are used again, births are not.
type Id = (u64, Option<SystemTime>);

fn id(meta: &Metadata) -> Id {
    (meta.ino(), meta.created().ok())
}

#[derive(Clone)]
struct Entry {
    id: Id,
    is_folder: bool,
    permissions: Permissions,
}

/// What a folder has now.
fn entries(folder: &Path) -> BTreeMap<OsString, Entry> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().filter_map(|entry| {
        let meta = entry.metadata().ok()?;
        let kept = Entry { id: id(&meta), is_folder: meta.is_dir(), permissions: meta.permissions() };
        Some((entry.file_name(), kept))
    });
    entries.collect()
}

/// The durable part of a folder and all below it.
pub struct Disk {
    path: PathBuf,
    root: Id,
    folders: HashMap<Id, BTreeMap<OsString, Entry>>,
    files: HashMap<Id, Vec<u8>>,
}

impl Disk {
    /// All that is there has been synced long ago.
    pub fn of(path: &Path) -> Self {
        let root = id(&fs::metadata(path).expect("a folder"));
        let mut disk = Self { path: path.to_owned(), root, folders: HashMap::new(), files: HashMap::new() };
        disk.sync_all(path);
        disk
    }

    fn sync_all(&mut self, path: &Path) {
        self.sync(path);
        if path.is_dir() {
            for entry in fs::read_dir(path).expect("a folder").flatten() {
                self.sync_all(&entry.path());
            }
        }
    }

    /// `fsync` of a file or a folder.
    pub fn sync(&mut self, path: &Path) {
        let Ok(meta) = fs::metadata(path) else { return };
        if meta.is_dir() {
            let entries = entries(path);
            let before = self.folders.insert(id(&meta), entries.clone()).unwrap_or_default();
            let is_there = |gone: &Entry| entries.values().any(|entry| entry.id == gone.id);
            for gone in before.into_values().filter(|gone| !is_there(gone)) {
                let root = self.path.clone();
                self.moved(gone.id, &root);
            }
        } else {
            self.files.insert(id(&meta), fs::read(path).expect("a file"));
        }
    }

    /// What has left a folder is durable where it is now, if it is below this one, with the names that are there by now: journals are
    /// written in order. What has left that folder meanwhile is durable where it went, too.
    fn moved(&mut self, what: Id, folder: &Path) {
        if !folder.is_dir() {
            return;
        }
        let entries = entries(folder);
        for (name, _) in entries.iter().filter(|(_, entry)| entry.is_folder) {
            self.moved(what, &folder.join(name));
        }
        if entries.values().any(|entry| entry.id == what) {
            self.sync(folder);
        }
    }

    /// What is found when the power is back.
    pub fn restore(&self, to: &Path) {
        self.restore_folder(self.root, to);
    }

    fn restore_folder(&self, folder: Id, to: &Path) {
        fs::create_dir_all(to).expect("made");
        for (name, entry) in self.folders.get(&folder).into_iter().flatten() {
            let path = to.join(name);
            if entry.is_folder {
                self.restore_folder(entry.id, &path);
            } else {
                // a name whose content was never synced: an empty file
                fs::write(&path, self.files.get(&entry.id).map_or(&[][..], Vec::as_slice)).expect("written");
            }
            fs::set_permissions(&path, entry.permissions.clone()).expect("as they were");
        }
    }
}

/// A file that moves on while another one's move becomes durable is somewhere all the same.
#[test]
fn what_moves_meanwhile_is_not_forgotten() {
    let now = tempfile::tempdir().expect("a folder");
    let then = tempfile::tempdir().expect("a folder");
    let at = |path: &str| now.path().join(path);
    for folder in ["inbox", "quarantine", "work"] {
        fs::create_dir(at(folder)).expect("made");
    }
    fs::write(at("inbox/a"), "a").expect("written");
    fs::write(at("work/b"), "b").expect("written");
    let mut disk = Disk::of(now.path());
    fs::rename(at("work/b"), at("quarantine/b")).expect("moved");
    fs::rename(at("inbox/a"), at("work/a")).expect("moved");
    disk.sync(&at("inbox"));
    disk.restore(then.path());
    assert!(then.path().join("work/a").exists() && then.path().join("quarantine/b").exists());
}
