//! Decoding apart: the same answers as in one process, and what a hostile file or a decoder that was taken over can do.

use crate::radiograph::samples;
use crate::sandbox::{Sandbox, decoders};
use image::{GrayImage, ImageFormat};
use kellgrend::decoding::{Budget, DecodeError, Decoded, Decoders};
use kellgrend::radiograph::{Laterality, Limits};
use kellgrend::side::Side;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const BUDGET: Budget = Budget {
    limits: Limits { max_bytes: 1 << 26, max_pixels: 1 << 26, max_side: 1 << 14 },
    memory: 1 << 30,
    time: Duration::from_secs(60),
};

fn with(budget: Budget) -> Decoders {
    Decoders::new(env!("CARGO_BIN_EXE_kellgrend-decode").into(), budget)
}

/// The stable word of a refusal.
fn code(outcome: Result<Decoded, DecodeError>) -> &'static str {
    match outcome {
        Ok(_) => "decoded",
        Err(DecodeError::Refused(refused)) => refused.code,
        Err(DecodeError::Process(error)) => panic!("no decoder: {error}"),
    }
}

/// The decoders of a process, which is their parent.
fn decoders_of(parent: u32) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &i32| {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
        read("cmdline").starts_with("kellgrend-decode\0") && read("status").contains(&format!("PPid:\t{parent}\n"))
    };
    pids.filter(is_ours).collect()
}

fn noise(side: u32) -> Vec<u8> {
    let picture = GrayImage::from_fn(side, side, |x, y| image::Luma([(x.wrapping_mul(31) ^ y.wrapping_mul(17)) as u8]));
    samples::encode(picture, ImageFormat::Png)
}

#[test]
fn answers_are_those_of_one_process() {
    let decoders = decoders();
    let damaged = samples::all().into_iter().map(|(name, bytes)| (name, bytes[..bytes.len() / 2].to_vec()));
    let others = [("empty", Vec::new()), ("zip", b"PK\x03\x04 and so on".to_vec()), ("text", b"hello".to_vec())];
    let mut decoded = 0;
    for (name, bytes) in samples::all().into_iter().chain(damaged).chain(others) {
        let here = Decoded::read(&bytes, decoders.limits(), Side::Left);
        match (decoders.decode(&bytes, Side::Left), here) {
            (Ok(apart), Ok(here)) => {
                assert_eq!((apart.tags, apart.format, apart.size), (here.tags, here.format, here.size), "{name}");
                assert_eq!((apart.sides, apart.crops, apart.bytes), (here.sides, here.crops, here.bytes), "{name}");
                decoded += 1;
            }
            (Err(DecodeError::Refused(apart)), Err(here)) => {
                assert_eq!((apart.code, apart.reason), (here.code(), here.to_string()), "{name}");
            }
            (apart, here) => panic!("{name}: {:?} apart, {:?} here", apart.err(), here.err()),
        }
    }
    assert!(decoded >= samples::all().len(), "{decoded}");
}

#[test]
fn the_name_says_the_side_where_the_film_does_not() {
    let [film, ..] = &samples::all()[..] else { panic!("samples") };
    let decoded = decoders().decode(&film.1, Side::Right).expect("decoded");
    assert_eq!((decoded.tags.laterality, &decoded.sides[..]), (Laterality::Knee(Side::Right), &[Side::Right][..]));
}

#[test]
fn a_decoder_has_given_up_what_the_kernel_lets_it_give_up() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let decoders = decoders_of(daemon.pid());
    assert_eq!(decoders.len(), 1, "one is started to see that it can be");
    let read =
        |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", decoders[0])).expect("its files in /proc");
    let limits = read("limits");
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max file size"), ["0", "0"]);
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max data size"), ["2147483648", "2147483648"]);
    assert_ne!(limit("Max cpu time")[1], "unlimited");
    // a kernel without seccomp has no such lines
    match read("status").lines().find(|line| line.starts_with("Seccomp:")) {
        Some(line) => assert_eq!(line, "Seccomp:\t2"),
        None => eprintln!("skipped: this kernel has no seccomp"),
    }
    let environ = read("environ");
    let known = ["MALLOC_MMAP_THRESHOLD_=", "MALLOC_TRIM_THRESHOLD_="];
    assert!(
        environ.split('\0').filter(|line| !line.is_empty()).all(|line| known.iter().any(|name| line.starts_with(name)))
    );
    match landlock() {
        // the first that knows the network
        Some(version) if version >= 4 => {
            assert!(daemon.log().contains("no files and no network (landlock)"), "{}", daemon.log())
        }
        _ => eprintln!("skipped: this kernel's Landlock knows no network, or there is none"),
    }
    // nobody is left behind, however the daemon ends
    let pid = daemon.pid();
    daemon.kill();
    let began = Instant::now();
    while std::path::Path::new(&format!("/proc/{}", decoders[0])).exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the decoder of {pid} is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The version of the kernel's Landlock.
#[allow(unsafe_code)]
fn landlock() -> Option<i64> {
    const VERSION: u32 = 1;
    let nothing: *const libc::c_void = std::ptr::null();
    // SAFETY: with this flag the call takes no rules, and returns a number
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0usize, VERSION) };
    (version > 0).then_some(version)
}

#[test]
fn a_bomb_costs_one_file() {
    // enough for the program and a small film, and not for 36 million pixels
    let decoders = with(Budget { memory: 48 << 20, ..BUDGET });
    assert_eq!(code(decoders.decode(&noise(64), Side::Unknown)), "decoded");
    assert_eq!(code(decoders.decode(&noise(6000), Side::Unknown)), "decoder-died");
    assert_eq!(code(decoders.decode(&noise(64), Side::Unknown)), "decoded");
}

#[test]
fn a_hang_costs_one_file() {
    let decoders = with(Budget { time: Duration::from_millis(2), ..BUDGET });
    assert_eq!(code(decoders.decode(&noise(6000), Side::Unknown)), "decoder-slow");
    assert_eq!(code(with(BUDGET).decode(&noise(64), Side::Unknown)), "decoded");
}

#[test]
fn a_decoder_that_somebody_killed_is_replaced() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for round in 0..3 {
        for pid in decoders_of(daemon.pid()) {
            let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
        }
        sandbox.drop_in(&format!("{round}.png"), &noise(64 + round));
        sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", i64::from(round) + 1);
    }
    daemon.stop(rustix::process::Signal::TERM);
}

/// A program that says it is a decoder, and then answers the first question with this.
fn taken_over(folder: &tempfile::TempDir, answer: &str) -> Decoders {
    let said = |line: &str| {
        let octal: String = (line.len() as u32).to_le_bytes().iter().map(|byte| format!("\\{byte:03o}")).collect();
        format!("printf '{octal}%s' '{line}' >&0\n")
    };
    let version = kellgrend::VERSION;
    let hello = said(&format!(r#"{{"version":"{version}","sandbox":{{"landlock":true,"seccomp":true}}}}"#));
    let path: PathBuf = folder.path().join("decoder");
    let script = format!("#!/bin/sh\n{hello}head -c 4 <&0 >/dev/null\n{}exec sleep 60\n", said(answer));
    std::fs::write(&path, script).expect("written");
    std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("a program");
    Decoders::new(path, Budget { time: Duration::from_secs(1), ..BUDGET })
}

#[test]
fn a_decoder_that_was_taken_over_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let tags = r#"{"patient":null,"study_uid":null,"series_uid":null,"instance_uid":null,"modality":null,"view":null,
        "body_part":null,"study_date":null,"laterality":"Both","pixel_spacing":null,"imager_pixel_spacing":null,"coding":"x"}"#;
    let knee = |width: u64, height: u64| format!(r#"{{"side":"left","width":{width},"height":{height}}}"#);
    let decoded = |knees: &str| {
        format!(r#"{{"Decoded":{{"tags":{tags},"format":"Png","size":[1,1],"knees":[{knees}]}}}}"#).replace('\n', "")
    };
    for (answer, wanted) in [
        (decoded(&knee(4_000_000_000, 4_000_000_000)), "decoder-died"),
        (decoded(&knee(16_384, 16_384)), "decoder-died"),
        (decoded(&knee(0, 5)), "decoder-died"),
        (decoded(""), "decoder-died"),
        (decoded(&vec![knee(9, 9); 3].join(",")), "decoder-died"),
        (r#"{"Refused":{"code":"so-to-say","reason":"x"}}"#.to_owned(), "decoder-died"),
        ("no JSON".to_owned(), "decoder-died"),
        // pixels that never come
        (decoded(&knee(64, 64)), "decoder-slow"),
        (format!(r#"{{"Refused":{{"code":"blank","reason":"{}"}}}}"#, "x".repeat(9000)), "blank"),
    ] {
        let outcome = taken_over(&folder, &answer).decode(&noise(64), Side::Unknown);
        if let Err(DecodeError::Refused(refused)) = &outcome {
            assert!(refused.reason.len() <= 500, "{}", refused.reason.len());
        }
        assert_eq!(code(outcome), wanted, "{answer:.200}");
    }
}

#[test]
fn without_a_decoder_nothing_is_the_files_fault() {
    for program in ["/nowhere/kellgrend", "/bin/false"] {
        let outcome = Decoders::new(program.into(), BUDGET).decode(&noise(64), Side::Unknown);
        assert!(matches!(outcome, Err(DecodeError::Process(_))), "{program}");
    }
}

/// As `make install` lays them out: the program in bin/, what decodes beside the libraries.
#[test]
fn an_installed_program_finds_its_decoder_and_says_so_where_it_is_missing() {
    let prefix = tempfile::tempdir().expect("a folder");
    let place = |from: &str, to: &str| {
        let to = prefix.path().join(to);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::hard_link(from, &to).or_else(|_| std::fs::copy(from, &to).map(drop)).expect("installed");
        to
    };
    let program = place(env!("CARGO_BIN_EXE_kellgrend"), "bin/kellgrend");
    let decoder = place(env!("CARGO_BIN_EXE_kellgrend-decode"), "lib/kellgrend/kellgrend-decode");
    let film = prefix.path().join("film.png");
    std::fs::write(&film, noise(64)).expect("written");
    let grade = || {
        let mut command = std::process::Command::new(&program);
        command.arg("grade").arg(&film).arg("--no-pictures").arg("--state").arg(prefix.path().join("state"));
        command.env_remove("KELLGREND_CONFIG").output().expect("it starts")
    };
    let output = grade();
    assert!(output.status.success(), "{output:?}");
    std::fs::remove_file(decoder).expect("removed");
    let output = grade();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("lib/kellgrend/kellgrend-decode") && said.contains("install both"), "{said}");
}
