//! Who and what is on the film, and whether that is a knee.

use super::data_set::DataSet;
use crate::radiograph::{Laterality, Patient, Refusal, Tags};
use crate::side::Side;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Computed, digital and screen-film radiography, and secondary captures of them.
const RADIOGRAPHY: [&str; 4] = ["CR", "DX", "RG", "SC"];

/// Other modalities (PS3.3 C.7.3.1.1.1). Only words of this list are repeated in a refusal.
const OTHER_MODALITIES: [&str; 42] = [
    "AU", "BI", "BMD", "CT", "DOC", "DG", "ECG", "EPS", "ES", "GM", "HD", "IO", "IVUS", "KO", "LS", "MG", "MR", "NM",
    "OCT", "OP", "OT", "PR", "PT", "PX", "REG", "RESP", "RF", "RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT",
    "SEG", "SM", "SR", "STAIN", "TG", "US", "VA", "XA", "XC", "PLAN",
];

/// Body parts that may hold the knee: DICOM's terms (PS3.16 L) and what devices and archives write.
const KNEE_PARTS: [&str; 14] = [
    "LEG",
    "LEGS",
    "LOWERLEG",
    "LOWERLEGS",
    "LOWEREXTREMITY",
    "LOWEREXTREMITIES",
    "LOWERLIMB",
    "EXTREMITY",
    "EXTREMITIES",
    "JOINT",
    "JOINTS",
    "BONE",
    "TIBIA",
    "UNKNOWN",
];

/// Body parts without a knee, so named in a refusal; any other word is refused unnamed.
const OTHER_PARTS: [&str; 38] = [
    "ABDOMEN",
    "ANKLE",
    "ARM",
    "BREAST",
    "CALCANEUS",
    "CHEST",
    "CLAVICLE",
    "COCCYX",
    "CSPINE",
    "ELBOW",
    "FACE",
    "FEMUR",
    "FINGER",
    "FOOT",
    "FOREARM",
    "HAND",
    "HEAD",
    "HEEL",
    "HIP",
    "HUMERUS",
    "JAW",
    "LSPINE",
    "NECK",
    "ORBIT",
    "PELVIS",
    "RIB",
    "SACRUM",
    "SCAPULA",
    "SHOULDER",
    "SKULL",
    "SPINE",
    "STERNUM",
    "THIGH",
    "THUMB",
    "TOE",
    "TSPINE",
    "WHOLEBODY",
    "WRIST",
];

/// View positions that are not frontal: lateral (PS3.3 C.8.11.5), skyline.
const OTHER_VIEWS: [&str; 9] = ["LL", "RL", "LLD", "RLD", "LAT", "LATERAL", "SKYLINE", "SUNRISE", "MERCHANT"];

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
    if let Some(part) = data_set.text(tags::BODY_PART_EXAMINED) {
        let letters: String = part.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
        let knee = letters.contains("KNEE") || letters.contains("PATELLA") || KNEE_PARTS.contains(&letters.as_str());
        if !knee && !letters.is_empty() {
            let known = OTHER_PARTS.iter().find(|known| **known == letters);
            return Err(Refusal::NotAKnee(known.copied().unwrap_or("another one")));
        }
    }
    match data_set.text(tags::VIEW_POSITION) {
        Some(view) if OTHER_VIEWS.contains(&view.to_ascii_uppercase().as_str()) => Err(Refusal::NotFrontal),
        _ => Ok(()),
    }
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
        study_uid: text(tags::STUDY_INSTANCE_UID),
        series_uid: text(tags::SERIES_INSTANCE_UID),
        instance_uid: text(tags::SOP_INSTANCE_UID),
        modality: text(tags::MODALITY),
        view: text(tags::VIEW_POSITION),
        body_part: text(tags::BODY_PART_EXAMINED),
        study_date: text(tags::STUDY_DATE),
        laterality: laterality(text(tags::IMAGE_LATERALITY).as_deref(), text(tags::LATERALITY).as_deref()),
        pixel_spacing: spacing(data_set, tags::PIXEL_SPACING),
        imager_pixel_spacing: spacing(data_set, tags::IMAGER_PIXEL_SPACING),
        coding,
    }
}

/// The image's own laterality, else the series'; unknown where both speak and differ.
fn laterality(image: Option<&str>, series: Option<&str>) -> Laterality {
    let meaning = |word: &str| match word {
        "L" => Some(Laterality::Knee(Side::Left)),
        "R" => Some(Laterality::Knee(Side::Right)),
        "B" => Some(Laterality::Both),
        _ => None,
    };
    match (image.and_then(meaning), series.and_then(meaning)) {
        (Some(image), Some(series)) if image != series => Laterality::Knee(Side::Unknown),
        (image, series) => image.or(series).unwrap_or(Laterality::Knee(Side::Unknown)),
    }
}

fn spacing(data_set: &DataSet, tag: Tag) -> Option<[f64; 2]> {
    <[f64; 2]>::try_from(data_set.numbers(tag)).ok().filter(|spacing| spacing.iter().all(|mm| *mm > 0.0))
}
