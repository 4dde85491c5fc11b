//! The words of a tag.

use super::super::data_set::DataSet;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// What people and devices write of the film beside the tags that are for it. There is much else in it, so that only whole words count.
pub(super) const BESIDE: [Tag; 2] = [tags::SERIES_DESCRIPTION, tags::ACQUISITION_DEVICE_PROCESSING_DESCRIPTION];

/// And of what was ordered, of which the film may be one of several.
pub(super) const ORDERED: [Tag; 3] =
    [tags::PROTOCOL_NAME, tags::PERFORMED_PROCEDURE_STEP_DESCRIPTION, tags::STUDY_DESCRIPTION];

/// The words, in capitals; a.p. is one, and bi-lateral.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.to_uppercase().replace('.', "").replace("BI-LAT", "BILAT").replace("BI LAT", "BILAT");
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words of a tag; none where it is missing.
pub(super) fn words_of(data_set: &DataSet, tag: Tag) -> Vec<String> {
    words(&data_set.text(tag).unwrap_or_default())
}

/// The meaning of the first code of a sequence. One that cannot be read says nothing.
pub(super) fn meaning(data_set: &DataSet, sequence: Tag) -> Option<String> {
    data_set.first_item(sequence).ok().flatten()?.text(tags::CODE_MEANING)
}
