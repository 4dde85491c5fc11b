use crate::schema::misfit;
use kellgrend::{
    digest::Digest,
    grade::{KlGrade, Probabilities, Vote},
    outbox::record::*,
    side::Side,
};
use serde_json::{Value, json};

fn full() -> ResultRecord {
    let probabilities = Probabilities([0.0625, 0.125, 0.125, 0.5, 0.1875]);
    ResultRecord {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        file: FileFacts {
            sha256: Digest::of(b"film"),
            bytes: 3_301_234,
            format: "dicom".to_owned(),
            coding: "JPEG-LS Lossless Image Compression".to_owned(),
            arrived: "2025-03-31T12:00:00Z".to_owned(),
            graded: "2025-03-31T14:00:01.25+02:00".to_owned(),
            source_name: Some("film 1.dcm".to_owned()),
        },
        film: FilmFacts {
            study_uid: Some("OAI_9001-1.A".to_owned()),
            series_uid: Some("2.25.2".to_owned()),
            instance_uid: Some("2.25.3".to_owned()),
            study_date: Some("2025-03-31".to_owned()),
            view: Some("AP".to_owned()),
            body_part: Some("KNEE".to_owned()),
            pixel_spacing: Some(PixelSpacing { row_mm: 0.2, column_mm: 0.2, plane: SpacingPlane::Detector }),
        },
        patient: Some(Patient::Pseudonym(Pseudonym { pseudonym: "k7Qd".to_owned() })),
        knees: vec![KneeResult {
            side: Side::Left,
            grade: KlGrade::ALL[3],
            meaning: KlGrade::ALL[3].meaning().to_owned(),
            probabilities,
            agreement: 1.0,
            entropy: probabilities.entropy(),
            needs_review: Some(false),
            votes: vec![Vote { member: "shufflenet_v2_x2_0-1".to_owned(), grade: KlGrade::ALL[3], probabilities }],
            missing: vec!["resnet101".to_owned()],
            pictures: Some(with_members(Pictures::of(Side::Left, 0))),
        }],
        release: ReleaseFacts { name: "first".to_owned(), digest: Digest::of(b"release"), vote: "mix".to_owned() },
        program: ProgramFacts {
            name: "kellgrend".to_owned(),
            version: "0.1.0".to_owned(),
            device: "cpu".to_owned(),
            settings: Digest::of(b"settings"),
        },
    }
}

fn with_members(mut pictures: Pictures) -> Pictures {
    pictures.add_members(["densenet161", "shufflenet_v2_x2_0_2", "a.b-c"].into_iter());
    pictures
}

/// What a PNG without any tags gives.
fn bare() -> ResultRecord {
    let mut record = full();
    record.film = FilmFacts::default();
    record.patient = None;
    record.file.source_name = None;
    record.knees[0].missing = Vec::new();
    record.knees[0].pictures = None;
    record
}

#[test]
fn what_the_program_writes_fits_the_published_schema() {
    let mut identified = full();
    identified.patient = Some(Patient::Identity(Identity { id: "7".to_owned(), name: Some("A^B".to_owned()) }));
    let mut nameless = full();
    nameless.patient = Some(Patient::Identity(Identity { id: "7".to_owned(), name: None }));
    let mut every_grade = bare();
    every_grade.knees = KlGrade::ALL
        .map(|grade| KneeResult { grade, meaning: grade.meaning().to_owned(), ..full().knees[0].clone() })
        .to_vec();
    for side in [Side::Left, Side::Right, Side::Unknown] {
        let pictures = Some(Pictures::of(side, 1));
        every_grade.knees.push(KneeResult { side, pictures, ..full().knees[0].clone() });
    }
    let mut undecided = bare();
    undecided.knees[0].probabilities = Probabilities([0.2; 5]);
    undecided.knees[0].entropy = undecided.knees[0].probabilities.entropy();
    for record in [full(), bare(), identified, nameless, every_grade, undecided] {
        let bytes = record.to_json().unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(misfit(&value), None, "{value:#}");
        assert_eq!(serde_json::from_slice::<ResultRecord>(&bytes).unwrap(), record, "reading gives what was written");
        assert!(!String::from_utf8(bytes).unwrap().contains("null"), "what is not known is absent, not null");
    }
}

#[test]
fn wrong_records_do_not_fit_the_schema() {
    for (place, wrong) in [
        ("/schema_version", json!(1)),
        ("/notice", json!("For diagnosis.")),
        ("/file/sha256", json!("ABC")),
        ("/file/bytes", json!(-1)),
        ("/file/format", json!("bmp")),
        ("/file/arrived", json!("31.3.2025 12:00")),
        ("/file/graded", json!("2025-13-31T12:00:00Z")),
        ("/film/study_uid", json!("2.25 x")),
        ("/film/study_date", json!("20250331")),
        ("/film/pixel_spacing/row_mm", json!(0)),
        ("/film/pixel_spacing/plane", json!("paper")),
        ("/patient", json!({ "pseudonym": "k", "id": "7" })),
        ("/patient", json!({})),
        ("/knees", json!([])),
        ("/knees/0/side", json!("L")),
        ("/knees/0/grade", json!(5)),
        ("/knees/0/grade", json!(2.5)),
        ("/knees/0/meaning", json!("bad")),
        ("/knees/0/probabilities", json!([0.25, 0.25, 0.25, 0.25])),
        ("/knees/0/probabilities/0", json!(1.5)),
        ("/knees/0/agreement", json!(8)),
        ("/knees/0/entropy", json!(2.4)),
        ("/knees/0/entropy", json!(-0.1)),
        ("/knees/0/votes", json!([])),
        ("/knees/0/missing", json!(["a", "a"])),
        ("/knees/0/missing", json!([""])),
        ("/knees/0/votes/0/grade", json!("3")),
        ("/knees/0/pictures/map", json!("../map.png")),
        ("/release/vote", json!("loud")),
        ("/program/name", json!("other")),
    ] {
        let mut value = serde_json::to_value(full()).unwrap();
        assert_eq!(misfit(&value), None);
        *value.pointer_mut(place).unwrap() = wrong.clone();
        assert!(misfit(&value).is_some(), "{place} may be {wrong}");
    }
}

#[test]
fn no_field_may_be_added_or_left_out_unseen() {
    for place in ["", "/file", "/film", "/film/pixel_spacing", "/patient", "/knees/0", "/knees/0/votes/0", "/release"] {
        let mut more = serde_json::to_value(full()).unwrap();
        more.pointer_mut(place).unwrap()["surprise"] = json!(1);
        assert!(misfit(&more).is_some(), "the schema lets a surprise into {place:?}");
        // a vote belongs to the ledger too and is read with what it has
        if place != "/knees/0/votes/0" {
            assert!(serde_json::from_value::<ResultRecord>(more).is_err(), "the reader lets a surprise into {place:?}");
        }
    }
    for field in ["schema_version", "notice", "file", "film", "knees", "release", "program"] {
        let mut less = serde_json::to_value(full()).unwrap();
        less.as_object_mut().unwrap().remove(field);
        assert!(
            misfit(&less).is_some() && serde_json::from_value::<ResultRecord>(less).is_err(),
            "{field} is optional"
        );
    }
}

#[test]
fn every_property_of_the_schema_is_explained() {
    fn walk(value: &Value, place: &str, seen: &mut usize) {
        if value["type"] == "object" {
            assert_eq!(value["additionalProperties"], false, "{place} is open");
        }
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            for word in ["title", "description"] {
                assert!(property[word].as_str().is_some_and(|text| text.len() > 2), "{place}/{name} has no {word}");
            }
            *seen += 1;
        }
        match value {
            Value::Object(map) => map.iter().for_each(|(name, inner)| walk(inner, &format!("{place}/{name}"), seen)),
            Value::Array(list) => list.iter().for_each(|inner| walk(inner, place, seen)),
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["$id"], format!("urn:kellgrend:result:{SCHEMA_VERSION}"));
    let mut seen = 0;
    walk(&schema, "", &mut seen);
    assert!(seen > 40, "only {seen} properties found");
}

#[test]
fn an_identity_is_not_printed() {
    let identity = Patient::Identity(Identity { id: "4711".to_owned(), name: Some("Doe^Jane".to_owned()) });
    let record = ResultRecord { patient: Some(identity), ..full() };
    let printed = format!("{record:?}");
    assert!(!printed.contains("4711") && !printed.contains("Doe"), "{printed}");
}

#[test]
fn pictures_are_named_after_the_knee() {
    let names = |side, again| Pictures::of(side, again).overlay;
    assert_eq!(names(Side::Left, 0), "knee-left-overlay.png");
    assert_eq!(names(Side::Unknown, 1), "knee-unknown-2-overlay.png");
    assert_eq!(Pictures::of(Side::Right, 0).map, "knee-right-map.png");
}
