//! Who and what is on the film, and whether that is a knee.

mod part;
mod view;

use super::data_set::DataSet;
use crate::radiograph::{Laterality, Patient, Refusal, Tags, is_uid};
use crate::side::Side;
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
    if says(tags::QUALITY_CONTROL_IMAGE, "YES") == Some(true) || says(tags::CONVERSION_TYPE, "SD") == Some(true) {
        return Err(Refusal::unsupported("it is a test picture or a scanned document, and no film of a patient"));
    }
    part::check(data_set)?;
    view::check(data_set)
}

/// A word's letters, in capitals.
fn letters(word: &str) -> String {
    word.to_uppercase().chars().filter(|letter| letter.is_alphabetic()).collect()
}

/// What the tags say, for the ledger and for reports.
pub(super) fn tags(data_set: &DataSet, coding: String) -> Tags {
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
        view: words(data_set, tags::VIEW_POSITION),
        body_part: words(data_set, tags::BODY_PART_EXAMINED),
        study_date: words(data_set, tags::STUDY_DATE),
        laterality: laterality(data_set),
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
fn words(data_set: &DataSet, tag: Tag) -> Option<String> {
    let is_plain = |c: char| c.is_alphanumeric() || " _-/.()".contains(c);
    data_set
        .text(tag)
        .filter(|text| text.chars().all(is_plain) && text.chars().next().is_some_and(char::is_alphanumeric))
}

/// The image's own laterality, else the series', of which a film of both knees may be one; unknown where each names another knee. Where
/// neither says anything, view or body part may say that both are on it.
fn laterality(data_set: &DataSet) -> Laterality {
    let said = |tag| match data_set.text(tag)?.to_uppercase().as_str() {
        "L" | "LT" | "LEFT" => Some(Laterality::Knee(Side::Left)),
        "R" | "RT" | "RIGHT" => Some(Laterality::Knee(Side::Right)),
        "B" | "BOTH" | "BILATERAL" | "R\\L" | "L\\R" => Some(view::both(data_set)),
        _ => None,
    };
    let is_of_both = |tag| {
        let words = data_set.text(tag).unwrap_or_default().to_uppercase();
        words.split(|c: char| !c.is_alphabetic()).any(|word| word == "BOTH" || word.starts_with("BILAT"))
    };
    match (said(tags::IMAGE_LATERALITY), said(tags::LATERALITY)) {
        (Some(Laterality::Knee(image)), Some(Laterality::Knee(series))) if image != series => {
            Laterality::Knee(Side::Unknown)
        }
        (None, None) if is_of_both(tags::VIEW_POSITION) || is_of_both(tags::BODY_PART_EXAMINED) => view::both(data_set),
        (image, series) => image.or(series).unwrap_or(Laterality::Knee(Side::Unknown)),
    }
}

fn spacing(data_set: &DataSet, tag: Tag) -> Option<[f64; 2]> {
    <[f64; 2]>::try_from(data_set.numbers(tag)).ok().filter(|spacing| spacing.iter().all(|mm| *mm > 0.0))
}
