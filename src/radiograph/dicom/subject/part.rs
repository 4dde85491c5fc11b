//! Which part of the body is on the film.

use super::super::data_set::DataSet;
use super::side::names_side;
use super::words::{BESIDE, ORDERED, words_of};
use crate::radiograph::Refusal;
use dicom_dictionary_std::tags;

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
    "POLVI",
    "GENU",
];

/// Body parts that may hold the knee: DICOM's terms (PS3.16 L) and what devices and archives write.
const KNEE_PARTS: [&str; 8] = ["LEG", "LEGS", "LEXT", "JOINT", "JOINTS", "BONE", "BONES", "TIBFIB"];

/// What is written where nothing is known.
const SILENT: [&str; 5] = ["UNKNOWN", "UNSPECIFIED", "UNDEFINED", "OTHER", "NONE"];

/// How others begin, whatever follows ("lower leg, NOS", "lower limb structure").
const KNEE_BEGINNINGS: [&str; 12] = [
    "LOWEX",
    "LOWEREX",
    "LOWERLEG",
    "LOWERLIMB",
    "LOWLIMB",
    "EXTREMI",
    "TIBIA",
    "UNTERSCHENKEL",
    "UNTEREEXTREM",
    "MEMBREINF",
    "MIEMBROINF",
    "ARTOINF",
];

/// Of these, what names the arm.
const UPPER: [&str; 3] = ["UPPER", "OBERE", "SUPERIOR"];

/// Words that say nothing of the part, besides those of a side.
const NO_PART: [&str; 4] = ["ENTIRE", "STRUCTURE", "OF", "JOINT"];

/// Words of an order that the knee may be on, besides the others.
const AROUND: [&str; 6] = ["LEG", "LEGS", "TIBIA", "FIBULA", "LOWER", "JAMBES"];

/// Of other parts, words that descriptions have of a knee, too: genou de face, C-arm, the head of the fibula.
const NO_OTHER_BESIDE: [&str; 4] = ["FACE", "ARM", "HEAD", "NECK"];

/// Codes of the region (PS3.3 10.5), in SNOMED CT and in SNOMED RT before it, whatever their meaning is written in.
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

/// What a tag says of the part.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Knee,
    /// Something that the knee may be on.
    Around,
    /// Another one, by its name if that is a known word.
    Other(Option<&'static str>),
}

/// Refuses another part than the knee. Where the word for it is missing, or names what a knee may be on, the region's code counts, and
/// then what is written beside. No word refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let says_little = |part: &Option<Part>| matches!(part, None | Some(Part::Around));
    let mut part = by_word(&words_of(data_set, tags::BODY_PART_EXAMINED));
    if says_little(&part) {
        // a word that is not known may be one for what it is on
        let region = region(data_set).filter(|region| part.is_none() || *region != Part::Other(None));
        part = region.or(part);
    }
    if says_little(&part) {
        part = beside(data_set).or(part);
    }
    match part {
        Some(Part::Other(name)) => Err(Refusal::NotAKnee(name.unwrap_or("another one"))),
        _ => Ok(()),
    }
}

/// What is meant by these words, whatever side they name.
fn by_word(words: &[String]) -> Option<Part> {
    let is_part = |word: &&String| !names_side(word) && !NO_PART.contains(&word.as_str());
    let part: String = words.iter().filter(is_part).map(String::as_str).collect();
    match part.as_str() {
        // a joint, of whatever
        "" if words.iter().any(|word| word == "JOINT") => Some(Part::Around),
        part if part.is_empty() || SILENT.contains(&part) => None,
        part if KNEE_WORDS.iter().any(|word| part.contains(word)) => Some(Part::Knee),
        part if UPPER.iter().any(|word| part.contains(word)) => Some(Part::Other(None)),
        part if KNEE_PARTS.contains(&part) || KNEE_BEGINNINGS.iter().any(|begin| part.starts_with(begin)) => {
            Some(Part::Around)
        }
        part => Some(Part::Other(OTHER_PARTS.into_iter().find(|known| *known == part))),
    }
}

/// The code of the region. One that cannot be read says nothing.
fn region(data_set: &DataSet) -> Option<Part> {
    let region = data_set.first_item(tags::ANATOMIC_REGION_SEQUENCE).ok().flatten()?;
    if region.text(tags::CODE_VALUE).is_some_and(|code| KNEE_CODES.contains(&code.as_str())) {
        return Some(Part::Knee);
    }
    by_word(&words_of(&region, tags::CODE_MEANING))
}

/// Another part that descriptions name, and no knee.
fn beside(data_set: &DataSet) -> Option<Part> {
    let words: Vec<String> = BESIDE.into_iter().chain(ORDERED).flat_map(|tag| words_of(data_set, tag)).collect();
    if words.iter().any(|word| KNEE_WORDS.iter().any(|knee| word.contains(knee))) {
        return Some(Part::Knee);
    }
    if words.iter().any(|word| AROUND.contains(&word.as_str())) {
        return Some(Part::Around);
    }
    let is_other = |part: &&str| !NO_OTHER_BESIDE.contains(part) && words.iter().any(|word| word == part);
    OTHER_PARTS.into_iter().find(is_other).map(|part| Part::Other(Some(part)))
}
