//! The card's colours, once for its text and its plots, on light and on dark ground.
//!
//! Plots are drawn in the light colours; on dark ground the style sheet replaces each by its partner.

use maud::PreEscaped;
use plotters::style::RGBColor;
use std::fmt::Write as _;

/// A colour and its partner on dark ground.
pub(crate) struct Colour {
    name: &'static str,
    light: RGBColor,
    dark: RGBColor,
}

const fn colour(name: &'static str, light: u32, dark: u32) -> Colour {
    Colour { name, light: rgb(light), dark: rgb(dark) }
}

const fn rgb(code: u32) -> RGBColor {
    RGBColor((code >> 16) as u8, (code >> 8) as u8, code as u8)
}

/// The grades, from cool to warm. Each has a contrast of 3 or more to the ground, and any two are well apart for
/// readers with deuteranopia, protanopia or tritanopia, too (12 or more of 100 in OKLab).
///
/// Source: Machado et al., "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG
/// 2009;15:1291.
pub(crate) static GRADES: [Colour; 5] = [
    colour("kl0", 0x27_36_7F, 0x6A_78_E6),
    colour("kl1", 0x2F_9C_C6, 0x62_C0_F2),
    colour("kl2", 0x2B_74_58, 0xBF_EF_C4),
    colour("kl3", 0xBE_85_18, 0xE9_AC_2E),
    colour("kl4", 0x7A_0F_1F, 0xD4_56_4E),
];

/// What the card is about: the ensemble, what counts.
pub(crate) static MAIN: Colour = colour("main", 0x2E_5C_7E, 0x8C_BA_DC);
/// What stands beside it.
pub(crate) static BESIDE: Colour = colour("beside", 0x8A_93_9C, 0x7D_87_91);
/// Lines of a grid.
pub(crate) static GRID: Colour = colour("grid", 0xE4_E2_DD, 0x2F_34_3A);
/// Lines that are compared with.
pub(crate) static REFERENCE: Colour = colour("reference", 0xB4_B0_A8, 0x5C_63_6B);
/// Words in a plot.
pub(crate) static LABEL: Colour = colour("label", 0x5C_62_69, 0xA9_AF_B6);

impl Colour {
    /// What a plot is drawn with.
    pub(crate) fn ink(&self) -> RGBColor {
        self.light
    }

    /// What a style sheet calls it.
    pub(crate) fn variable(&self) -> String {
        format!("var(--{})", self.name)
    }
}

/// The style sheet of all colours. Paper is light.
pub(crate) fn style() -> PreEscaped<String> {
    let all: Vec<&Colour> = GRADES.iter().chain([&MAIN, &BESIDE, &GRID, &REFERENCE, &LABEL]).collect();
    let code = |RGBColor(red, green, blue): RGBColor| format!("#{red:02X}{green:02X}{blue:02X}");
    let (mut light, mut dark, mut plots) = (String::new(), String::new(), String::new());
    for Colour { name, light: in_light, dark: in_dark } in all {
        let drawn = code(*in_light);
        // writing into a string cannot fail
        let _ = write!(light, "--{name}:{drawn};");
        let _ = write!(dark, "--{name}:{};", code(*in_dark));
        let _ = write!(plots, ".plot [stroke=\"{drawn}\"]{{stroke:var(--{name})}}");
        let _ = writeln!(plots, ".plot [fill=\"{drawn}\"]{{fill:var(--{name})}}");
    }
    PreEscaped(format!(":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{plots}"))
}
