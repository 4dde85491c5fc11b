//! A long time with all that a long time brings, at once: films all the time, a permanent reader, a mail server that comes and
//! goes, a full disk in the middle. Nothing may grow, nothing may be lost.

mod curve;
mod plan;
mod sample;
mod sender;
mod visitors;

use crate::mail::open_settings;
use crate::outside::page;
use crate::sandbox::{Sandbox, files_below, names_in, words};
use crate::small_disk::SmallDisk;
use plan::{BURSTS, CRAMPED, Clock, EARLY, Every, LATE, MAIL_DOWN, is_in, left_free};
use sample::{ENDED, Sample, Sampler, median};
use sender::{OnRecord, Sender};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use visitors::{Over, Post, ask_all_the_time, read_all_the_time};

/// A file comes so often, and now and then so many at once.
const PACE: Duration = Duration::from_millis(600);
const BURST: usize = 30;

/// A user comes by at least this often.
const VISIT: Duration = Duration::from_secs(60);

/// The ledger's WAL is begun anew when it has grown beyond this and nobody needs it, and it grows by less than the other at once.
const WAL_LIMIT: u64 = 16 << 20;
const A_TRANSACTION: u64 = 1 << 20;

/// What is still to be done at the end is done within this.
const PATIENCE: Duration = Duration::from_secs(1800);

/// A soak of this length has warmed up long before its second half.
const LONG: Duration = Duration::from_secs(600);

/// `KELLGREND_SOAK=1h` makes an hour of it.
#[test]
fn nothing_grows_and_nothing_is_lost_while_all_goes_wrong_at_once() {
    let length = std::env::var("KELLGREND_SOAK").unwrap_or("60s".to_owned());
    let length = humantime::parse_duration(&length).expect("a duration, such as 1h");
    let sandbox = Sandbox::new();
    let Some(disk) = SmallDisk::below(&sandbox, 512) else { return };
    let (inbox, mut post) = (sandbox.beside("inbox"), Post::new());
    fs::write(sandbox.beside("kellgrend.toml"), settings(&inbox, post.port, length)).expect("settings");
    // an hour's memory and disk are to be those of the release that the program brings
    if length < LONG {
        sandbox.grade_quickly();
    }
    let mut sender = Sender::new(&inbox);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let (address, sampler) = (page(&daemon), Sampler::new(daemon.pid(), &sandbox, &inbox));
    let mut user = User { state: sandbox.state(), removed: BTreeSet::new(), lists: 0 };

    let (clock, over) = (Clock::starting(length), Over::default());
    let (samples, moments, (asked, unwell)) = std::thread::scope(|scope| {
        let end = over.at_the_end();
        let reader = scope.spawn(|| read_all_the_time([sandbox.ledger(), sandbox.ledger()], &clock, &over));
        let asker = scope.spawn(|| ask_all_the_time(&sandbox, &address, &clock, &over));
        let samples = go_through(&clock, &disk, &mut post, &mut sender, &mut user, &sampler);
        drop(end);
        (samples, reader.join().expect("a reader"), asker.join().expect("an answer"))
    });
    let drawn = curve::keep(&samples, length);
    println!(
        "{} files sent, {moments} moments read, asked {asked} times; the curve: {}",
        sender.count(),
        drawn.display()
    );

    sandbox.until_within(ENDED, sender.count() as i64, PATIENCE);
    sandbox.until_within("SELECT count(*) FROM labels", user.lists as i64, PATIENCE);
    sandbox.until_within("SELECT count(*) FROM report_mail WHERE state = 'waiting'", 0, PATIENCE);
    let log = daemon.log();
    daemon.stop(rustix::process::Signal::TERM);
    // in a short soak on a busy machine these moments may pass unseen
    let is_long = length >= LONG;
    assert!(!is_long || log.contains("nothing more is taken from the inbox"), "the disk was never nearly full:\n{log}");
    assert!(!is_long || log.contains("trying again after a pause"), "the disk was never full:\n{log}");
    assert!(!is_long || unwell > 0 && unwell < asked / 2, "{unwell} of {asked} times not well");
    let attempts = sandbox.count("SELECT coalesce(max(attempts), 0) FROM mails");
    assert!(!is_long || attempts > 1, "the mail server was never missed");
    nothing_is_lost(&sandbox, &inbox, &sender, &user);
    each_mail_came_once(&sandbox, &post);
    if is_long {
        it_went_on_by_itself(&samples);
    }
    nothing_grows(&samples, is_long);
}

/// However many threads have had one, and also what is kept for the next one is given back in a while.
#[test]
fn large_files_leave_no_memory_behind() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let anonymous = || daemon.memory_kib("RssAnon") >> 10;
    let refused_after = |number: u8, mib: usize| {
        let mut file = vec![b'x'; mib << 20];
        file[0] = number;
        sandbox.drop_in(&format!("{number}.dcm"), &file);
        sandbox.until("SELECT count(*) FROM files WHERE state = 'quarantined'", i64::from(number));
        anonymous()
    };
    let each: Vec<_> = (1..=12).map(|number| refused_after(number, 20)).collect();
    println!("after each file of 20 MiB: {each:?} MiB");
    assert!(each[11] < each[0] + 20, "{each:?} MiB");
    let huge = refused_after(13, 200);
    let (began, patience) = (Instant::now(), 2 * kellgrend::memory::GIVE_BACK_EVERY);
    while anonymous() > each[0] + 20 {
        assert!(began.elapsed() < patience, "{} MiB, {huge} after a file of 200 MiB, {each:?} before", anonymous());
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("after one of 200 MiB: {huge} MiB, and {:?} later {}", began.elapsed(), anonymous());
}

fn settings(inbox: &Path, port: u16, length: Duration) -> String {
    format!(
        r#"
[folders]
inbox = {inbox:?}
[settle]
quiet = "200ms"
scan_every = "500ms"
truncated_after = "{truncated_after} ms"
[ensemble]
device = "cpu"
threads = 1
[grading]
keep_free = "16 MiB"
[http]
listen = "127.0.0.1:0"
{mail}at_most = 10000
[mail.alerts]
quarantined = 1
disk = "24 MiB"
again_after = "{again_after} ms"
"#,
        mail = open_settings(port),
        truncated_after = (length / 5).min(Duration::from_secs(60)).as_millis(),
        again_after = (length / 40).as_millis(),
    )
}

/// All that happens, as the plan says; what was seen meanwhile.
fn go_through(
    clock: &Clock,
    disk: &SmallDisk,
    post: &mut Post,
    sender: &mut Sender,
    user: &mut User,
    sampler: &Sampler,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut left = None;
    let mut bursts = BURSTS.into_iter().peekable();
    let (mut film, mut look, mut visit) =
        (Every::new(PACE), clock.times(1800, 1), Every::new((clock.length / 20).min(VISIT)));
    while clock.share() < 1.0 {
        let now = clock.share();
        post.be(!is_in(&MAIL_DOWN, now));
        while film.is_due() {
            sender.send();
        }
        if bursts.next_if(|burst| *burst <= now).is_some() {
            (0..BURST).for_each(|_| sender.send());
        }
        sender.complete();
        let free = left_free(now, || sampler.is_anything_in_work(), left == Some(0));
        match (left, free) {
            (_, Some(bytes)) => disk.fill_but_for(bytes),
            (Some(_), None) => disk.give_back(),
            (None, None) => {}
        }
        left = free;
        if visit.is_due() {
            user.visit(sender);
        }
        if look.is_due() {
            samples.push(sampler.look(now, clock.began.elapsed().as_secs_f64(), sender.count()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    samples
}

/// A user, who labels a film now and then and clears results away.
struct User {
    state: PathBuf,
    removed: BTreeSet<PathBuf>,
    lists: usize,
}

impl User {
    fn visit(&mut self, sender: &Sender) {
        let list = format!("sha256,grade,reader\n{},{},A{}\n", sender.film(self.lists), self.lists % 5, self.lists);
        let path = self.state.join("labels").join(format!("{}.csv", self.lists));
        let partial = path.with_extension("partial");
        match fs::write(&partial, list).and_then(|()| fs::rename(&partial, path)) {
            Ok(()) => self.lists += 1,
            // the disk is full
            Err(_) => fs::remove_file(&partial).expect("what was begun"),
        }
        let results = results(&self.state);
        for result in &results[..results.len().saturating_sub(50)] {
            fs::remove_dir_all(result).expect("removed");
            self.removed.insert(result.clone());
        }
    }
}

/// Results in the outbox, but for those that are still being written.
fn results(state: &Path) -> Vec<PathBuf> {
    let is_done = |path: &PathBuf| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    names_in(&state.join("outbox")).into_iter().filter(is_done).collect()
}

fn nothing_is_lost(sandbox: &Sandbox, inbox: &Path, sender: &Sender, user: &User) {
    let db = sandbox.ledger();
    // what was refused is tried anew when it comes again, unless it is in work still: then it is a duplicate
    let ends = "SELECT r.sha256, iif(f.state = 'quarantined' OR NOT EXISTS (SELECT 1 FROM files t \
                WHERE t.radiograph = r.id AND t.state = 'published'), 'refused', f.state), count(*) \
                FROM files f JOIN radiographs r ON r.id = f.radiograph WHERE f.state <> 'withdrawn' GROUP BY 1, 2";
    let mut query = db.prepare(ends).expect("a query");
    let rows = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)? as u64)));
    let on_record: OnRecord = rows.expect("rows").map(|row| row.expect("a row")).collect();
    let expected = sender.expected();
    assert!(on_record == expected, "not as it should be: {:?}", differences(&on_record, &expected));

    let digests = |state: &str| -> BTreeSet<&str> {
        expected.keys().filter(|(_, end)| end == state).map(|(sha256, _)| sha256.as_str()).collect()
    };
    let kept = |folder: &str| -> BTreeSet<String> {
        let files = files_below(&sandbox.state().join(folder)).into_iter();
        let originals = files.filter(|path| !path.to_string_lossy().ends_with(".reason.txt"));
        originals.map(|path| kellgrend::digest::Digest::of(&fs::read(path).expect("read")).to_string()).collect()
    };
    for (state, folder) in [("published", "archive"), ("refused", "quarantine")] {
        assert!(
            kept(folder).iter().map(String::as_str).eq(digests(state)),
            "each original is in {folder}, to the byte"
        );
    }
    let results: BTreeSet<_> = results(&sandbox.state()).into_iter().chain(user.removed.iter().cloned()).collect();
    assert_eq!(results.len(), digests("published").len(), "each film has, or had, its result");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), digests("published").len() as i64);
    assert_eq!(files_below(inbox).len() + files_below(&sandbox.state().join("work")).len(), 0);
    assert_eq!(names_in(&sandbox.state().join("labels/taken")).len(), user.lists);
    let checked = sandbox.output(&["check", "--ledger"]);
    assert!(checked.status.success(), "{}", words(&checked));
}

/// What is on record in one and the other, where that differs.
type Difference<'a> = (&'a (String, String), Option<&'a u64>, Option<&'a u64>);

fn differences<'a>(one: &'a OnRecord, other: &'a OnRecord) -> Vec<Difference<'a>> {
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let both = keys.into_iter().map(|key| (key, one.get(key), other.get(key)));
    both.filter(|(_, one, other)| one != other).collect()
}

fn each_mail_came_once(sandbox: &Sandbox, post: &Post) {
    let mut taken: Vec<_> = post.taken().iter().map(|mail| mail.header("Message-ID")).collect();
    taken.sort();
    let db = sandbox.ledger();
    let mut query = db.prepare("SELECT message_id FROM mails").expect("a query");
    let mut written: Vec<String> =
        query.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
    written.sort();
    assert_eq!(taken, written);
    for kind in ["quarantine", "disk"] {
        assert!(sandbox.count(&format!("SELECT count(*) FROM mails WHERE kind = '{kind}'")) > 0, "none of kind {kind}");
    }
    println!("{} mails, each delivered once", taken.len());
}

/// Within a minute, as is promised.
fn it_went_on_by_itself(samples: &[Sample]) {
    let free = samples.iter().position(|sample| sample.share >= CRAMPED.end).expect("it had time left");
    let next = samples[free..].iter().find(|sample| sample.ended > samples[free].ended);
    let after = next.expect("it goes on").seconds - samples[free].seconds;
    println!("with room again, the next file is at its end after {after:.0} s");
    assert!(after < 60.0, "{after} s");
}

/// A leak grows with every film; noise does not. So what is usual late is compared with what was usual early.
/// In a short soak all is warm-up, so that more is allowed.
fn nothing_grows(samples: &[Sample], is_long: bool) {
    const MIB: f64 = 1024.0;
    type Value = (&'static str, fn(&Sample) -> f64, f64, f64);
    let values: [Value; 5] = [
        ("the daemon's memory, MiB", |sample| sample.resident as f64 / MIB, 0.03, 8.0),
        ("of it anonymous, MiB", |sample| sample.anonymous as f64 / MIB, 0.03, 8.0),
        ("a decoder's memory, MiB", |sample| sample.of_a_decoder() / MIB, 0.25, 32.0),
        ("descriptors", |sample| sample.descriptors as f64, 0.0, 2.0),
        ("threads", |sample| sample.threads as f64, 0.0, 2.0),
    ];
    for (what, value, part, more) in values {
        let (early, late) = (median(samples, EARLY, value), median(samples, LATE, value));
        println!("{what}: {early:.1} early, {late:.1} late");
        let (part, more) = if is_long { (part, more) } else { (part + 0.25, more * 4.0) };
        assert!(late <= early * (1.0 + part) + more, "{what}: from {early} to {late}");
    }
    // who stays in one moment makes it wait for half a minute, which a short soak does not have
    let last = samples.last().expect("samples");
    assert!(!is_long || last.wal <= WAL_LIMIT + A_TRANSACTION, "the WAL has {} bytes at the end", last.wal);
    let most = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!(samples.iter().all(|sample| sample.decoders <= most), "more decoders than jobs");
}
