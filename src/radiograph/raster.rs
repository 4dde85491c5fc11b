//! PNG, JPEG and TIFF: pictures without tags.

mod png_chunks;
mod tiff_directory;

pub(super) use png_chunks::check_end as check_png_end;
pub(super) use tiff_directory::check_end as check_tiff_end;

use super::luma::{eight_bits, luma, scale};
use super::turbojpeg::{Decoder, Grey};
use super::{Limits, Refusal, Tags, jpeg_markers};
use image::codecs::{png::PngDecoder, tiff::TiffDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError};
use std::io::{Cursor, ErrorKind};
use tiff::decoder::Decoder as Directory;
use tiff::tags::{CompressionMethod, Tag};

type Decoded = Result<(GrayImage, Tags), Refusal>;

/// Decodes a PNG of any depth; alpha is dropped, as OpenCV does.
pub(super) fn png(bytes: &[u8], limits: &Limits) -> Decoded {
    let orientation = png_chunks::check(bytes)?;
    Refusal::on_panic(|| {
        let decoder = PngDecoder::with_limits(Cursor::new(bytes), bounds(limits));
        decode("PNG", decoder, Some(orientation), false, limits)
    })
}

/// Photometric interpretations of a TIFF: its decoder turns greys of the first round in all of their bits; the other is for a press.
const WHITE_IS_ZERO: u16 = 0;
const SEPARATED: u16 = 5;
/// A bit of New Subfile Type: a smaller version of another picture.
const THUMBNAIL: u32 = 1;
/// Fill Order: bits from the lowest, which the decoder does not heed.
const LOWEST_FIRST: u16 = 2;

/// Decodes a TIFF. One of several pictures, but for thumbnails, is refused, for each of them may be a film; and one whose strips are
/// JPEGs: each has a size of its own, and its decoder allocates by that.
pub(super) fn tiff(bytes: &[u8], limits: &Limits) -> Decoded {
    Refusal::on_panic(|| {
        // what is damaged is for the decoder to say
        let directory = || Directory::new(Cursor::new(bytes));
        let tag = |tag| directory().ok()?.find_tag_unsigned::<u16>(tag).ok()?;
        if tag(Tag::Compression) == Some(CompressionMethod::ModernJPEG.to_u16()) {
            return Err(Refusal::unsupported("its TIFF data are coded as JPEG"));
        }
        if tag(Tag::PhotometricInterpretation) == Some(SEPARATED) {
            return Err(Refusal::unsupported("it is a CMYK TIFF, made for a printing press"));
        }
        if tag(Tag::FillOrder) == Some(LOWEST_FIRST) {
            return Err(Refusal::unsupported("its TIFF data have their bits the other way round"));
        }
        if directory().is_ok_and(|mut first| is_thumbnail(&mut first)) {
            return Err(Refusal::unsupported("it is a TIFF that begins with a thumbnail"));
        }
        if directory().is_ok_and(has_other_films) {
            return Err(Refusal::unsupported("it is a TIFF of several pictures"));
        }
        let is_inverted = tag(Tag::PhotometricInterpretation) == Some(WHITE_IS_ZERO);
        decode("TIFF", TiffDecoder::new(Cursor::new(bytes)), None, is_inverted, limits)
    })
}

type TiffFile<'a> = Directory<Cursor<&'a [u8]>>;

/// Whether the directory that it is at is that of a thumbnail.
fn is_thumbnail(tiff: &mut TiffFile) -> bool {
    let kind = tiff.find_tag_unsigned::<u32>(Tag::NewSubfileType).ok().flatten();
    kind.is_some_and(|kind| kind & THUMBNAIL != 0)
}

/// Whether there are pictures behind the first that are no thumbnails, or that cannot be looked at.
fn has_other_films(mut tiff: TiffFile) -> bool {
    while tiff.more_images() {
        if tiff.next_image().is_err() || !is_thumbnail(&mut tiff) {
            return true;
        }
    }
    false
}

/// Decodes a JPEG and turns it as its EXIF orientation says.
pub(super) fn jpeg(bytes: &[u8], limits: &Limits) -> Decoded {
    jpeg_markers::check_end(bytes)?;
    let decoder = Decoder::new(bytes, limits)?;
    let (width, height, precision) = (decoder.width, decoder.height, decoder.precision);
    let kind = if decoder.grey { "grey" } else { "colour" };
    let grey = match decoder.grey()? {
        Grey::Eight(values) => values,
        Grey::Sixteen(values) => scale(&values, (1 << precision) - 1),
    };
    let mut picture = DynamicImage::ImageLuma8(picture(width, height, grey)?);
    picture.apply_orientation(jpeg_markers::orientation(bytes));
    Ok((picture.into_luma8(), Tags::of_raster(format!("JPEG, {precision} bit {kind}"))))
}

/// Turned by an orientation, or as its decoder says.
fn decode<D: ImageDecoder>(
    name: &str,
    decoder: Result<D, ImageError>,
    orientation: Option<Orientation>,
    is_inverted: bool,
    limits: &Limits,
) -> Decoded {
    let refusal = |error| refusal(name, &error);
    let mut decoder = decoder.map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    limits.check(width, height)?;
    let most = limits.decoded_bytes();
    if decoder.total_bytes() > most {
        return Err(Refusal::TooLarge(format!("it decodes to {} bytes, the limit is {most}", decoder.total_bytes())));
    }
    decoder.set_limits(bounds(limits)).map_err(refusal)?;
    let orientation = orientation.or_else(|| decoder.orientation().ok()).unwrap_or(Orientation::NoTransforms);
    let (depth, kind, grey) = grey(DynamicImage::from_decoder(decoder).map_err(refusal)?, is_inverted)?;
    let mut picture = DynamicImage::ImageLuma8(picture(width, height, grey)?);
    picture.apply_orientation(orientation);
    Ok((picture.into_luma8(), Tags::of_raster(format!("{name}, {depth} bit {kind}"))))
}

/// What a decoder of `image` may allocate.
fn bounds(limits: &Limits) -> image::Limits {
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.decoded_bytes());
    bounds
}

/// Bits a sample, "grey" or "colour", and 8-bit grey values, of which the decoder may have made the negative.
fn grey(image: DynamicImage, is_inverted: bool) -> Result<(u8, &'static str, Vec<u8>), Refusal> {
    fn of_colour<T: Copy + Into<u16>>(samples: &[T], channels: usize) -> Vec<u16> {
        samples.chunks_exact(channels).map(|p| luma(p[0].into(), p[1].into(), p[2].into())).collect()
    }
    let bytes = |values: Vec<u16>| values.into_iter().map(|value| value as u8).collect();
    Ok(match image {
        DynamicImage::ImageLuma8(image) => (8, "grey", image.into_raw()),
        DynamicImage::ImageLumaA8(image) => (8, "grey", image.into_raw().into_iter().step_by(2).collect()),
        DynamicImage::ImageRgb8(image) => (8, "colour", bytes(of_colour(&image, 3))),
        DynamicImage::ImageRgba8(image) => (8, "colour", bytes(of_colour(&image, 4))),
        // how many of the bits are used is seen before they are turned round
        DynamicImage::ImageLuma16(image) if is_inverted => {
            let stored: Vec<u16> = image.iter().map(|grey| !grey).collect();
            (16, "grey", eight_bits(&stored).into_iter().map(|grey| !grey).collect())
        }
        DynamicImage::ImageLuma16(image) => (16, "grey", eight_bits(&image)),
        DynamicImage::ImageLumaA16(image) => {
            (16, "grey", eight_bits(&image.into_raw().into_iter().step_by(2).collect::<Vec<_>>()))
        }
        DynamicImage::ImageRgb16(image) => (16, "colour", eight_bits(&of_colour(&image, 3))),
        DynamicImage::ImageRgba16(image) => (16, "colour", eight_bits(&of_colour(&image, 4))),
        _ => return Err(Refusal::unsupported("its samples are neither 8 nor 16 bit integers")),
    })
}

fn picture(width: u32, height: u32, grey: Vec<u8>) -> Result<GrayImage, Refusal> {
    GrayImage::from_raw(width, height, grey).ok_or_else(|| Refusal::damaged("it decodes to another size than it says"))
}

/// The decoder's own words are left out: they may repeat text of the file.
fn refusal(name: &str, error: &ImageError) -> Refusal {
    match error {
        ImageError::Limits(_) => Refusal::TooLarge(format!("its {name} data ask for too much memory")),
        ImageError::Unsupported(_) => Refusal::unsupported(format!("its kind of {name} is unusual")),
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Refusal::truncated(format!("its {name} data end early"))
        }
        _ => Refusal::damaged(format!("its {name} data do not decode")),
    }
}
