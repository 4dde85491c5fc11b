//! Who and what is on a film.

use super::samples::ramp;
use crate::film::{self, Film};
use kellgrend::labels::read;
use kellgrend::ledger::Labelled;
use kellgrend::radiograph::{Limits, Refusal, decode};

fn film() -> Film {
    Film::grey8(64, 64, &ramp())
}

fn refused(film: Film) -> &'static str {
    decode(&film.file(film::EXPLICIT), &Limits::default()).map(|_| "decoded").unwrap_or_else(|refusal| refusal.code())
}

#[test]
fn tags_are_read_in_their_character_set_and_never_shown() {
    let film = film()
        .text(0x0008_0005, "CS", "ISO_IR 192")
        .text(0x0010_0010, "PN", "Müller^Zoë")
        .text(0x0010_0030, "DA", "19501231")
        .text(0x0010_0040, "CS", "F")
        .text(0x0020_000D, "UI", "1.2.3")
        .text(0x0008_0020, "DA", "20260102")
        .text(film::VIEW, "CS", "PA")
        .text(0x0018_1164, "DS", "0.143\\0.144")
        .text(0x0028_0030, "DS", "0.12 \\0.121");
    let tags = decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().tags;
    let patient = tags.patient.clone().unwrap();
    assert_eq!(patient.name.as_deref(), Some("Müller^Zoë"));
    assert_eq!(patient.id.as_deref(), Some("4711"));
    assert_eq!((patient.birth_date.as_deref(), patient.sex.as_deref()), (Some("19501231"), Some("F")));
    assert_eq!((tags.study_uid.as_deref(), tags.instance_uid.as_deref()), (Some("1.2.3"), Some("1.2.3.4.5")));
    assert_eq!((tags.view.as_deref(), tags.body_part.as_deref()), (Some("PA"), Some("KNEE")));
    assert_eq!(tags.study_date.as_deref(), Some("20260102"));
    assert_eq!(tags.imager_pixel_spacing, Some([0.143, 0.144]));
    assert_eq!(tags.pixel_spacing, Some([0.12, 0.121]));
    assert_eq!(tags.coding, "Explicit VR Little Endian");
    let shown = format!("{tags:?}");
    for secret in ["ller", "4711", "19501231"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn oddities_in_other_tags_refuse_no_film() {
    let nonsense = film::Value::Bytes(vec![0xFF, 0xFE, 0x00, 0x80]);
    let film = film()
        .text(0x0008_0005, "CS", "KLINGON 5")
        .set(0x0009_0001, "??", nonsense.clone())
        .set(0x0009_0002, "DA", nonsense.clone())
        .set(0x0010_0010, "PN", nonsense)
        .set(0x0009_0003, "SQ", film::Value::Items(vec![Film::default(), Film::default().word(0x0008_0001, 1)]));
    assert_eq!(refused(film.clone()), "decoded");
    // said twice, but not otherwise, or by a vendor
    let again = Film::default().word(film::ROWS, 64).text(0x0009_0002, "DA", "20260101");
    let bytes = [film::meta(film::EXPLICIT), again.data_set(true, false), film.data_set(true, false)].concat();
    assert!(decode(&bytes, &Limits::default()).is_ok());
}

#[test]
fn other_modalities_are_refused_by_name() {
    for modality in ["CR", "DX", "RG", "SC"] {
        assert_eq!(refused(film().text(film::MODALITY, "CS", modality)), "decoded");
    }
    assert_eq!(refused(film().without(film::MODALITY)), "decoded");
    for modality in ["MR", "CT", "US", "OT"] {
        let bytes = film().text(film::MODALITY, "CS", modality).file(film::EXPLICIT);
        let refusal = decode(&bytes, &Limits::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::NotARadiograph(named) if named == modality));
    }
    let bytes = film().text(film::MODALITY, "CS", "DOE JANE").file(film::EXPLICIT);
    assert!(!decode(&bytes, &Limits::default()).unwrap_err().to_string().contains("DOE"));
}

#[test]
fn other_body_parts_and_views_are_refused() {
    for part in ["KNEE", "Knees", "LEFT KNEE", "PATELLA", "LOWER LEG", "EXTREMITY", "LOWER_EXTREMITY", "", "LEG"] {
        assert_eq!(refused(film().text(film::BODY_PART, "CS", part)), "decoded", "{part}");
    }
    for part in ["CHEST", "HIP", "HAND", "SKULL", "DOE JANE"] {
        assert_eq!(refused(film().text(film::BODY_PART, "CS", part)), "not-a-knee", "{part}");
    }
    for part in ["L KNE", "LOW LIMB", "KOLJENO", "RODILLA DER", "LOWER EXT", "LOW_EXM", "TIB/FIB", "OTHER"] {
        assert_eq!(refused(film().text(film::BODY_PART, "CS", part)), "decoded", "{part}");
    }
    for view in ["AP", "PA", "AP BILATERAL", "PA AXIAL", "ROSENBERG", "AP PLATEAU", "UNKNOWN", ""] {
        assert_eq!(refused(film().text(film::VIEW, "CS", view)), "decoded", "{view}");
    }
    for view in [
        "LL",
        "LLO",
        "RAO",
        "Lat",
        "LEFT LATERAL",
        "RLAT",
        "AP LATERAL",
        "PROFIL",
        "MEDIOLATERAL",
        "AP OBLIQUE",
        "TANGENTIAL",
        "AXIAL",
        "SUNRISE",
        "SKY VIEW",
        "XTL",
        "CROSS TABLE",
    ] {
        assert_eq!(refused(film().text(film::VIEW, "CS", view)), "not-frontal", "{view}");
    }
}

/// Side and language do not make another part of it.
#[test]
fn the_leg_is_known_in_other_words() {
    for part in ["RT LOWER EXTREMITY", "LEFT LEG", "UNTERE EXTREMITAET", "MEMBRE INF", "GENU", "L TIB/FIB", "TIBIA SUP"]
    {
        assert_eq!(refused(film().text(film::BODY_PART, "CS", part)), "decoded", "{part}");
    }
    for part in ["UPPER EXTREMITY", "EXTREMITY UPPER", "L HAND"] {
        assert_eq!(refused(film().text(film::BODY_PART, "CS", part)), "not-a-knee", "{part}");
    }
}

const SERIES: u32 = 0x0008_103E;

#[test]
fn where_no_tag_tells_the_description_does() {
    let of = |part: &str, words: &str| {
        let film = film().text(film::BODY_PART, "CS", part).without(film::VIEW);
        refused(film.text(SERIES, "LO", words))
    };
    for part in ["", "EXTREMITY"] {
        for words in ["Hip AP", "XR Hand 2 views", "Foot", "Ankle"] {
            assert_eq!(of(part, words), "not-a-knee", "{part}: {words}");
        }
        for words in [
            "Knee and hip",
            "Membre inf face",
            "Leg long",
            "C-Arm",
            "Knie bds.",
            "Leg length hip to ankle",
            "Tibia-fibula and ankle",
        ] {
            assert_eq!(of(part, words), "decoded", "{part}: {words}");
        }
    }
    assert_eq!(of("KNEE", "Hip AP"), "decoded", "the word counts");
    let study = film().without(film::BODY_PART).text(0x0008_1030, "LO", "XR Wrist");
    assert_eq!(refused(study), "not-a-knee");
    for words in
        ["Patella sunrise", "Merchant", "Knee oblique", "Knie tangential", "Knee notch", "Patella axial 30 60 90"]
    {
        assert_eq!(of("KNEE", words), "not-frontal", "{words}");
    }
    for words in [
        "Knee AP + axial",
        "Knee series, oblique",
        "Knee standing",
        "SkyFlow",
        "Cross hospital",
        "KNEE COMPLETE W SUNRISE",
        "KNEE 3 VWS SUNRISE",
        "Knie 2 Ebenen + Patella axial",
        "Genou 3 incidences + d\u{e9}fil\u{e9}",
        "RODILLA FRENTE Y LATERAL",
    ] {
        assert_eq!(of("KNEE", words), "decoded", "{words}");
    }
    // of what was ordered the film is one
    let ordered = film().without(film::VIEW).text(0x0018_1030, "LO", "Knee lateral");
    assert_eq!(refused(ordered.clone()), "decoded");
    assert_eq!(refused(ordered.text(SERIES, "LO", "Knee AP")), "decoded");
    // what says nothing of the view hides nothing
    let standing = film().text(film::VIEW, "CS", "STANDING").text(SERIES, "LO", "Knee lateral");
    assert_eq!(refused(standing), "not-frontal");
}

#[test]
fn children_and_what_was_drawn_are_refused() {
    for (age, outcome) in [
        ("008Y", "unsupported"),
        ("017Y", "unsupported"),
        ("018Y", "decoded"),
        ("007M", "unsupported"),
        ("000Y", "decoded"),
    ] {
        assert_eq!(refused(film().text(0x0010_1010, "AS", age)), outcome, "{age}");
    }
    for (born, filmed, outcome) in [
        ("20170301", "20250301", "unsupported"),
        ("20070302", "20250301", "unsupported"),
        ("20070301", "20250301", "decoded"),
        ("20250301", "20250301", "decoded"),
        ("20170101", "20250301", "decoded"),
        ("", "20250301", "decoded"),
    ] {
        let film = film().text(0x0010_0030, "DA", born).text(0x0008_0020, "DA", filmed);
        assert_eq!(refused(film.clone()), outcome, "{born}");
        assert_eq!(refused(film.text(0x0010_1010, "AS", "070Y")), "decoded", "the age counts");
    }
    let converted = |how| film().text(film::MODALITY, "CS", "CR").text(0x0008_0064, "CS", how);
    for (how, outcome) in [("DF", "decoded"), ("WSD", "decoded"), ("DRW", "unsupported"), ("SYN", "unsupported")] {
        assert_eq!(refused(converted(how)), outcome, "{how}");
    }
    assert_eq!(refused(converted("WSD").text(0x0028_0301, "CS", "YES")), "unsupported");
    assert_eq!(refused(converted("DF").text(0x0028_0301, "CS", "YES")), "decoded");
}

fn code(value: &str, meaning: &str) -> film::Value {
    let item =
        Film::default().text(0x0008_0100, "SH", value).text(0x0008_0102, "SH", "SCT").text(0x0008_0104, "LO", meaning);
    film::Value::Items(vec![item])
}

#[test]
fn where_words_are_missing_codes_count() {
    let of_region = |value, meaning| film().without(film::BODY_PART).set(0x0008_2218, "SQ", code(value, meaning));
    for (value, meaning) in [
        ("72696002", "Knie"),
        ("T-D9200", ""),
        ("1", "Structure of lower leg"),
        ("1", "Lower limb, NOS"),
        ("1", "Knee joint"),
    ] {
        assert_eq!(refused(of_region(value, meaning)), "decoded", "{meaning}");
    }
    let bytes = of_region("51185008", "Chest").file(film::EXPLICIT);
    assert!(matches!(decode(&bytes, &Limits::default()), Err(Refusal::NotAKnee("CHEST"))));
    assert_eq!(
        refused(of_region("85562004", "Hand").text(film::BODY_PART, "CS", "KNEE")),
        "decoded",
        "the word counts"
    );
    for vague in ["EXTREMITY", "JOINT", "LEG"] {
        let film = of_region("85562004", "Hand").text(film::BODY_PART, "CS", vague);
        assert_eq!(refused(film), "not-a-knee", "{vague} may be of any");
        let film = of_region("72696002", "Knee").text(film::BODY_PART, "CS", vague);
        assert_eq!(refused(film), "decoded", "{vague}");
        for around in
            ["Structure of right lower limb", "Left lower extremity", "Joint of lower extremity", "Something else"]
        {
            assert_eq!(
                refused(of_region("1", around).text(film::BODY_PART, "CS", vague)),
                "decoded",
                "{vague}: {around}"
            );
        }
    }
    assert_eq!(
        refused(of_region("85562004", "Hand").text(film::BODY_PART, "CS", "UNKNOWN")),
        "not-a-knee",
        "a word that says nothing does not"
    );

    let of_view = |meaning| film().without(film::VIEW).set(0x0054_0220, "SQ", code("1", meaning));
    for meaning in ["antero-posterior", "postero-anterior axial", "Bilateral antero-posterior", "Frontal projection"] {
        assert_eq!(refused(of_view(meaning)), "decoded", "{meaning}");
    }
    for meaning in ["left lateral", "Lateral projection", "Right oblique", "axial", "medio-lateral"] {
        assert_eq!(refused(of_view(meaning)), "not-frontal", "{meaning}");
    }
}

#[test]
fn what_is_no_word_and_no_number_is_not_kept() {
    let film = film()
        .text(0x0020_000D, "UI", "=cmd|'/C calc'!A0")
        .text(0x0020_000E, "UI", "1.2\u{1b}[2J")
        .text(0x0018_0015, "CS", "=HYPERLINK(\"http://x/\",\"KNEE\")")
        .text(film::VIEW, "CS", "AP\u{1b}[31m");
    let tags = decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().tags;
    assert_eq!((tags.study_uid, tags.series_uid, tags.body_part, tags.view), (None, None, None, None));
}

/// What a report says of a film can be copied into a list of labels.
#[test]
fn lists_of_labels_take_the_uids_that_films_have() {
    for (uid, is_uid) in [("1.2.840.99", true), ("ANON-7_b", true), ("4711", true), ("Doe", false), ("=1+1", false)] {
        let film = film().text(0x0008_0018, "UI", uid).file(film::EXPLICIT);
        let of_film = decode(&film, &Limits::default()).unwrap().tags.instance_uid;
        let list = read(format!("instance_uid,grade,reader\n{uid},1,A\n").as_bytes(), None, None);
        let of_list = list.ok().map(|mut labels| labels.remove(0).radiograph);
        assert_eq!(of_film.as_deref(), is_uid.then_some(uid));
        assert_eq!(of_list, is_uid.then(|| Labelled::InstanceUid(uid.to_owned())));
    }
}

#[test]
fn what_is_seen_from_the_side_raw_or_distorted_is_refused() {
    const ORIENTATION: u32 = 0x0020_0020;
    for (orientation, outcome) in [
        ("L\\F", "decoded"),
        ("R\\F", "decoded"),
        ("A\\F", "not-frontal"),
        ("PL\\FL", "not-frontal"),
        ("F\\R", "unsupported"),
        ("R\\H", "unsupported"),
        ("LF\\FR", "decoded"),
    ] {
        assert_eq!(refused(film().without(film::VIEW).text(ORIENTATION, "CS", orientation)), outcome, "{orientation}");
    }
    // no directions at all: how the patient lay
    assert_eq!(refused(film().without(film::VIEW).text(ORIENTATION, "CS", "HFS")), "decoded");
    // what is written beside counts where nothing else says it
    assert_eq!(refused(film().without(film::VIEW).text(SERIES, "LO", "Knee lateral")), "not-frontal");
    for words in
        ["Knee AP and lateral", "Knie links a.p. und seitl.", "Genou face/profil", "Knee 3 views w sunrise", "Suntec"]
    {
        assert_eq!(refused(film().without(film::VIEW).text(SERIES, "LO", words)), "decoded", "{words}");
    }
    assert_eq!(refused(film().text(film::VIEW, "CS", "AP").text(SERIES, "LO", "Knee lateral")), "decoded");
    // some devices write one orientation on all films
    assert_eq!(refused(film().text(film::VIEW, "CS", "AP").text(ORIENTATION, "CS", "A\\F")), "decoded");
    const INTENT: u32 = 0x0008_0068;
    assert_eq!(refused(film().text(INTENT, "CS", "FOR PROCESSING")), "unsupported");
    assert_eq!(refused(film().text(INTENT, "CS", "FOR PRESENTATION")), "decoded");
    let raw = film().text(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.1.1.1");
    assert_eq!(refused(raw.clone()), "unsupported");
    assert_eq!(refused(raw.text(INTENT, "CS", "FOR PRESENTATION")), "decoded");
    assert_eq!(refused(film().text(0x0028_0300, "CS", "YES")), "unsupported", "a test picture");
    assert_eq!(refused(film().text(0x0008_0064, "CS", "SD")), "unsupported", "a scanned document");
    for (tag, vr, sides, outcome) in [
        (0x0028_0034, "IS", "1\\1", "decoded"),
        (0x0028_0034, "IS", "2\\1", "unsupported"),
        (0x0028_0030, "DS", "0.143\\0.144", "decoded"),
        (0x0028_0030, "DS", "0.2\\0.1", "unsupported"),
        (0x0018_1164, "DS", "0.1\\0.2", "unsupported"),
    ] {
        assert_eq!(refused(film().text(tag, vr, sides)), outcome, "{sides}");
    }
}

#[test]
fn objects_without_pixels_say_so() {
    let report = Film::default().text(film::MODALITY, "CS", "SR");
    assert_eq!(refused(report), "no-pixels");
    let notes = Film::default().text(film::MODALITY, "CS", "DX").data_set(true, false);
    for (class, code) in [("1.2.840.10008.5.1.4.1.1.66", "no-pixels"), ("1.2.840.10008.5.1.4.1.1.7.2", "truncated")] {
        let bytes = [film::meta_of(class, film::EXPLICIT), notes.clone()].concat();
        assert_eq!(decode(&bytes, &Limits::default()).unwrap_err().code(), code, "whether more will come: {class}");
    }
    let directory = Film::default().set(0x0004_1220, "SQ", film::Value::Items(vec![]));
    assert_eq!(refused(directory), "dicom-directory");
    assert_eq!(refused(Film::grey8(8, 8, &[7; 64])), "blank");
}
