//! No path out of the folders: names from outside, links that others have planted, `..`.

use crate::films::small_png;
use crate::sandbox::{Sandbox, names_in, words};
use kellgrend::digest::Digest;
use kellgrend::ensemble::Release;
use kellgrend::labels::LabelFolder;
use kellgrend::ledger::Ledger;
use kellgrend::networks::weights::Weights;
use kellgrend::state::{Held, copy_beside, create_anew, make_unlinked_folder, open_regular, replace};
use kellgrend::training::run::Run;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;
use tempfile::{TempDir, tempdir};

/// What a planted link leads to.
const PRECIOUS: &[u8] = b"the ledger, or a key";

/// A folder, and something precious that lies outside of it.
fn beside_something_precious() -> (TempDir, std::path::PathBuf, std::path::PathBuf) {
    let all = tempdir().expect("a folder");
    let (folder, precious) = (all.path().join("folder"), all.path().join("precious"));
    fs::create_dir(&folder).expect("made");
    fs::write(&precious, PRECIOUS).expect("written");
    (all, folder, precious)
}

fn untouched(precious: &Path) -> bool {
    fs::read(precious).expect("still there") == PRECIOUS
}

#[test]
fn only_regular_files_are_opened_and_only_folders_are_folders() {
    let (_all, folder, precious) = beside_something_precious();
    let (link, pipe) = (folder.join("link"), folder.join("pipe"));
    symlink(&precious, &link).expect("linked");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).expect("made");
    for path in [&link, &pipe, &folder] {
        assert!(open_regular(path).is_err(), "{}", path.display());
    }
    let mut read = Vec::new();
    open_regular(&precious).and_then(|mut file| file.read_to_end(&mut read)).expect("a regular file");
    assert_eq!(read, PRECIOUS);

    let elsewhere = folder.join("elsewhere");
    symlink(folder.parent().expect("a parent"), &elsewhere).expect("linked");
    assert!(make_unlinked_folder(&elsewhere).is_err() && make_unlinked_folder(&pipe).is_err());
    make_unlinked_folder(&folder.join("new"))
        .and_then(|()| make_unlinked_folder(&folder.join("new")))
        .expect("made once, there twice");
}

#[test]
fn what_is_written_replaces_a_planted_link_and_never_follows_it() {
    let (_all, folder, precious) = beside_something_precious();
    let file = folder.join("file");
    let write: [fn(&Path) -> std::io::Result<()>; 2] =
        [|path| replace(path, b"new"), |path| create_anew(path)?.write_all(b"new")];
    for write in write {
        let _gone = fs::remove_file(&file);
        symlink(&precious, &file).expect("linked");
        write(&file).expect("written");
        assert_eq!(fs::read(&file).expect("there"), b"new");
        assert!(fs::symlink_metadata(&file).expect("there").is_file() && untouched(&precious));
    }

    // what moving a file across file systems does first
    let film = folder.join("film");
    fs::write(&film, "film").expect("written");
    symlink(&precious, folder.join("kept.partial")).expect("linked");
    let copy = copy_beside(&film, &folder.join("kept.dcm")).expect("copied");
    assert_eq!(fs::read(copy).expect("there"), b"film");
    assert!(untouched(&precious));
    let link = folder.join("link");
    symlink(&precious, &link).expect("linked");
    assert!(copy_beside(&link, &folder.join("other.dcm")).is_err(), "a link is no film");
    assert!(!folder.join("other.partial").exists(), "and leaves nothing behind");
}

/// One look into a folder of lists.
fn look(folder: &Path, ledger: &Ledger) {
    LabelFolder::new(folder.to_owned(), ledger.clone(), Duration::ZERO).look();
}

/// Who may drop lists may plant links too: neither a list nor the reason of its refusal is put where one of them leads.
#[test]
fn a_link_planted_among_lists_of_labels_leads_nowhere() {
    let (all, folder, precious) = beside_something_precious();
    let ledger = Ledger::open(&all.path().join("ledger.db")).expect("a ledger");
    let bad = b"no,such,columns\n";
    let digest = Digest::of(bad);
    fs::create_dir(folder.join("refused")).expect("made");
    for ending in ["txt", "csv", "partial"] {
        symlink(&precious, folder.join(format!("refused/{digest}.{ending}"))).expect("linked");
    }
    fs::write(folder.join("list.csv"), bad).expect("written");
    look(&folder, &ledger);
    assert!(untouched(&precious));
    assert_eq!(fs::read(folder.join(format!("refused/{digest}.csv"))).expect("put aside"), bad);
    let reason = fs::read_to_string(folder.join(format!("refused/{digest}.txt"))).expect("a reason");
    assert!(reason.contains("header"), "{reason}");

    // the folders themselves are links: the lists stay
    let outside = all.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::remove_dir_all(folder.join("refused")).expect("removed");
    for name in ["refused", "taken"] {
        symlink(&outside, folder.join(name)).expect("linked");
    }
    fs::write(folder.join("bad.csv"), bad).expect("written");
    fs::write(folder.join("good.csv"), format!("sha256,grade,reader\n{digest},1,A\n")).expect("written");
    look(&folder, &ledger);
    assert_eq!(names_in(&outside), [] as [std::path::PathBuf; 0]);
    assert!(folder.join("bad.csv").exists() && folder.join("good.csv").exists());
}

#[test]
fn a_list_that_is_too_large_is_not_read_to_its_end() {
    let (all, folder, _) = beside_something_precious();
    let ledger = Ledger::open(&all.path().join("ledger.db")).expect("a ledger");
    // of a terabyte nothing is on disk, and reading it would take an hour
    let huge = fs::File::create(folder.join("huge.csv")).expect("made");
    huge.set_len(1 << 40).expect("sparse files");
    look(&folder, &ledger);
    let left: Vec<_> = names_in(&folder.join("refused"));
    assert_eq!(left.len(), 2, "the list and the reason: {left:?}");
    assert!(fs::read_to_string(&left[1]).expect("a reason").contains("larger than 16 MiB"));
}

#[test]
fn names_of_releases_and_runs_lead_nowhere_else() {
    let sandbox = Sandbox::new();
    assert!(sandbox.output(&["models", "list"]).status.success());
    let models = sandbox.state().join("models");
    // what the names would lead to is there, and sound
    fs::create_dir(sandbox.beside("other")).expect("made");
    for name in ["release.toml", "shufflenet_v2_x2_0.safetensors"] {
        fs::copy(models.join("starter").join(name), sandbox.beside("other").join(name)).expect("copied");
    }
    assert!(Release::named(&models, "starter").is_ok() && Release::open(&models.join("../../other")).is_ok());
    let film = sandbox.beside("a.png");
    fs::write(&film, small_png(1)).expect("written");
    let film = film.to_str().expect("UTF-8");
    let absolute = sandbox.beside("other");
    for name in ["../../other", "../models/starter", ".", "", absolute.to_str().expect("UTF-8")] {
        assert!(Release::named(&models, name).is_err() && Run::open(&models, name).is_err(), "{name:?}");
        for args in [
            vec!["models", "show", name],
            vec!["models", "promote", name],
            vec!["models", "verify", name],
            vec!["train", "--run", name],
            vec!["retry", "../inbox/a"],
            vec!["grade", film, "--release", if name.is_empty() { ".." } else { name }],
        ] {
            let output = sandbox.output(&args);
            assert!(!output.status.success(), "{args:?}: {}", words(&output));
        }
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 0);
}

/// A state_dict is an archive that is read where it is: its entries' names become no files.
#[test]
fn names_in_an_archive_of_weights_are_only_names() {
    for root in ["..", "../../evil", "/tmp/evil", "archive"] {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, bytes) in [("data.pkl", &b"\x80\x02}."[..]), ("data/../../../evil", b"x"), ("data/0", b"x")] {
            archive.start_file(format!("{root}/{name}"), stored).expect("an entry");
            archive.write_all(bytes).expect("written");
        }
        let bytes = archive.finish().expect("an archive").into_inner();
        let error = Weights::from_bytes(bytes).err().expect("refused").to_string();
        assert!(error.contains("no data.pkl") || error.contains("no tensor"), "{root}: {error}");
    }
    assert!(!Path::new("/tmp/evil").exists() && !Path::new("evil").exists());
}

#[test]
fn a_folder_that_is_held_is_not_left_through_a_link() {
    let (all, folder, _precious) = beside_something_precious();
    fs::create_dir_all(folder.join("a/b")).expect("made");
    fs::write(folder.join("a/b/film"), "a film").expect("written");
    fs::create_dir(all.path().join("b")).expect("made");
    fs::write(all.path().join("b/film"), PRECIOUS).expect("written");
    let held = Held::below(&folder, Path::new("a/b")).expect("held");
    // somebody is quick
    fs::rename(folder.join("a"), folder.join("aside")).expect("moved");
    symlink(all.path(), folder.join("a")).expect("linked");
    assert_eq!(fs::read(held.file("film".as_ref())).expect("read"), b"a film");
    fs::rename(held.file("film".as_ref()), folder.join("out")).expect("moved");
    assert!(folder.join("out").exists() && !folder.join("aside/b/film").exists());
    for inside in ["a/b", "a", "../folder", "aside/../aside"] {
        assert!(Held::below(&folder, Path::new(inside)).is_err(), "{inside}");
    }
}
