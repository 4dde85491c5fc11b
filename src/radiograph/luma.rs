//! From colour and 16 bits to 8-bit grey.

/// Rec. 601 luma of red, green and blue of any depth, in OpenCV's 15-bit fixed point (`cvtColor`, `RGB2GRAY`).
pub(crate) fn luma(red: u16, green: u16, blue: u16) -> u16 {
    let sum = u64::from(red) * 9_798 + u64::from(green) * 19_235 + u64::from(blue) * 3_735;
    ((sum + (1 << 14)) >> 15) as u16
}

/// As many bits as there may be in 16.
const DEPTHS: std::ops::RangeInclusive<usize> = 8..=16;

/// Of so many pixels one may be brighter than the film: letters that are burned in.
const LETTERS: usize = 100;

/// 16-bit grey to 8: `v/257` rounded, or by fewer bits where all but letters fit into them.
///
/// Detectors deliver 8 to 14 bits and exporters store them unscaled; read as 16 bits such a film would be all but black. What is as
/// white as can be, as a frame, says nothing of how many.
pub(crate) fn eight_bits(values: &[u16]) -> Vec<u8> {
    let mut of_bits = [0; 17];
    for value in values.iter().filter(|value| **value < u16::MAX) {
        of_bits[16 - value.leading_zeros() as usize] += 1;
    }
    let fits = |bits: &usize| of_bits[bits + 1..].iter().sum::<usize>() <= values.len() / LETTERS;
    let bits = DEPTHS.into_iter().find(fits).unwrap_or(16);
    scale(values, (1 << bits) - 1)
}

/// Grey values from 0 to `full` to 0..=255, rounded.
pub(crate) fn scale(values: &[u16], full: u32) -> Vec<u8> {
    let table: Vec<u8> = (0..=65_535u32).map(|v| ((v.min(full) * 255 + full / 2) / full) as u8).collect();
    values.iter().map(|v| table[usize::from(*v)]).collect()
}
