//! Bars, each with its number above it.

use super::picture::Picture;
use crate::card::colours::LABEL;
use crate::card::plot::{Axis, FINE, Plot};
use crate::card::scale::Scale;
use crate::card::words::count;
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, RGBColor};

/// Width and height in points.
const SIZE: (u32, u32) = (504, 196);

/// With more bars than this, numbers would run into each other.
const FEW: usize = 12;

/// A bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: u64,
    pub(super) colour: RGBColor,
}

/// Bars side by side.
pub(super) fn picture(id: &'static str, alt: String, bars: &[Bar]) -> Option<Picture> {
    // up to 2 at least, or there would be lines between whole knees
    let scale = Scale::around(bars.iter().map(|bar| bar.value as f64).chain([0.0, 2.0]), 3);
    let name = |place: &f64| bars.get(place.round() as usize).map_or_else(String::new, |bar| bar.name.clone());
    let plot = Plot {
        title: &alt,
        size: SIZE,
        x: Axis {
            name: "",
            from: -0.5,
            to: bars.len() as f64 - 0.5,
            lines: bars.len().min(FEW),
            label: &name,
            room: 26,
        },
        y: Axis {
            name: "",
            from: 0.0,
            // the tallest one's number has room
            to: scale.high * 1.12,
            lines: scale.line_count(),
            label: &|value| count(*value as u64),
            room: room(&scale),
        },
    };
    let svg = plot.svg(|chart| {
        chart.draw_series((0..).zip(bars).map(|(place, bar)| {
            let place = f64::from(place);
            Rectangle::new([(place - 0.36, 0.0), (place + 0.36, bar.value as f64)], bar.colour.filled())
        }))?;
        if bars.len() <= FEW {
            let letters = ("sans-serif", 15.0 * f64::from(FINE)).into_font().color(&LABEL.ink());
            let letters = letters.pos(Pos::new(HPos::Center, VPos::Bottom));
            let above = scale.high * 0.02;
            chart.draw_series((0..).zip(bars).filter(|(_, bar)| bar.value > 0).map(|(place, bar)| {
                Text::new(count(bar.value), (f64::from(place), bar.value as f64 + above), letters.clone())
            }))?;
        }
        Ok(())
    });
    Picture::of(id, alt, SIZE, &svg)
}

/// For the longest of the numbers beside the plot.
fn room(scale: &Scale) -> u32 {
    let longest = scale.lines().map(|value| count(value as u64).len()).max().unwrap_or(0);
    8 + 7 * longest as u32
}
