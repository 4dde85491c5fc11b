//! 12 bit samples as the frame of an encapsulated DICOM picture.

use super::PhantomError;
use charls::{CharLS, FrameInfo};

/// The most bytes that one packet of RLE stands for.
const PACKET: usize = 128;

/// One JPEG-LS codestream (ISO 14495-1), lossless.
pub fn jpeg_ls(samples: &[u16], width: u32, height: u32) -> Result<Vec<u8>, PhantomError> {
    let bytes: Vec<u8> = samples.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let frame = FrameInfo { width, height, bits_per_sample: 12, component_count: 1 };
    CharLS::default().encode(frame, 0, &bytes).map_err(PhantomError::JpegLs)
}

/// RLE (PS3.5 G): the upper bytes as one segment, then the lower ones, row by row.
pub fn rle(samples: &[u16], width: u32) -> Vec<u8> {
    let segment = |shift: u32| {
        let mut packets = Vec::new();
        for row in samples.chunks(width as usize) {
            let bytes: Vec<u8> = row.iter().map(|value| (value >> shift) as u8).collect();
            pack(&bytes, &mut packets);
        }
        packets.resize(packets.len().next_multiple_of(2), 0);
        packets
    };
    let (upper, lower) = (segment(8), segment(0));
    // how many segments, and where they begin; a header has room for 15 of them
    let header = [2, 64, 64 + upper.len() as u32].map(u32::to_le_bytes).concat();
    let mut frame = header;
    frame.resize(64, 0);
    frame.extend(upper);
    frame.extend(lower);
    frame
}

/// One row in packets: a byte that is repeated, or bytes as they are.
fn pack(mut row: &[u8], packets: &mut Vec<u8>) {
    while let Some(&first) = row.first() {
        let repeated = row.iter().take(PACKET).take_while(|byte| **byte == first).count();
        let taken = if repeated > 1 {
            packets.extend([(257 - repeated) as u8, first]);
            repeated
        } else {
            let next_pair = row.windows(2).take(PACKET).position(|pair| pair[0] == pair[1]);
            let literal = next_pair.unwrap_or(row.len().min(PACKET));
            packets.push(literal as u8 - 1);
            packets.extend(&row[..literal]);
            literal
        };
        row = &row[taken..];
    }
}
