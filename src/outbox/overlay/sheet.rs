//! The grid on which everything stands: two cells for the knee, a margin for the words.

use super::{
    Caption,
    lettering::{Face, Type, bar},
    palette::Ink,
};
use crate::{grade::KlGrade, side::Side};
use image::{Rgb, RgbImage};

const GROUND: [u8; 3] = [11, 14, 17];
const CELL: [u8; 3] = [0, 0, 0];
const RULE: [u8; 3] = [38, 46, 53];
const TRACK: [u8; 3] = [30, 37, 43];
const FILL: [u8; 3] = [94, 109, 121];
const CHOSEN: [u8; 3] = [122, 190, 235];
const BRIGHT: [u8; 3] = [236, 240, 243];
const PLAIN: [u8; 3] = [184, 193, 201];
const FAINT: [u8; 3] = [128, 140, 150];
const WARNING: [u8; 3] = [245, 186, 78];

/// Lengths in units of a 512th of the knee's longer side, so that a picture of any size looks the same.
const MARGIN: f32 = 28.0;
const GAP: f32 = 16.0;
const HEADER: f32 = 82.0;
const FOOTER: f32 = 256.0;
/// How many members get a dot each; more would not be counted by eye.
const MOST_DOTS: usize = 24;

/// Where things are on one picture, in pixels.
pub(super) struct Sheet {
    unit: f32,
    cell: (u32, u32),
    knee: (u32, u32),
    left: u32,
    right: u32,
    top: u32,
    size: (u32, u32),
}

impl Sheet {
    /// A sheet for a knee of this size; cells are as wide as its longer side, so that the words always have room.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let longer = width.max(height);
        let unit = longer as f32 / 512.0;
        let px = |length: f32| (length * unit).round() as u32;
        let left = px(MARGIN);
        let right = left + longer + px(GAP);
        let top = px(HEADER);
        Self {
            unit,
            cell: (longer, height),
            knee: (width, height),
            left,
            right,
            top,
            size: (right + longer + px(MARGIN), top + height + px(FOOTER)),
        }
    }

    /// The empty sheet with its two cells.
    pub(super) fn blank(&self) -> RgbImage {
        let mut picture = RgbImage::from_pixel(self.size.0, self.size.1, Rgb(GROUND));
        if self.knee != self.cell {
            for x in [self.left, self.right] {
                self.fill(&mut picture, (x, self.top), self.cell, CELL);
            }
        }
        picture
    }

    /// Where the radiograph's first pixel goes.
    pub(super) fn radiograph(&self) -> (u32, u32) {
        (self.left + (self.cell.0 - self.knee.0) / 2, self.top)
    }

    /// Where the overlay's first pixel goes.
    pub(super) fn overlay(&self) -> (u32, u32) {
        (self.right + (self.cell.0 - self.knee.0) / 2, self.top)
    }

    /// Writes and draws all that stands around the cells.
    pub(super) fn letter(&self, picture: &mut RgbImage, ink: &Ink, caption: &Caption<'_>) {
        self.title(picture, caption);
        self.chart(picture, caption);
        self.legend(picture, ink, caption);
        self.imprint(picture, caption.release);
    }

    fn title(&self, picture: &mut RgbImage, caption: &Caption<'_>) {
        let (baseline, big) = (54.0 * self.unit, self.text(44.0));
        let end = big.draw(picture, (self.left as f32, baseline), BRIGHT, &format!("KL {}", caption.grade));
        let end = big.draw(picture, (end, baseline), PLAIN, &format!(" \u{b7} {}", caption.grade.meaning()));
        if caption.needs_review {
            self.text(32.0).draw(picture, (end, baseline), WARNING, "  needs review");
        }
        let (words, colour) = match caption.side {
            Side::Left => ("left knee", BRIGHT),
            Side::Right => ("right knee", BRIGHT),
            Side::Unknown => ("side unknown", WARNING),
        };
        self.text(32.0).draw_to(picture, (self.edge(), baseline), colour, words);
    }

    /// Five bars, one a grade, the chosen one in colour.
    fn chart(&self, picture: &mut RgbImage, caption: &Caption<'_>) {
        let u = self.unit;
        let x = self.left as f32;
        let (small, words) = (self.text(17.0), self.text(18.0));
        small.draw(picture, (x, self.below(24.0)), FAINT, "Radiograph");
        small.draw(picture, (x, self.below(66.0)), FAINT, "Probability of each grade");
        let (from, to) = (x + 160.0 * u, x + 428.0 * u);
        for (grade, p) in KlGrade::ALL.into_iter().zip(caption.probabilities.0) {
            let p = if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 };
            let baseline = self.below(92.0 + 25.0 * grade.index() as f32);
            let middle = baseline - 5.5 * u;
            let (fill, colour) = if grade == caption.grade { (CHOSEN, BRIGHT) } else { (FILL, PLAIN) };
            words.draw(picture, (x, baseline), colour, &grade.to_string());
            words.draw(picture, (x + 20.0 * u, baseline), colour, grade.meaning());
            bar(picture, (from, to), middle, 4.0 * u, TRACK);
            if p > 0.0 {
                bar(picture, (from, from + (to - from) * p), middle, 4.0 * u, fill);
            }
            words.draw_to(picture, (x + 484.0 * u, baseline), colour, &percent(p));
        }
    }

    /// What the colours mean, and how many members agree.
    fn legend(&self, picture: &mut RgbImage, ink: &Ink, caption: &Caption<'_>) {
        let u = self.unit;
        let x = self.right as f32;
        let (small, words) = (self.text(17.0), self.text(18.0));
        small.draw(picture, (x, self.below(24.0)), FAINT, "Grad-CAM over the radiograph");
        small.draw(picture, (x, self.below(66.0)), FAINT, &format!("Influence on KL {}", caption.grade));
        // over the grey of bone, so that the bar shows the colours that the picture shows
        let (top, bottom) = (self.below(80.0) as u32, self.below(94.0) as u32);
        let width = self.cell.0;
        for column in 0..width {
            let colour = Rgb(ink.over(120, (column * 255 / (width - 1).max(1)) as u8));
            (top..bottom).for_each(|y| picture.put_pixel(self.right + column, y, colour));
        }
        small.draw(picture, (x, self.below(113.0)), PLAIN, "low");
        small.draw_to(picture, (self.edge(), self.below(113.0)), PLAIN, "high");

        // one network agrees with itself
        if caption.members == 1 && caption.missing == 0 {
            return;
        }
        let agreement = if caption.agreement.is_finite() { caption.agreement.clamp(0.0, 1.0) } else { 0.0 };
        let agree = (agreement * caption.members as f32).round() as usize;
        let baseline = self.below(167.0);
        let sentence = format!("{agree} of {} networks agree", caption.members);
        let end = words.draw(picture, (x, baseline), PLAIN, &sentence);
        if caption.missing > 0 {
            words.draw(picture, (end, baseline), WARNING, &format!(", {} missing", caption.missing));
        }
        if caption.members <= MOST_DOTS {
            for dot in 0..caption.members {
                let centre = x + (6.0 + 19.0 * dot as f32) * u;
                let colour = if dot < agree { CHOSEN } else { RULE };
                bar(picture, (centre, centre), baseline + 19.5 * u, 5.5 * u, colour);
            }
        }
    }

    /// The last line: what made the picture, and what it must not be used for.
    fn imprint(&self, picture: &mut RgbImage, release: &str) {
        let u = self.unit;
        let rule = (self.edge() as u32 - self.left, u.round() as u32);
        self.fill(picture, (self.left, self.below(213.0) as u32), rule, RULE);
        let baseline = self.below(238.0);
        let notice = self.text(22.0);
        let words = "Not for diagnosis";
        notice.draw_to(picture, (self.edge(), baseline), WARNING, words);
        let room_ends = self.edge() - notice.width(words) - 32.0 * u;
        let x = self.left as f32;
        let x = self.text(17.0).draw(picture, (x, baseline), FAINT, "kellgrend, release ");
        let name = Type { face: Face::Name, size: 15.5 * u };
        name.draw(picture, (x, baseline), PLAIN, &name.shorten(release, room_ends - x));
    }

    fn text(&self, size: f32) -> Type {
        Type { face: Face::Text, size: size * self.unit }
    }

    /// A height below the cells.
    fn below(&self, length: f32) -> f32 {
        (self.top + self.cell.1) as f32 + length * self.unit
    }

    /// Where the right column ends.
    fn edge(&self) -> f32 {
        (self.right + self.cell.0) as f32
    }

    fn fill(&self, picture: &mut RgbImage, (x, y): (u32, u32), (width, height): (u32, u32), colour: [u8; 3]) {
        let (right, lower) = ((x + width.max(1)).min(picture.width()), (y + height.max(1)).min(picture.height()));
        for (x, y) in (y..lower).flat_map(|y| (x..right).map(move |x| (x, y))) {
            picture.put_pixel(x, y, Rgb(colour));
        }
    }
}

/// A probability for the eye: whole per cent, and no nought for what is merely small.
fn percent(p: f32) -> String {
    match p * 100.0 {
        small if small > 0.0 && small <= 0.5 => "<1 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}
