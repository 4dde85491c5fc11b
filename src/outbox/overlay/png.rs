//! PNG bytes that say who made them.

use image::{GrayImage, RgbImage};
use png::{BitDepth, ColorType, Compression, Encoder};

/// What the tEXt chunk `Software` of our pictures says, so that intake knows our own output when it is fed back in.
pub const SOFTWARE: &str = concat!("kellgrend ", env!("CARGO_PKG_VERSION"));

/// A picture that could not be written as PNG.
#[derive(Debug, thiserror::Error)]
#[error("The picture ({width}x{height}) could not be written as PNG; it was not published.")]
pub struct PngError {
    width: u32,
    height: u32,
    source: png::EncodingError,
}

/// A colour picture as PNG.
pub fn png_rgb(picture: &RgbImage) -> Result<Vec<u8>, PngError> {
    encode(picture.width(), picture.height(), ColorType::Rgb, picture.as_raw())
}

/// A grey picture as PNG, 8 bit.
pub fn png_grey(picture: &GrayImage) -> Result<Vec<u8>, PngError> {
    encode(picture.width(), picture.height(), ColorType::Grayscale, picture.as_raw())
}

fn encode(width: u32, height: u32, colour: ColorType, samples: &[u8]) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::with_capacity(samples.len() / 2);
    let mut write = || {
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Fast);
        encoder.add_text_chunk("Software".to_owned(), SOFTWARE.to_owned())?;
        let mut writer = encoder.write_header()?;
        writer.write_image_data(samples)?;
        writer.finish()
    };
    write().map_err(|source| PngError { width, height, source })?;
    Ok(bytes)
}
