use kellgrend::outbox::publish::{PublishError, publish, sweep};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

fn files(of: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    of.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// All names in a folder, hidden ones too, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_result_appears_whole() {
    let outbox = tempfile::tempdir().unwrap();
    let place = publish(outbox.path(), "film", &files(&[("result.json", "{}"), ("knee.png", "png")])).unwrap();
    assert_eq!(place, outbox.path().join("film"));
    assert_eq!(names(outbox.path()), ["film"]);
    assert_eq!(names(&place), ["knee.png", "result.json"]);
    assert_eq!(fs::read_to_string(place.join("knee.png")).unwrap(), "png");
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o500, 0o500);
    let plain = outbox.path().join("plain");
    fs::create_dir(&plain).unwrap();
    assert_eq!(mode, fs::metadata(&plain).unwrap().permissions().mode(), "readable as any folder made here");
}

#[test]
fn the_same_again_changes_nothing() {
    let outbox = tempfile::tempdir().unwrap();
    let result = files(&[("result.json", "{}"), ("knee.png", "png")]);
    let place = publish(outbox.path(), "film", &result).unwrap();
    let before = fs::metadata(&place).unwrap();
    assert_eq!(publish(outbox.path(), "film", &result).unwrap(), place);
    let after = fs::metadata(&place).unwrap();
    assert_eq!((before.ino(), before.modified().unwrap()), (after.ino(), after.modified().unwrap()));
    assert_eq!(names(outbox.path()), ["film"]);
}

#[test]
fn other_content_takes_the_place_of_the_old() {
    let old = files(&[("result.json", "{}"), ("knee.png", "old")]);
    for new in [
        files(&[("result.json", "{}"), ("knee.png", "new")]),
        files(&[("result.json", "{}")]),
        files(&[("result.json", "{}"), ("knee.png", "old"), ("more.png", "more")]),
    ] {
        let outbox = tempfile::tempdir().unwrap();
        publish(outbox.path(), "film", &old).unwrap();
        let place = publish(outbox.path(), "film", &new).unwrap();
        assert_eq!(names(outbox.path()), ["film"], "the old result is still about");
        assert_eq!(names(&place).len(), new.len());
        for (name, bytes) in new {
            assert_eq!(fs::read(place.join(name)).unwrap(), bytes);
        }
    }
}

#[test]
fn a_reader_never_misses_a_result_that_is_being_replaced() {
    let outbox = tempfile::tempdir().unwrap();
    let contents = ["a".repeat(5000), "b".repeat(9000)];
    publish(outbox.path(), "film", &files(&[("result.json", &contents[0])])).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let text = fs::read_to_string(outbox.path().join("film/result.json")).unwrap();
                assert!(contents.contains(&text), "a torn result of {} bytes", text.len());
                reads += 1;
            }
            reads
        });
        for round in 1..=60 {
            publish(outbox.path(), "film", &files(&[("result.json", &contents[round % 2])])).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn a_fault_leaves_nothing_behind() {
    let outbox = tempfile::tempdir().unwrap();
    // the second file cannot be made: its name is taken by the first
    let error = publish(outbox.path(), "film", &files(&[("result.json", "1"), ("result.json", "2")])).unwrap_err();
    assert!(matches!(&error, PublishError::Io { path, .. } if path.ends_with("result.json")), "{error}");
    assert_eq!(names(outbox.path()), [] as [&str; 0]);

    // and a result that is already there outlives the fault
    publish(outbox.path(), "film", &files(&[("result.json", "1")])).unwrap();
    publish(outbox.path(), "film", &files(&[("result.json", "3"), ("result.json", "2")])).unwrap_err();
    assert_eq!(names(outbox.path()), ["film"]);
    assert_eq!(fs::read_to_string(outbox.path().join("film/result.json")).unwrap(), "1");
}

#[test]
fn an_outbox_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // An absent outbox is made; neither a file nor a place below one can be an outbox.
    for outbox in [file.join("below"), file] {
        let error = publish(&outbox, "film", &files(&[("result.json", "{}")])).unwrap_err().to_string();
        assert!(error.contains(outbox.to_str().unwrap()) && error.contains("Check that"), "{error}");
        assert!(sweep(&outbox).unwrap_err().to_string().contains(outbox.to_str().unwrap()));
    }
}

#[test]
fn names_that_leave_the_outbox_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    fs::create_dir(&outbox).unwrap();
    for name in ["", ".", "..", "../film", "a/b", "/film", ".hidden", "a\0b"] {
        let film = files(&[("result.json", "{}")]);
        assert!(matches!(publish(&outbox, name, &film), Err(PublishError::Name(wrong)) if wrong == name));
        assert!(matches!(publish(&outbox, "film", &files(&[(name, "{}")])), Err(PublishError::Name(_))));
    }
    assert!(matches!(publish(&outbox, "film", &[]), Err(PublishError::Empty(_))));
    assert_eq!((names(folder.path()), names(&outbox)), (vec!["outbox".to_owned()], vec![]));
}

#[test]
fn rubble_of_a_crash_is_swept_and_nothing_else() {
    let outbox = tempfile::tempdir().unwrap();
    publish(outbox.path(), "film", &files(&[("result.json", "{}")])).unwrap();
    for kept in [".hidden", "film.tmp-kept"] {
        fs::create_dir(outbox.path().join(kept)).unwrap();
    }
    for stale in [".film.tmp-aB3dE9", ".other.tmp-x"] {
        fs::create_dir(outbox.path().join(stale)).unwrap();
        fs::write(outbox.path().join(stale).join("result.json"), "half").unwrap();
    }
    assert_eq!(sweep(outbox.path()).unwrap(), 2);
    assert_eq!(names(outbox.path()), [".hidden", "film", "film.tmp-kept"]);
    assert_eq!(sweep(outbox.path()).unwrap(), 0);
}
