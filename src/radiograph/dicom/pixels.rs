//! Pixel Data (PS3.5 8) to stored values: native, or decoded after its own header has been checked.

use super::codestream;
use super::data_set::DataSet;
use super::elements::Element;
use super::image_pixel::{ImagePixel, Photometric};
use super::syntax::{Coding, Syntax};
use crate::radiograph::luma::luma;
use crate::radiograph::turbojpeg::{Decoder, Grey};
use crate::radiograph::{Limits, Refusal};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::borrow::Cow;

/// The stored values of a film, one a pixel, in the low `bits_stored` bits; of a coloured one the luma.
pub(super) fn stored_values(
    data_set: &DataSet,
    syntax: Option<&Syntax>,
    pixel: &ImagePixel,
    limits: &Limits,
) -> Result<Vec<u16>, Refusal> {
    let missing = || Refusal::damaged("its pixel data are neither 8 nor 16 bit integers");
    let element = data_set.element(tags::PIXEL_DATA).ok_or_else(missing)?;
    let coding = syntax.map_or(Coding::Native, |syntax| syntax.coding);
    if pixel.photometric == Photometric::YbrSubsampled && coding != Coding::Jpeg {
        return Err(Refusal::unsupported("its colours are subsampled"));
    }
    match (syntax, element.undefined) {
        (_, false) if coding == Coding::Native => {
            Ok(one_sample(native(data_set, element, pixel)?, pixel, pixel.planar))
        }
        (Some(syntax), true) if coding != Coding::Native => {
            let frame = frame(data_set, element)?;
            if coding == Coding::Jpeg {
                return jpeg(&frame, pixel, limits);
            }
            // The readers return colour by pixel, whatever its planar configuration is called.
            Ok(one_sample(encapsulated(frame, syntax, pixel)?, pixel, false))
        }
        (None, _) => Err(Refusal::unsupported("it does not say which transfer syntax it is coded in")),
        _ => Err(Refusal::damaged("its pixel data are not coded as its transfer syntax says")),
    }
}

/// Uncompressed samples as 16-bit words.
fn native(data_set: &DataSet, element: &Element, pixel: &ImagePixel) -> Result<Vec<u16>, Refusal> {
    let all = data_set.slice(&element.value);
    let (rows, columns) = (pixel.rows, pixel.columns);
    let (needed, row) = (pixel.frame_bytes(), pixel.frame_bytes() / usize::from(rows));
    // Some padding may follow, but with a row too many the shape is another one.
    let bytes = all.get(..needed).filter(|_| all.len() < needed + row.max(2)).ok_or_else(|| {
        Refusal::damaged(format!("{rows} x {columns} pixels need {needed} bytes, it has {}", all.len()))
    })?;
    let encoding = data_set.encoding();
    if pixel.bits_allocated == 16 {
        return Ok(bytes.chunks_exact(2).map(|two| encoding.word([two[0], two[1]])).collect());
    }
    // Big endian OW holds 8-bit samples swapped in pairs (PS3.5 8.2).
    if encoding.big_endian && &element.vr == b"OW" {
        return Ok(bytes
            .iter()
            .enumerate()
            .map(|(i, own)| bytes.get(i ^ 1).unwrap_or(own))
            .map(|v| (*v).into())
            .collect());
    }
    Ok(bytes.iter().map(|byte| (*byte).into()).collect())
}

/// The one frame of encapsulated pixel data: all fragments after the offset table (PS3.5 A.4).
fn frame<'a>(data_set: &'a DataSet, element: &Element) -> Result<Cow<'a, [u8]>, Refusal> {
    let fragments = data_set.fragments(element)?;
    match fragments.get(1..).unwrap_or_default() {
        all if all.iter().all(|fragment| fragment.is_empty()) => {
            Err(Refusal::truncated("its pixel data have no fragment"))
        }
        [only] => Ok(Cow::Borrowed(only)),
        [_, others @ ..] if others.iter().any(|fragment| codestream::starts(fragment)) => {
            Err(Refusal::unsupported("its pixel data hold several frames instead of one"))
        }
        several => Ok(Cow::Owned(several.concat())),
    }
}

fn jpeg(frame: &[u8], pixel: &ImagePixel, limits: &Limits) -> Result<Vec<u16>, Refusal> {
    let decoder = Decoder::new(frame, limits)?;
    codestream::check_size("JPEG", pixel, decoder.width, decoder.height)?;
    if decoder.precision > u32::from(pixel.bits_allocated) {
        return Err(Refusal::damaged("its JPEG has more bits than its tags allocate"));
    }
    let is_lossy = !decoder.lossless;
    let mut values = match decoder.grey()? {
        Grey::Eight(values) => values.into_iter().map(u16::from).collect(),
        Grey::Sixteen(values) => values,
    };
    if is_lossy {
        clamp(&mut values, pixel);
    }
    values.iter_mut().for_each(|value| *value = pixel.stored(*value));
    Ok(values)
}

/// RLE, JPEG 2000 and JPEG-LS through the registry's readers.
fn encapsulated(frame: Cow<[u8]>, syntax: &Syntax, pixel: &ImagePixel) -> Result<Vec<u16>, Refusal> {
    let words = match syntax.coding {
        Coding::Rle => codestream::check_rle(&frame, pixel).map(|()| pixel.bits_allocated)?,
        Coding::Jpeg2000 => codestream::check_jpeg_2000(&frame, pixel).map(|()| pixel.bits_allocated)?,
        _ => codestream::check_jpeg_ls(&frame, pixel)?,
    };
    let object = Frame { bytes: frame, uid: &syntax.uid, pixel };
    let decoded = Refusal::on_panic(|| {
        let refused = |_| Refusal::damaged(format!("its {} data do not decode", syntax.name));
        let Some(Codec::EncapsulatedPixelData(Some(reader), _)) =
            TransferSyntaxRegistry.get(&syntax.uid).map(|found| found.codec())
        else {
            return Err(Refusal::unsupported(format!("its transfer syntax is {}", syntax.name)));
        };
        let mut decoded = Vec::new();
        reader.decode_frame(&object, 0, &mut decoded).map_err(refused)?;
        Ok(decoded)
    })?;
    let mut samples: Vec<u16> = if words == 16 {
        decoded.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect()
    } else {
        decoded.into_iter().map(u16::from).collect()
    };
    if samples.len() != pixel.pixels() * usize::from(pixel.samples) {
        return Err(Refusal::damaged("its pixel data decode to another size than its tags say"));
    }
    if [uids::JPEG2000, uids::JPEGLS_NEAR_LOSSLESS].contains(&syntax.uid.as_str()) {
        clamp(&mut samples, pixel);
    }
    Ok(samples)
}

/// What loses something may overshoot, and white must not become black; only what loses nothing has overlays above its bits.
fn clamp(samples: &mut [u16], pixel: &ImagePixel) {
    if !pixel.signed {
        samples.iter_mut().for_each(|sample| *sample = (*sample).min(pixel.most()));
    }
}

/// Masks grey samples; takes colour, by plane or by pixel, to luma.
fn one_sample(mut samples: Vec<u16>, pixel: &ImagePixel, planar: bool) -> Vec<u16> {
    samples.iter_mut().for_each(|sample| *sample = pixel.stored(*sample));
    if pixel.samples == 1 {
        return samples;
    }
    let (first, step) = if planar { (pixel.pixels(), 1) } else { (1, 3) };
    (0..pixel.pixels())
        .map(|i| i * step)
        .map(|i| match pixel.photometric {
            Photometric::Rgb => luma(samples[i], samples[i + first], samples[i + 2 * first]),
            _ => samples[i],
        })
        .collect()
}

/// One coded frame, as the registry's readers want to see it.
struct Frame<'a> {
    bytes: Cow<'a, [u8]>,
    uid: &'a str,
    pixel: &'a ImagePixel,
}

impl PixelDataObject for Frame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.uid
    }

    fn rows(&self) -> Option<u16> {
        Some(self.pixel.rows)
    }

    fn cols(&self) -> Option<u16> {
        Some(self.pixel.columns)
    }

    fn samples_per_pixel(&self) -> Option<u16> {
        Some(self.pixel.samples)
    }

    fn bits_allocated(&self) -> Option<u16> {
        Some(self.pixel.bits_allocated)
    }

    fn bits_stored(&self) -> Option<u16> {
        Some(self.pixel.bits_stored)
    }

    fn photometric_interpretation(&self) -> Option<&str> {
        None
    }

    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }

    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }

    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then_some(Cow::Borrowed(&self.bytes))
    }

    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        None
    }

    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        None
    }
}
