//! A small file system of a test's own, which somebody else can fill.

use crate::sandbox::Sandbox;
use kellgrend::state::free_bytes;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

/// It is unmounted at the end, however the test ends.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Under a sandbox's state folder. None, and a word of it, where nothing can be mounted.
    pub fn below(sandbox: &Sandbox, mebibytes: u32) -> Option<Self> {
        let disk = Self::at(sandbox.state(), mebibytes)?;
        fs::create_dir(disk.0.join("inbox")).expect("an inbox");
        Some(disk)
    }

    /// In a folder's place, as `below`.
    pub fn at(folder: PathBuf, mebibytes: u32) -> Option<Self> {
        let mount = ["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"];
        let mount = Command::new("mount").args(mount).arg(&folder).output();
        if !mount.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: a file system of {mebibytes} MiB cannot be mounted here");
            return None;
        }
        Some(Self(folder))
    }

    /// Somebody else takes all that is free but for so many bytes, or gives back what is missing to that.
    pub fn fill_but_for(&self, bytes: u64) {
        let free = free_bytes(&self.0).expect("known");
        let mut filler = File::options().create(true).append(true).open(self.filler()).expect("opened");
        if free < bytes {
            let len = filler.metadata().expect("a size").len();
            return filler.set_len(len.saturating_sub(bytes - free)).expect("given back");
        }
        match filler.write_all(&vec![0; (free - bytes) as usize]) {
            // the program under test writes meanwhile
            Err(error) if error.kind() == ErrorKind::StorageFull => {}
            written => written.expect("written"),
        }
    }

    pub fn give_back(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Read-only (`ro`), or not (`rw`); as soon as nobody is writing to a file.
    pub fn remount(&self, how: &str) {
        let mount = || Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).output();
        let tries = std::iter::repeat_with(mount).take(1000);
        assert!(tries.flatten().any(|output| output.status.success()), "it cannot be remounted {how}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
