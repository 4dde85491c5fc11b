//! Phantoms as ordinary pictures, for those who do not send DICOM.

use super::{PhantomError, Picture};
use image::{GrayImage, ImageFormat, codecs::jpeg::JpegEncoder};
use std::io::Cursor;

/// JPEG quality: a careful export, not a messenger's.
const QUALITY: u8 = 92;

/// The picture as 16 bit grey PNG, its 12 bits spread over all 16.
pub fn png16(picture: &Picture) -> Result<Vec<u8>, PhantomError> {
    grey16(picture, ImageFormat::Png)
}

/// The same as uncompressed TIFF.
pub fn tiff16(picture: &Picture) -> Result<Vec<u8>, PhantomError> {
    grey16(picture, ImageFormat::Tiff)
}

fn grey16(picture: &Picture, format: ImageFormat) -> Result<Vec<u8>, PhantomError> {
    let mut wide = picture.clone();
    wide.iter_mut().for_each(|value| *value = *value << 4 | *value >> 8);
    let mut bytes = Cursor::new(Vec::new());
    wide.write_to(&mut bytes, format).map_err(PhantomError::Raster)?;
    Ok(bytes.into_inner())
}

/// The picture in 8 bits a pixel, as a network is shown it.
pub fn grey8(picture: &Picture) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        image::Luma([(picture.get_pixel(x, y).0[0] >> 4) as u8])
    })
}

/// The picture as 8 bit grey JPEG.
pub fn jpeg8(picture: &Picture) -> Result<Vec<u8>, PhantomError> {
    let mut bytes = Vec::new();
    grey8(picture)
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))
        .map_err(PhantomError::Raster)?;
    Ok(bytes)
}
