//! The digest: its numbers, its plots, how it is packed, and once for each time.

use super::{Room, at, low_disk, open_settings, subjects};
use crate::smtp::{Manners, Smtp};
use jiff::{ToSpan as _, tz::TimeZone};
use kellgrend::drift::{Against, Drift, Sample};
use kellgrend::ledger::{Figures, Readers, TrainingEnd};
use kellgrend::mail::alert::Disk;
use kellgrend::mail::digest::Digest;
use mail_parser::{MessageParser, MimeHeaders as _};
use std::sync::atomic::Ordering;

/// A week of a busy clinic.
fn week() -> Digest {
    let since = at("2026-11-16T06:00:00Z");
    let minutes = (0..7).map(|day| (since + (24 * day + 5).hours(), 40 + 25 * (day as u64 % 4))).collect();
    Digest {
        host: "clinic-a".into(),
        state: "/var/lib/kellgrend".into(),
        since,
        until: at("2026-11-23T06:00:00Z"),
        zone: TimeZone::get("Europe/Berlin").expect("a zone"),
        figures: Figures {
            published: 431,
            duplicates: 12,
            quarantined: vec![("truncated".into(), 7), ("not-frontal".into(), 1)],
            withdrawn: 1,
            in_work: 0,
            grades: [201, 96, 134, 61, 23],
            minutes,
            needs_review: Some(48),
            agreement: Some(0.912),
            readers: vec![Readers {
                month: "2026-11".into(),
                release: "r-2026-10".into(),
                knees: 118,
                accuracy: 0.712,
                quadratic_kappa: Some(0.853),
            }],
            labels: 37,
            trainings: vec![TrainingEnd {
                name: "r-2026-11-20".into(),
                outcome: "kept".into(),
                reasons: "Quadratic kappa rose by 0.004, with 95 % certainty by more than -0.011: no more than 0."
                    .into(),
            }],
            release: Some("r-2026-10".into()),
        },
        drift: vec![
            (Against::FirstWeeks, Drift::of(&months([400, 180, 260, 130, 40]), &months([120, 90, 190, 140, 60]))),
            (Against::MonthsBefore, Drift::of(&months([125, 94, 185, 138, 58]), &months([120, 90, 190, 140, 60]))),
        ],
        disks: vec![
            Disk { folder: "state".into(), free: 212 << 30, keep_free: 0 },
            Disk { folder: "inbox".into(), free: 3 << 40, keep_free: 0 },
        ],
    }
}

fn months(grades: [u64; 5]) -> Sample {
    let knees = grades.iter().sum();
    Sample { grades, published: knees, refused: knees / 60, ..Sample::default() }
}

#[test]
fn text_and_page_say_the_same_numbers() {
    let digest = week().render();
    assert_eq!(digest.subject, "515 knees graded, 8 files quarantined");
    let page: String = digest.html.split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text).collect();
    for said in [
        "39.0",
        "134",
        "91.2",
        "48 knees",
        "truncated",
        "37 labels",
        "71.2",
        "0.853",
        "kept out of service",
        "212",
        "changed, small (p ",
        "as before (p",
        "Against the months before",
    ] {
        assert!(digest.text.contains(said), "{said} is missing in\n{}", digest.text);
        assert!(page.contains(said), "{said} is missing in\n{page}");
    }
    assert!(digest.text.contains("\nGrade  Knees   Share\nKL 0     201  39.0 %\n"), "{}", digest.text);
    assert!(digest.text.contains("Mon 16 Nov 2026, 07:00 to Mon 23 Nov 2026, 07:00"), "{}", digest.text);
    // to be looked at in a browser
    if let Some(folder) = std::env::var_os("KELLGREND_SHOW") {
        let folder = std::path::Path::new(&folder);
        let mut html = digest.html.clone();
        for (id, png) in &digest.pictures {
            std::fs::write(folder.join(format!("{id}.png")), png).expect("written");
            html = html.replace(&format!("cid:{id}"), &format!("{id}.png"));
        }
        std::fs::write(folder.join("digest.html"), html).expect("written");
        std::fs::write(folder.join("digest.txt"), &digest.text).expect("written");
    }
}

#[test]
fn what_there_is_nothing_to_tell_of_is_left_out() {
    let quiet = Digest { figures: Figures::default(), drift: Vec::new(), disks: Vec::new(), ..week() }.render();
    assert_eq!(quiet.subject, "0 knees graded, 0 files quarantined");
    assert!(quiet.pictures.is_empty() && quiet.text.contains("Nothing was graded."), "{}", quiet.text);
    for title in ["Agreement", "Training", "Not graded", "Disk", "Day by day"] {
        assert!(!quiet.text.contains(title) && !quiet.html.contains(title), "{title}");
    }
}

#[test]
fn plots_have_bars_as_high_as_their_numbers_in_the_grades_colours() {
    let digest = week().render();
    let (_, png) = digest.pictures.iter().find(|(id, _)| id == "grades").expect("a plot");
    let plot = image::load_from_memory(png).expect("a picture").to_rgb8();
    // the model card's colours
    let colours = [[0x27, 0x36, 0x7F], [0x2F, 0x9C, 0xC6], [0x2B, 0x74, 0x58], [0xBE, 0x85, 0x18], [0x7A, 0x0F, 0x1F]];
    let areas = colours.map(|colour| plot.pixels().filter(|pixel| pixel.0 == colour).count() as f64);
    for (area, knees) in areas.iter().zip(week().figures.grades) {
        let (share, wanted) = (area / areas[0], knees as f64 / 201.0);
        assert!((share - wanted).abs() < 0.02, "{areas:?}");
    }
}

#[test]
fn pictures_travel_inside_the_mail_beside_the_page_that_shows_them() {
    let server = Smtp::new(Manners::default());
    let mut room = Room::new(
        &format!("{}digest = \"0 7 * * *\"\ntime_zone = \"Europe/Berlin\"\n", open_settings(server.port())),
        at("2026-11-25T12:00:00Z"),
    );
    graded(&room);
    room.look_for(24, 60, &Default::default());
    assert_eq!(subjects(&server), ["1 knee graded, 0 files quarantined"]);
    let taken = &server.taken()[0];
    let mail = MessageParser::default().parse(&taken.data).expect("a mail");
    let kinds: Vec<_> = mail
        .parts
        .iter()
        .map(|part| {
            part.content_type()
                .map_or(String::new(), |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("")))
        })
        .collect();
    assert_eq!(kinds, ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]);
    let picture = &mail.parts[4];
    let id = picture.content_id().expect("a Content-ID");
    assert!(mail.body_html(0).expect("a page").contains(&format!("src=\"cid:{id}\"")));
    image::load_from_memory(picture.contents()).expect("a picture that opens");
    assert_eq!(taken.header("Auto-Submitted"), "auto-generated");
    assert!(taken.header("Date").starts_with("Thu, 26 Nov 2026 06:00:00"), "{}", taken.header("Date"));
    assert_eq!(room.count("SELECT count(*) FROM mail_pictures"), 0, "pictures go when their mail has gone");
}

/// One knee, graded as KL 2 on 25 November at 13:00 UTC.
fn graded(room: &Room) {
    let db = rusqlite::Connection::open(room.folder.path().join("ledger.db")).expect("a ledger");
    db.execute_batch(
        "INSERT INTO starts (version, command, device, settings, settings_sha256, started_at) VALUES ('', 'run', '', '', '', '');
         INSERT INTO releases VALUES ('r', 'ours', 'mix', 1, '', '');
         INSERT INTO radiographs (sha256, bytes) VALUES ('a', 1);
         INSERT INTO knees (radiograph, position, side) VALUES (1, 0, 'left');
         INSERT INTO grades (knee, release, start, grade, p0, p1, p2, p3, p4, agreement, graded_at)
         VALUES (1, 'r', 1, 2, 0, 0, 1, 0, 0, 1, '2026-11-25T13:00:00.000Z');",
    )
    .expect("rows");
}

#[test]
fn a_digest_whose_fate_is_unknown_is_sent_again_to_the_byte() {
    let manners = Manners::default();
    manners.hangs_up.store(true, Ordering::SeqCst);
    let server = Smtp::new(manners);
    let mut room =
        Room::new(&format!("{}digest = \"0 7 * * *\"\n", open_settings(server.port())), at("2026-11-25T12:00:00Z"));
    graded(&room);
    room.look_for(23, 60, &Default::default());
    let taken = server.taken();
    assert!(taken.len() >= 2 && taken.iter().all(|mail| mail.data == taken[0].data), "{}", taken.len());
    assert!(taken[0].data.windows(9).any(|bytes| bytes == b"image/png"), "pictures and all");
}

#[test]
fn slots_that_were_missed_are_one_digest_and_a_new_schedule_missed_nothing() {
    let server = Smtp::new(Manners::default());
    let weekly = format!("{}digest = \"0 7 * * 1\"\n", open_settings(server.port()));
    let mut room = Room::new(&weekly, at("2026-11-01T12:00:00Z"));
    graded(&room);
    // off for five weeks
    room.now = at("2026-12-09T12:00:00Z");
    room.look(&low_disk());
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE kind = 'digest'"), 1);
    assert_eq!(room.text("SELECT since FROM mails WHERE kind = 'digest'"), "2026-11-01T12:00:00.000Z");
    assert!(subjects(&server).contains(&"1 knee graded, 0 files quarantined".to_owned()), "{:?}", subjects(&server));
    room.look_for(24, 60, &low_disk());
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE kind = 'digest'"), 1, "nothing is due before Monday");

    let daily = super::settings(&weekly.replace("* * 1", "* * *"));
    let path = room.folder.path().join("ledger.db");
    let now = at("2026-12-12T12:00:00Z");
    let office = kellgrend::mail::Office::open(&daily, room.ledger.clone(), path, "clinic-a".into(), now);
    (room.office, room.now) = (office.expect("a mail room").expect("that is open"), now);
    room.look(&low_disk());
    assert_eq!(
        room.count("SELECT count(*) FROM mails WHERE kind = 'digest'"),
        1,
        "this morning's is of another schedule"
    );
    room.look_for(24, 60, &low_disk());
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE kind = 'digest'"), 2);
}
