//! DICOM films.

mod codestream;
mod data_set;
mod elements;
mod file;
mod grey;
mod image_pixel;
mod lut;
mod modality;
mod pixels;
mod shutter;
mod subject;
mod syntax;
mod voi;

pub(super) use file::{is_bare_data_set, is_part_10};

use super::{Limits, Refusal, Tags};
use dicom_dictionary_std::tags;
use file::File;
use image::GrayImage;
use image_pixel::ImagePixel;

/// Reads a film: what it shows is asked first, then its shape, then its pixels.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(GrayImage, Tags), Refusal> {
    let file = File::open(bytes, limits)?;
    if file.directory {
        return Err(Refusal::Directory);
    }
    file.check_end()?;
    let data_set = &file.data_set;
    subject::check(data_set)?;
    let pixel = ImagePixel::read(data_set, limits)?;
    let mut stored = pixels::stored_values(data_set, file.syntax.as_ref(), &pixel, limits)?;
    let (columns, rows) = shutter::seen(data_set, pixel.columns, pixel.rows);
    if columns.len() * rows.len() < stored.len() {
        let lines = stored.chunks_exact(pixel.columns.into()).take(rows.end).skip(rows.start);
        stored = lines.flat_map(|line| &line[columns.clone()]).copied().collect();
    }
    let table = grey::table(data_set, &pixel, &stored)?;
    let picture = stored.into_iter().map(|value| table[usize::from(value)]).collect();
    let coding = file.syntax.as_ref().map_or("no transfer syntax", |syntax| syntax.name).to_owned();
    let picture = GrayImage::from_raw(columns.len() as u32, rows.len() as u32, picture)
        .ok_or_else(|| Refusal::damaged("its pixel data have another size than its tags say"))?;
    let tags = subject::tags(data_set, picture.dimensions(), coding);
    Ok((picture, tags))
}

/// Whether all of the file has arrived; the error says what is missing, or what else is wrong.
pub(super) fn check_complete(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let file = File::open(bytes, limits)?;
    file.check_end()?;
    let data_set = &file.data_set;
    let Some(element) = data_set.element(tags::PIXEL_DATA).filter(|element| element.undefined) else { return Ok(()) };
    data_set.fragments(element).map(|_| ())
}
