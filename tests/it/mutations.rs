//! What comes from outside, changed at random: any answer will do, a panic will not. From one beginning, so that each run of the
//! tests asks the same; `fuzz/` goes on without end. Films are changed in `radiograph/mutations.rs`.

use crate::films::small_png;
use crate::hostile;
use crate::radiograph::samples;
use kellgrend::config::Settings;
use kellgrend::decoding::{Decoded, answer};
use kellgrend::digest::Digest;
use kellgrend::ensemble::{Release, starter};
use kellgrend::labels::read;
use kellgrend::networks::weights::Weights;
use kellgrend::phantom::{Coding, Knees, Subject, bilateral, dicom};
use kellgrend::radiograph::{Format, Limits};
use kellgrend::side::Side;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use std::path::{Component, Path};
use std::sync::LazyLock;

/// So many cases, always the same ones.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(0x6b6c), ..ProptestConfig::default() }
}

/// What happens to the bytes at a place.
#[derive(Clone, Debug)]
enum Change {
    Set(u8),
    Insert(Vec<u8>),
    /// Words that mean something to a parser.
    Say(&'static str),
    Remove(usize),
    /// So many bytes from there once more.
    Repeat(usize),
    Cut,
}

const WORDS: [&str; 16] = [
    "[",
    "]",
    "\"",
    "\"\"\"",
    "=",
    ",",
    ";",
    "\n",
    "\r\n",
    "\u{feff}",
    "-1",
    "1e999",
    "nan",
    "99999999999999999999",
    "..",
    "\0",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any::<u8>().prop_map(Change::Set),
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Change::Insert),
        2 => prop::sample::select(&WORDS[..]).prop_map(Change::Say),
        1 => (1usize..40).prop_map(Change::Remove),
        1 => (1usize..200).prop_map(Change::Repeat),
        1 => Just(Change::Cut),
    ]
}

/// One of the seeds after some changes.
fn changed(seeds: &'static [Vec<u8>]) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<Index>(), change()), 1..6);
    (prop::sample::select(seeds), changes).prop_map(|(mut bytes, changes)| {
        for (at, change) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let end = |length: usize| (at + length).min(bytes.len());
            match change {
                Change::Set(value) => bytes[at] = value,
                Change::Insert(more) => drop(bytes.splice(at..at, more)),
                Change::Say(word) => drop(bytes.splice(at..at, word.bytes())),
                Change::Remove(length) => drop(bytes.drain(at..end(length))),
                Change::Repeat(length) => {
                    let again = bytes[at..end(length)].to_vec();
                    drop(bytes.splice(at..at, again));
                }
                Change::Cut => bytes.truncate(at),
            }
        }
        bytes
    })
}

static LISTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let sha = Digest::of(b"x");
    let lists = [
        format!("sha256,side,grade,reader,date,settles\n{sha},left,3,\"Dr. A; B\",2026-01-31,0\n{sha},r,KL 2,C,,1\n"),
        format!("\u{feff}sep=;\r\nSHA256;Grade;Comment;;reader\r\n{sha}; 3.0 ;\"why\r\nnot\";;A\r\n;;;;\r\n"),
        "sop_instance_uid\tkl_grade\treader\n1.2.840.99\t0\tA\n".to_owned(),
    ];
    lists.map(String::into_bytes).into()
});

static SETTINGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let adjusted =
        "[training]\nschedule = \"0 22 * * 5\"\n[training.adjust]\nepochs = 3\naugmentation = { rotation = 5.0 }\n";
    vec![Settings::default().to_toml().into_bytes(), adjusted.as_bytes().to_vec()]
});

static MANIFESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let starter = starter::install(folder.path()).expect("the starter");
    let more = "[review]\nthreshold = 0.5\ncoverage = 0.9\n";
    [starter.manifest().to_owned(), format!("{}{more}", starter.manifest())].map(String::into_bytes).into()
});

/// What a decoder says of a film with two knees, of one with a knee, and of one that it refuses.
static ANSWERS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let both = dicom(&bilateral(2, 0.2, 0.8), &Subject::new(2, Knees::Both), Coding::ImplicitLittleEndian);
    let films = [both.expect("DICOM"), small_png(1), b"no film".to_vec()];
    let answer = |film: &Vec<u8>| {
        let mut answer = Vec::new();
        let decoded = Decoded::read(film, &Limits { max_side: 96, ..Limits::default() }, Side::Left);
        answer::write(&mut answer, decoded).expect("written");
        answer
    };
    films.iter().map(answer).collect()
});

/// Every format of a state_dict, and what some of them may hold.
static STATE_DICTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state_dicts");
    let entries = std::fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending != "py")).collect();
    files.sort();
    let mut files: Vec<_> = files.iter().map(|path| std::fs::read(path).expect("a fixture")).collect();
    let sound = files.iter().find_map(|bytes| Weights::from_bytes(bytes.clone()).ok()?.to_safetensors().ok());
    files.push(sound.expect("one of them is sound"));
    files
});

proptest! {
    #![proptest_config(cases(5000))]

    #[test]
    fn a_changed_list_of_labels_is_read_or_refused(bytes in changed(&LISTS)) {
        match read(&bytes, None, None) {
            Ok(labels) => prop_assert!(!labels.is_empty() && labels.iter().all(|label| !label.reader.is_empty())),
            Err(error) => prop_assert!(error.to_string().len() < 400),
        }
    }

    #[test]
    fn changed_settings_are_valid_or_refused(bytes in changed(&SETTINGS)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(settings) = Settings::parse(&text, Path::new("kellgrend.toml")) {
            // what is valid can be written down, and is valid then
            let again = Settings::parse(&settings.to_toml(), Path::new("kellgrend.toml"));
            prop_assert_eq!(again.expect("valid").to_toml(), settings.to_toml());
        }
    }

    #[test]
    fn a_changed_answer_of_a_decoder_is_held_against_the_limits(bytes in changed(&ANSWERS)) {
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        match answer::read(&mut &*bytes, 1, &limits) {
            Ok(Ok(decoded)) => {
                let pixels: usize = decoded.crops.iter().map(|crop| crop.as_raw().len()).sum();
                prop_assert!(!decoded.crops.is_empty() && decoded.sides.len() == decoded.crops.len());
                prop_assert!(pixels <= bytes.len() && pixels as u64 <= limits.max_pixels);
            }
            Ok(Err(refused)) => prop_assert!(refused.reason.chars().count() <= 500),
            Err(_) => {}
        }
    }

    #[test]
    fn a_changed_state_dict_is_read_or_refused(bytes in changed(&STATE_DICTS)) {
        let Ok(weights) = Weights::from_bytes(bytes) else { return Ok(()) };
        for (name, shape) in weights.names() {
            if let Ok(values) = weights.values(name) {
                prop_assert_eq!(values.len(), shape.iter().product::<usize>());
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Whatever is made of it: its members' files lie beside it.
    #[test]
    fn a_changed_manifest_is_read_or_refused(bytes in changed(&MANIFESTS)) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("release.toml"), &bytes).expect("written");
        match Release::open(folder.path()) {
            Ok(release) => {
                for member in release.members() {
                    let parts: Vec<_> = Path::new(&member.entry().file).components().collect();
                    prop_assert!(matches!(parts[..], [Component::Normal(_)]), "{parts:?}");
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("release.toml")),
        }
    }
}

/// `fuzz/` begins from the same seeds, from a film of every coding, and from the hostile files that are small.
#[test]
#[ignore = "writes fuzz/corpus"]
fn seeds_for_fuzzing() {
    let hostile = hostile::files().into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 1 << 16);
    let films = samples::all().into_iter().map(|(_, bytes)| bytes).chain([small_png(1)]).chain(hostile);
    let films = films.filter(|bytes| Format::sniff(bytes).is_some());
    let (dicom, rasters): (Vec<_>, Vec<_>) = films.partition(|bytes| Format::sniff(bytes) == Some(Format::Dicom));
    let (labels, settings, state_dict, release) = (&*LISTS, &*SETTINGS, &*STATE_DICTS, &*MANIFESTS);
    for (target, seeds) in [
        ("dicom", &dicom),
        ("raster", &rasters),
        ("answer", &ANSWERS),
        ("labels", labels),
        ("settings", settings),
        ("state_dict", state_dict),
        ("release", release),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&folder).expect("made");
        for seed in seeds {
            std::fs::write(folder.join(Digest::of(seed).short()), seed).expect("written");
        }
    }
}
