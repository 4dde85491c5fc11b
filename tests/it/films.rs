//! Small radiographs for tests: phantoms made small, each of its own.

use image::{GrayImage, imageops};
use kellgrend::phantom::{self, Coding};
use kellgrend::side::Side;
use std::io::Cursor;
use std::sync::OnceLock;

/// A phantom knee of 160 pixels as PNG; every seed makes other bytes.
pub fn small_png(seed: u32) -> Vec<u8> {
    static KNEE: OnceLock<GrayImage> = OnceLock::new();
    let knee = KNEE.get_or_init(|| imageops::thumbnail(&phantom::grey8(&phantom::knee(7, Side::Left, 0.5)), 160, 160));
    let mut knee = knee.clone();
    for (i, byte) in seed.to_le_bytes().into_iter().enumerate() {
        knee.put_pixel(i as u32, 0, image::Luma([byte]));
    }
    png(&knee)
}

/// A phantom of 256 pixels as DICOM, in one coding after another; every seed makes another film of another patient.
pub fn small_dicom(seed: u64) -> Vec<u8> {
    static KNEE: OnceLock<phantom::Picture> = OnceLock::new();
    let knee = KNEE.get_or_init(|| imageops::thumbnail(&phantom::knee(8, Side::Right, 0.3), 256, 256));
    let codings = [Coding::ExplicitLittleEndian, Coding::ImplicitLittleEndian, Coding::JpegLs, Coding::Rle];
    let subject = phantom::Subject::new(seed, phantom::Knees::One(Side::Right));
    phantom::dicom(knee, &subject, codings[seed as usize % codings.len()]).expect("a DICOM file")
}

pub fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).expect("a PNG");
    bytes
}

/// A DICOM phantom of a patient with this name and ID.
pub fn dicom_of(name: &str, id: &str, seed: u64) -> Vec<u8> {
    let mut subject = phantom::Subject::new(seed, phantom::Knees::One(Side::Right));
    subject.patient_name = name.to_owned();
    subject.patient_id = id.to_owned();
    let knee = phantom::knee(seed, Side::Right, 0.3);
    phantom::dicom(&knee, &subject, Coding::ExplicitLittleEndian).expect("a DICOM file")
}
