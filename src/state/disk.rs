//! What kind of disk a folder is on.

use rustix::fs::SeekFrom;
use std::fs::File;
use std::path::Path;

/// The kind of network file system that a folder is on, if it is on one.
pub fn network_file_system(folder: &Path) -> Option<&'static str> {
    // Magic numbers of statfs(2).
    match rustix::fs::statfs(folder).ok()?.f_type as u32 {
        0x6969 => Some("NFS"),
        0xFF53_4D42 => Some("CIFS"),
        0xFE53_4D42 | 0x517B => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x5346_414F => Some("AFS"),
        0x00C3_6400 => Some("Ceph"),
        _ => None,
    }
}

/// Whether parts of a file were never written: who sends it gave it its length first, and is not yet done or has given up. Elsewhere
/// than on these file systems a hole may as well be zeros that were written (ZFS makes holes of them), and so tells nothing.
pub fn has_holes(file: &File) -> bool {
    // Magic numbers of statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, tmpfs.
    const TELLING: [u32; 5] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994];
    let is_telling = rustix::fs::fstatfs(file).is_ok_and(|stat| TELLING.contains(&(stat.f_type as u32)));
    let end = file.metadata().map_or(0, |meta| meta.len());
    is_telling && rustix::fs::seek(file, SeekFrom::Hole(0)).is_ok_and(|hole| hole < end)
}

/// Bytes that this user may still write to the file system that a folder is on.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}
