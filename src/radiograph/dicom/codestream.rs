//! What a coded frame's own header says, checked before a decoder allocates by it.

use super::image_pixel::ImagePixel;
use crate::radiograph::Refusal;
use charls::CharLS;

/// JPEG 2000 tiles; films have one, or some hundred of 256 x 256.
const MAX_TILES: u64 = 4096;
/// JPEG 2000 quality layers; encoders write one to twenty.
const MAX_LAYERS: u16 = 64;
/// JPEG 2000 precincts and code-blocks smaller than 2^4 a side are never written and cost memory by the square.
const MIN_EXPONENT: u8 = 4;
/// Start of scan and end of image (ITU-T T.81 B.1).
const SOS: u8 = 0xDA;
const EOI: u8 = 0xD9;

/// Whether the bytes are the beginning of a JPEG, JPEG-LS or JPEG 2000 frame, which is nowhere else in one.
pub(super) fn starts(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xFF\xD8\xFF") || bytes.starts_with(b"\xFF\x4F\xFF\x51")
}

/// Refuses a coded picture of another size than Rows and Columns.
pub(super) fn check_size(coding: &str, pixel: &ImagePixel, width: u32, height: u32) -> Result<(), Refusal> {
    if (width, height) == (pixel.columns.into(), pixel.rows.into()) {
        return Ok(());
    }
    Err(Refusal::damaged(format!(
        "its {coding} header says {width} x {height} pixels, its tags say {} x {}",
        pixel.columns, pixel.rows
    )))
}

/// Checks JPEG-LS with the decoder's own header reader; gives the bits of an output word, 8 or 16.
///
/// Where no marker follows the scan, the decoder reads on through four billion bits that are not there, so the end is
/// looked for first.
pub(super) fn check_jpeg_ls(frame: &[u8], pixel: &ImagePixel) -> Result<u16, Refusal> {
    let last = |marker| frame.windows(2).rposition(|two| two == [0xFF, marker]);
    if last(EOI) < last(SOS) {
        return Err(Refusal::truncated("its JPEG-LS data end before the EOI marker"));
    }
    let header =
        CharLS::default().get_frame_info(frame).map_err(|_| Refusal::damaged("its JPEG-LS header is damaged"))?;
    check_size("JPEG-LS", pixel, header.width, header.height)?;
    if header.component_count != 1 || pixel.samples != 1 {
        return Err(Refusal::unsupported("it is a JPEG-LS picture in colour"));
    }
    match header.bits_per_sample {
        2..=8 => Ok(8),
        9..=16 if pixel.bits_allocated == 16 => Ok(16),
        bits => Err(Refusal::damaged(format!("its JPEG-LS samples have {bits} bits"))),
    }
}

/// Checks RLE (PS3.5 G): as many segments as bytes a pixel, each of which unpacks to one byte a pixel.
///
/// The decoder trusts the header and unpacks without a bound, so both are looked at first.
pub(super) fn check_rle(frame: &[u8], pixel: &ImagePixel) -> Result<(), Refusal> {
    let header: &[u8; 64] = frame.first_chunk().ok_or_else(|| Refusal::truncated("its RLE header is cut off"))?;
    let (words, _) = header.as_chunks::<4>();
    let words: Vec<usize> = words.iter().map(|word| u32::from_le_bytes(*word) as usize).collect();
    let expected = usize::from(pixel.samples * pixel.bits_allocated / 8);
    if words[0] != expected {
        return Err(Refusal::damaged(format!("its RLE data have {} segments instead of {expected}", words[0])));
    }
    let mut ends = words[2..=expected].to_vec();
    ends.push(frame.len());
    for (start, end) in words[1..=expected].iter().zip(ends) {
        let segment = frame.get(*start..end).filter(|_| *start >= 64);
        let segment = segment.ok_or_else(|| Refusal::damaged("its RLE segments lie outside its pixel data"))?;
        check_packed(segment, pixel.pixels())?;
    }
    Ok(())
}

/// A packed segment must unpack to `length` bytes; a zero byte or two of padding may follow.
fn check_packed(segment: &[u8], length: usize) -> Result<(), Refusal> {
    let (mut at, mut unpacked) = (0, 0);
    while unpacked < length {
        let control = *segment.get(at).ok_or_else(|| Refusal::truncated("an RLE segment ends early"))?;
        let (literal, run) = match control {
            0..=127 => (usize::from(control) + 1, 0),
            128 => (0, 0),
            129..=255 => (1, 257 - usize::from(control)),
        };
        at += 1 + literal;
        unpacked += if run > 0 { run } else { literal };
    }
    // The decoder also unpacks what follows, where a lone control byte would fail: padding of literal zeros may.
    if unpacked > length || at > segment.len() || segment.len() - at > 2 {
        return Err(Refusal::damaged("an RLE segment does not unpack to one byte a pixel"));
    }
    Ok(())
}

/// Checks a JPEG 2000 codestream (ISO 15444-1 A): the size, the memory that its structure asks for, every tile present.
pub(super) fn check_jpeg_2000(frame: &[u8], pixel: &ImagePixel) -> Result<(), Refusal> {
    let mut stream = Markers { bytes: frame, at: 2 };
    if !frame.starts_with(&[0xFF, 0x4F]) {
        return Err(Refusal::damaged("its JPEG 2000 data do not start with a codestream"));
    }
    let (marker, size) = stream.segment()?;
    if marker != 0x51 || size.len() < 36 + 3 * usize::from(pixel.samples) {
        return Err(Refusal::damaged("its JPEG 2000 codestream has no SIZ segment"));
    }
    let tiles = check_siz(size, pixel)?;
    let mut seen = vec![false; tiles];
    loop {
        let (marker, body) = stream.segment()?;
        match marker {
            // COD and COC: the structure parameters follow 5 bytes, or 2 with the component and style.
            0x52 => check_structure(body.get(1..5), body.get(5..))?,
            0x53 => check_structure(None, body.get(2..))?,
            0x90 => {
                let start = stream.at - body.len() - 4;
                let tile = body.get(..2).map_or(tiles, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
                let length =
                    body.get(2..6).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes) as usize;
                *seen.get_mut(tile).ok_or_else(|| Refusal::damaged("its JPEG 2000 data have a tile too many"))? = true;
                if stream.skip_tile_part(start, length)? {
                    break;
                }
            }
            _ => {}
        }
    }
    if seen.contains(&false) {
        return Err(Refusal::truncated("its JPEG 2000 data lack a tile"));
    }
    Ok(())
}

fn check_siz(siz: &[u8], pixel: &ImagePixel) -> Result<usize, Refusal> {
    let long = |at: usize| siz.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    let [x1, y1, x0, y0, tile_width, tile_height, tile_x0, tile_y0] = [2, 6, 10, 14, 18, 22, 26, 30].map(long);
    check_size("JPEG 2000", pixel, x1.saturating_sub(x0), y1.saturating_sub(y0))?;
    let components = u16::from_be_bytes([siz[34], siz[35]]);
    if components != pixel.samples {
        return Err(Refusal::damaged(format!(
            "its JPEG 2000 data have {components} components, its tags say {}",
            pixel.samples
        )));
    }
    if siz[36..].chunks_exact(3).any(|component| component[1..] != [1, 1]) {
        return Err(Refusal::unsupported("its JPEG 2000 data have fewer pixels in some components"));
    }
    if siz[36..].chunks_exact(3).any(|component| u16::from(component[0] & 0x7F) + 1 > pixel.bits_allocated) {
        return Err(Refusal::damaged("its JPEG 2000 samples have more bits than its tags allocate"));
    }
    if tile_width == 0 || tile_height == 0 || tile_x0 > x0 || tile_y0 > y0 {
        return Err(Refusal::damaged("its JPEG 2000 tiles have no size"));
    }
    let across = u64::from(x1 - tile_x0).div_ceil(tile_width.into());
    let down = u64::from(y1 - tile_y0).div_ceil(tile_height.into());
    if across * down > MAX_TILES {
        return Err(Refusal::TooLarge(format!(
            "its JPEG 2000 data have {} tiles, the limit is {MAX_TILES}",
            across * down
        )));
    }
    Ok((across * down) as usize)
}

/// `general`: progression, layers (2 bytes), colour transform. `block`: levels, code-block width and height, style,
/// transform, then a precinct size for each resolution, if any.
fn check_structure(general: Option<&[u8]>, block: Option<&[u8]>) -> Result<(), Refusal> {
    let Some([levels, width, height, _, _, precincts @ ..]) = block else {
        return Err(Refusal::damaged("its JPEG 2000 coding style is cut off"));
    };
    let layers = general.map_or(1, |general| u16::from_be_bytes([general[1], general[2]]));
    let small_precinct = precincts.iter().any(|size| size & 15 < MIN_EXPONENT || size >> 4 < MIN_EXPONENT);
    // Code-block exponents are written less 2.
    let small_block = (width & 15).min(height & 15) + 2 < MIN_EXPONENT;
    if layers > MAX_LAYERS || *levels > 32 || small_precinct || small_block {
        return Err(Refusal::unsupported("its JPEG 2000 coding style asks for needlessly much memory"));
    }
    Ok(())
}

/// The marker segments of a JPEG 2000 codestream.
struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    /// The next segment's marker and body.
    fn segment(&mut self) -> Result<(u8, &'a [u8]), Refusal> {
        let cut_off = || Refusal::truncated("its JPEG 2000 data end early");
        let [prefix, marker, high, low] =
            *self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or_else(cut_off)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if prefix != 0xFF || length < 2 {
            return Err(Refusal::damaged("its JPEG 2000 data have no marker where one should be"));
        }
        let body = self.bytes.get(self.at + 4..self.at + 2 + length).ok_or_else(cut_off)?;
        self.at += 2 + length;
        Ok((marker, body))
    }

    /// From behind a tile-part's SOT segment to behind its data, checking its own coding styles; whether it was the last.
    fn skip_tile_part(&mut self, start: usize, length: usize) -> Result<bool, Refusal> {
        while self.bytes.get(self.at..self.at + 2) != Some(&[0xFF, 0x93]) {
            match self.segment()? {
                (0x52, body) => check_structure(body.get(1..5), body.get(5..))?,
                (0x53, body) => check_structure(None, body.get(2..))?,
                _ => {}
            }
        }
        let data = self.at + 2;
        // Length zero means up to the end-of-codestream marker.
        self.at = if length == 0 { self.bytes.len() } else { start.saturating_add(length) };
        if self.at < data || self.at > self.bytes.len() {
            return Err(Refusal::truncated("its JPEG 2000 data end inside a tile"));
        }
        Ok(matches!(self.bytes.get(self.at..), None | Some([]) | Some([0xFF, 0xD9, ..])))
    }
}
