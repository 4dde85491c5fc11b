//! Which part of the body is on the film.

use super::super::data_set::DataSet;
use super::letters;
use crate::radiograph::Refusal;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Anatomic Region Sequence (0008,2218): the same in codes (PS3.3 10.5).
const REGION: Tag = tags::ANATOMIC_REGION_SEQUENCE;

/// Words that name the knee wherever they stand: DICOM's term, and those of the languages that archives are kept in.
const KNEE_WORDS: [&str; 15] = [
    "KNE",
    "PATELLA",
    "TIBIOFEMORAL",
    "KNIE",
    "KN\u{c4}",
    "KN\u{c6}",
    "GENOU",
    "RODILLA",
    "GINOCCHI",
    "JOELHO",
    "KOLANO",
    "KOLENO",
    "KOLJENO",
    "GENUNCHI",
    "POLVI",
];

/// Body parts that may hold the knee: DICOM's terms (PS3.16 L) and what devices and archives write.
const KNEE_PARTS: [&str; 8] = ["LEG", "LEGS", "LEXT", "JOINT", "JOINTS", "BONE", "BONES", "TIBFIB"];

/// What is written where nothing is known.
const SILENT: [&str; 5] = ["UNKNOWN", "UNSPECIFIED", "UNDEFINED", "OTHER", "NONE"];

/// How others begin, whatever follows ("lower leg, NOS", "lower limb structure").
const KNEE_BEGINNINGS: [&str; 8] =
    ["LOWEX", "LOWEREX", "LOWERLEG", "LOWERLIMB", "LOWLIMB", "EXTREMIT", "TIBIA", "UNTERSCHENKEL"];

/// Codes of the region, in SNOMED CT and in SNOMED RT before it, whatever their meaning is written in.
const KNEE_CODES: [&str; 2] = ["72696002", "T-D9200"];

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

/// Refuses another part than the knee; where the word for it is missing, the code counts. No word refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let part = data_set.text(tags::BODY_PART_EXAMINED).map(|part| letters(&part));
    let part = match part.filter(|part| !part.is_empty() && !SILENT.contains(&part.as_str())) {
        Some(part) => part,
        None => {
            // one that cannot be read says nothing
            let Some(region) = data_set.first_item(REGION).ok().flatten() else { return Ok(()) };
            let code = region.text(tags::CODE_VALUE).unwrap_or_default();
            let meaning = letters(&region.text(tags::CODE_MEANING).unwrap_or_default());
            let meaning =
                ["ENTIRE", "STRUCTUREOF"].iter().fold(meaning.as_str(), |all, word| all.trim_start_matches(word));
            if KNEE_CODES.contains(&code.as_str()) || meaning.is_empty() {
                return Ok(());
            }
            meaning.to_owned()
        }
    };
    if KNEE_WORDS.iter().any(|word| part.contains(word))
        || KNEE_PARTS.contains(&part.as_str())
        || KNEE_BEGINNINGS.iter().any(|begin| part.starts_with(begin))
    {
        return Ok(());
    }
    let known = OTHER_PARTS.iter().find(|known| **known == part);
    Err(Refusal::NotAKnee(known.copied().unwrap_or("another one")))
}
