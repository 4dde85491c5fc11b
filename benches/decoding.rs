//! What it costs that films are decoded in processes of their own: the way from bytes to a result's files, with the starter release, as
//! daemon and `kellgrend grade` go it, beside the same way with all in one process. They take turns.
//!
//! `cargo bench --bench decoding`; a number behind `--` is how many films.

use kellgrend::config::{Radiographs, Settings};
use kellgrend::decoding::{Budget, Decoded, Decoders};
use kellgrend::digest::Digest;
use kellgrend::ensemble::{Precision, settle, starter};
use kellgrend::gauges::Gauges;
use kellgrend::grading::{Grader, IdentityPolicy, Imprint, Subject};
use kellgrend::ledger::{GradedKnee, RecordedKnee, now};
use kellgrend::outbox::record::{ProgramFacts, ReleaseFacts};
use kellgrend::phantom::{self, Coding, Knees, bilateral, dicom, jpeg8, knee, png16};
use kellgrend::radiograph::Limits;
use kellgrend::side::Side;
use kellgrend::station::ready;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

const FILMS: usize = 96;
const ROUNDS: usize = 5;

/// What both ways share.
struct Bench {
    films: Vec<Arc<Vec<u8>>>,
    grader: Grader,
    imprint: Imprint,
    decoders: Decoders,
    jobs: usize,
}

fn main() {
    let films = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(FILMS);
    let (settings, folder) = (Settings::default(), tempfile::tempdir().expect("a folder"));
    let device = settle(settings.ensemble.device, 0).expect("a device");
    let release = starter::install(folder.path()).expect("the starter");
    let form = settings.ensemble.precision.form(&device).expect("numbers");
    let ensemble = ready(&release, &settings.ensemble, &device, form).expect("networks");
    let words = format!("{device}, {}", Precision::of(form));
    let (batch, wait) = (ensemble.knees_at_once(), settings.ensemble.batch_wait);
    let Radiographs { max_file, max_pixels, max_side, decode_memory, decode_time } = settings.radiographs;
    let limits = Limits { max_bytes: max_file.as_u64(), max_pixels, max_side };
    let budget = Budget { limits, memory: decode_memory.as_u64(), time: decode_time };
    let bench = Arc::new(Bench {
        films: films_of_many_codings(films),
        grader: Grader::start(ensemble, batch, wait, Arc::new(Gauges::default())),
        imprint: Imprint {
            release: ReleaseFacts {
                name: "starter".into(),
                digest: release.digest(),
                vote: release.vote().to_string(),
            },
            program: ProgramFacts::this(words.clone(), &settings),
            identity: IdentityPolicy::of_nobody(),
            pictures: settings.pictures.style(),
        },
        decoders: Decoders::new(env!("CARGO_BIN_EXE_kellgrend-decode").into(), budget),
        jobs: settings.grading.jobs(),
    });
    let runtime = Runtime::new().expect("a runtime");
    let rounds: Vec<_> = (0..=ROUNDS).map(|_| [true, false].map(|apart| go(&runtime, &bench, apart))).collect();
    // the first round warms up
    let mut times = [0, 1].map(|way| rounds[1..].iter().map(|round| round[way]).collect::<Vec<_>>());
    times.iter_mut().for_each(|times| times.sort());
    println!("{words}; {films} films, {} at a time, median of {ROUNDS} rounds (fastest to slowest)", bench.jobs);
    let rate = |time: Duration| films as f64 / time.as_secs_f64();
    for (name, times) in ["in processes of their own", "in the same process"].into_iter().zip(&times) {
        let [slowest, median, fastest] = [times[ROUNDS - 1], times[ROUNDS / 2], times[0]].map(rate);
        println!("{name:<26} {median:>7.2} films a second ({fastest:.2} to {slowest:.2})");
    }
    println!("{:<26} {:>7.3}", "ratio", rate(times[0][ROUNDS / 2]) / rate(times[1][ROUNDS / 2]));
}

/// What clinics send, a quarter each.
fn films_of_many_codings(count: usize) -> Vec<Arc<Vec<u8>>> {
    let one = |i: u64| (knee(i, Side::Left, (i % 10) as f32 / 10.0), phantom::Subject::new(i, Knees::One(Side::Left)));
    let film = |i: u64| match i % 4 {
        0 => dicom(&bilateral(i, 0.2, 0.8), &phantom::Subject::new(i, Knees::Both), Coding::ExplicitLittleEndian),
        1 => dicom(&one(i).0, &one(i).1, Coding::JpegLs),
        2 => png16(&one(i).0),
        _ => jpeg8(&one(i).0),
    };
    (0..count as u64).map(|i| Arc::new(film(i).expect("a film"))).collect()
}

/// All films once.
fn go(runtime: &Runtime, bench: &Arc<Bench>, apart: bool) -> Duration {
    let [decoding, drawing] = [(); 2].map(|()| Arc::new(Semaphore::new(bench.jobs)));
    let begun = Instant::now();
    runtime.block_on(async {
        let mut ways = JoinSet::new();
        for film in &bench.films {
            ways.spawn(way(bench.clone(), film.clone(), apart, decoding.clone(), drawing.clone()));
        }
        while let Some(ended) = ways.join_next().await {
            ended.expect("a film went through");
        }
    });
    begun.elapsed()
}

async fn way(bench: Arc<Bench>, film: Arc<Vec<u8>>, apart: bool, decoding: Arc<Semaphore>, drawing: Arc<Semaphore>) {
    let job = decoding.acquire_owned().await.expect("open");
    let (of, bytes) = (bench.clone(), film.clone());
    let decode = move || match apart {
        true => of.decoders.decode(&bytes, Side::Unknown).expect("decoded"),
        false => Decoded::read(&bytes, of.decoders.limits(), Side::Unknown).expect("decoded"),
    };
    let decoded = spawn_blocking(decode).await.expect("decoded");
    drop(job);
    let graded = bench.grader.grade(decoded.crops.clone()).await.expect("open").expect("graded");
    let _job = drawing.acquire_owned().await.expect("open");
    let draw = move || {
        let knees = decoded.sides.iter().zip(&graded).map(|(&side, graded)| GradedKnee::new(side, graded));
        let recorded =
            (0..).zip(knees).map(|(grade_id, knee)| RecordedKnee { grade_id, knee, graded_at: now() }).collect();
        let (digest, path) = (Digest::of(&film), PathBuf::new());
        let subject = Subject { file: 0, digest, path, side_by_name: Side::Unknown, name: None, arrived: now() };
        black_box(bench.imprint.files("", &subject, &decoded, &graded, &recorded).expect("drawn"));
    };
    spawn_blocking(draw).await.expect("drawn");
}
