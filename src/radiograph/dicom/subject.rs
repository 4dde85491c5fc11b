//! Who and what is on the film, and whether that is a knee.

mod part;
mod side;
mod view;
mod words;

use super::data_set::DataSet;
use crate::radiograph::{Patient, Refusal, Tags, is_uid};
use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

/// Computed, digital and screen-film radiography, and secondary captures of them.
const RADIOGRAPHY: [&str; 4] = ["CR", "DX", "RG", "SC"];

/// Other modalities (PS3.3 C.7.3.1.1.1). Only words of this list are repeated in a refusal.
const OTHER_MODALITIES: [&str; 42] = [
    "AU", "BI", "BMD", "CT", "DOC", "DG", "ECG", "EPS", "ES", "GM", "HD", "IO", "IVUS", "KO", "LS", "MG", "MR", "NM",
    "OCT", "OP", "OT", "PR", "PT", "PX", "REG", "RESP", "RF", "RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT",
    "SEG", "SM", "SR", "STAIN", "TG", "US", "VA", "XA", "XC", "PLAN",
];

/// Presentation Intent Type (0008,0068) of a detector's raw picture, which is made into one to look at elsewhere (PS3.3 C.8.11.1.1.1);
/// where it is missing, the class says the same.
const RAW: &str = "FOR PROCESSING";

/// Conversion Types (PS3.3 C.8.6.1) of what was drawn or computed; a workstation's (WSD) is one where it is written on, too.
const DRAWN: [&str; 2] = ["DRW", "SYN"];

/// Whether the modality is one of radiography; `None` where there is no modality.
pub(super) fn is_radiography(data_set: &DataSet) -> Option<bool> {
    data_set.text(tags::MODALITY).map(|modality| RADIOGRAPHY.contains(&modality.as_str()))
}

/// Whether there are pixel data of any kind.
pub(super) fn has_pixels(data_set: &DataSet) -> bool {
    [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA]
        .into_iter()
        .any(|tag| data_set.element(tag).is_some())
}

/// Refuses objects without pixels, other modalities, other body parts and other views. An absent tag refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let modality = data_set.text(tags::MODALITY);
    let named = modality.as_deref().map(|modality| {
        let known = RADIOGRAPHY.iter().chain(&OTHER_MODALITIES).find(|known| **known == modality);
        known.copied().unwrap_or("unknown")
    });
    match named {
        _ if !has_pixels(data_set) => return Err(Refusal::NoPixels(named.unwrap_or("no modality"))),
        Some(other) if !RADIOGRAPHY.contains(&other) => return Err(Refusal::NotARadiograph(other)),
        _ => {}
    }
    let says = |tag, word: &str| data_set.text(tag).map(|text| text == word);
    let is_raw_by_class = || says(tags::SOP_CLASS_UID, uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING);
    if says(tags::PRESENTATION_INTENT_TYPE, RAW).or_else(is_raw_by_class) == Some(true) {
        return Err(Refusal::unsupported(
            "it is the detector's raw picture, FOR PROCESSING, and not the film that is looked at",
        ));
    }
    let conversion = data_set.text(tags::CONVERSION_TYPE).unwrap_or_default();
    if says(tags::QUALITY_CONTROL_IMAGE, "YES") == Some(true) || conversion == "SD" {
        return Err(Refusal::unsupported("it is a test picture or a scanned document, and no film of a patient"));
    }
    if DRAWN.contains(&conversion.as_str())
        || conversion == "WSD" && says(tags::BURNED_IN_ANNOTATION, "YES") == Some(true)
    {
        return Err(Refusal::unsupported("it is a workstation's own picture, with what was drawn or written on it"));
    }
    if is_of_a_child(data_set) {
        return Err(Refusal::unsupported("by its tags it is of a child, and the networks know the knees of adults"));
    }
    part::check(data_set)?;
    view::check(data_set)
}

/// Whether the patient was under 18: by Patient's Age, in years, or else by the dates of birth and study. An anonymiser's dates, of which
/// one is the other, or the first of a year, say nothing.
fn is_of_a_child(data_set: &DataSet) -> bool {
    const ADULT: u32 = 18;
    const FIRST_OF_JANUARY: u32 = 101;
    let digits = |text: &str| text.trim().parse::<u32>().ok();
    if let Some((age, unit)) = data_set.text(tags::PATIENT_AGE).as_deref().and_then(|age| age.split_at_checked(3))
        && let Some(age) = digits(age).filter(|age| *age > 0)
    {
        return unit == "Y" && age < ADULT || ["M", "W", "D"].contains(&unit);
    }
    let date = |tag| data_set.text(tag).filter(|date| date.len() == 8).as_deref().and_then(digits);
    match (date(tags::PATIENT_BIRTH_DATE), date(tags::STUDY_DATE)) {
        // of dates as numbers, 10,000 a year
        (Some(born), Some(filmed)) => {
            born % 10_000 != FIRST_OF_JANUARY && filmed > born && filmed - born < ADULT * 10_000
        }
        _ => false,
    }
}

/// What the tags say, for the ledger and for reports, of a film of which so many columns and rows are seen.
pub(super) fn tags(data_set: &DataSet, size: (u32, u32), coding: String) -> Tags {
    let text = |tag| data_set.text(tag);
    let patient = Patient {
        id: text(tags::PATIENT_ID),
        name: text(tags::PATIENT_NAME),
        birth_date: text(tags::PATIENT_BIRTH_DATE),
        sex: text(tags::PATIENT_SEX),
    };
    Tags {
        patient: (patient != Patient::default()).then_some(patient),
        study_uid: uid(data_set, tags::STUDY_INSTANCE_UID),
        series_uid: uid(data_set, tags::SERIES_INSTANCE_UID),
        instance_uid: uid(data_set, tags::SOP_INSTANCE_UID),
        modality: text(tags::MODALITY),
        view: plain(data_set, tags::VIEW_POSITION),
        body_part: plain(data_set, tags::BODY_PART_EXAMINED),
        study_date: plain(data_set, tags::STUDY_DATE),
        laterality: side::laterality(data_set, size),
        pixel_spacing: spacing(data_set, tags::PIXEL_SPACING),
        imager_pixel_spacing: spacing(data_set, tags::IMAGER_PIXEL_SPACING),
        coding,
    }
}

/// What is no unique identifier is left out: it would be read by other programs.
fn uid(data_set: &DataSet, tag: Tag) -> Option<String> {
    data_set.text(tag).filter(|text| is_uid(text))
}

/// A word or some; what control characters or formulas are in is none.
fn plain(data_set: &DataSet, tag: Tag) -> Option<String> {
    let is_plain = |c: char| c.is_alphanumeric() || " _-/.()".contains(c);
    data_set
        .text(tag)
        .filter(|text| text.chars().all(is_plain) && text.chars().next().is_some_and(char::is_alphanumeric))
}

fn spacing(data_set: &DataSet, tag: Tag) -> Option<[f64; 2]> {
    <[f64; 2]>::try_from(data_set.numbers(tag)).ok().filter(|spacing| spacing.iter().all(|mm| *mm > 0.0))
}
