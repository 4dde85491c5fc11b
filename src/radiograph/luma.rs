//! From colour and 16 bits to 8-bit grey.

/// Rec. 601 luma of red, green and blue of any depth, in OpenCV's 15-bit fixed point (`cvtColor`, `RGB2GRAY`).
pub(crate) fn luma(red: u16, green: u16, blue: u16) -> u16 {
    let sum = u64::from(red) * 9_798 + u64::from(green) * 19_235 + u64::from(blue) * 3_735;
    ((sum + (1 << 14)) >> 15) as u16
}

/// 16-bit grey to 8: `v/257` rounded, or `v*255/4095` rounded where no value reaches 4096.
///
/// Detectors deliver 12 bits and exporters store them unscaled; read as 16 bits such a film would be all but black.
pub(crate) fn eight_bits(values: &[u16]) -> Vec<u8> {
    let full = match values.iter().max() {
        Some(max) if *max < 4096 => 4095,
        _ => 65_535,
    };
    scale(values, full)
}

/// Grey values from 0 to `full` to 0..=255, rounded.
pub(crate) fn scale(values: &[u16], full: u32) -> Vec<u8> {
    let table: Vec<u8> = (0..=65_535u32).map(|v| ((v.min(full) * 255 + full / 2) / full) as u8).collect();
    values.iter().map(|v| table[usize::from(*v)]).collect()
}
