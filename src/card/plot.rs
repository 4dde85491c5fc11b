//! What all plots share: a picture with a title, two axes, a quiet grid.

use super::colours::{GRID, LABEL};
use maud::{Markup, PreEscaped, html};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::io;

/// Places are whole numbers; so many to a point of the page keep curves smooth.
pub(crate) const FINE: u32 = 10;

/// The size of letters, in points. Plots are laid out so that the page hardly scales them.
const LETTERS: f64 = 12.0;

/// How much room a named axis with short labels takes, in points.
pub(crate) const ROOM: u32 = 46;

/// Two axes to draw on.
pub(crate) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
/// Whether drawing went well.
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// One axis.
pub(crate) struct Axis<'a> {
    /// What it is; nothing where the page says it.
    pub(crate) name: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The most lines that it may have.
    pub(crate) lines: usize,
    /// What is written at a line.
    pub(crate) label: &'a dyn Fn(&f64) -> String,
    /// How much room that takes, in points; none where nothing is written.
    pub(crate) room: u32,
}

/// A plot before anything is drawn in it.
pub(crate) struct Plot<'a> {
    /// Read out to those who do not see it.
    pub(crate) title: &'a str,
    /// Width and height in points.
    pub(crate) size: (u32, u32),
    pub(crate) x: Axis<'a>,
    pub(crate) y: Axis<'a>,
}

impl<'a> Axis<'a> {
    /// From 0 to 1.
    pub(crate) fn of_shares(name: &'a str) -> Self {
        Self { name, from: 0.0, to: 1.0, lines: 6, label: &|share| format!("{share:.1}"), room: ROOM }
    }
}

impl Plot<'_> {
    /// Draws the grid, and what is in it, as a part of a page.
    pub(crate) fn draw(&self, inside: impl FnOnce(&mut Chart) -> Drawn) -> Markup {
        let (width, height) = (self.size.0 * FINE, self.size.1 * FINE);
        let svg = self.svg(inside);
        // the frame is ours: it has a title, and its size is the page's affair
        let drawn = svg.split_once(">\n").map_or("", |(_, rest)| rest).trim_end().trim_end_matches("</svg>");
        html! {
            svg.plot role="img" viewBox={ "0 0 " (width) " " (height) } {
                title { (self.title) }
                (PreEscaped(drawn))
            }
        }
    }

    /// Draws the same as a picture of its own.
    pub(crate) fn svg(&self, inside: impl FnOnce(&mut Chart) -> Drawn) -> String {
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, (self.size.0 * FINE, self.size.1 * FINE));
        self.draw_into(backend, inside).expect("a string takes all there is");
        svg
    }

    fn draw_into(&self, backend: SVGBackend<'_>, inside: impl FnOnce(&mut Chart) -> Drawn) -> Drawn {
        let area = backend.into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(6 * FINE)
            .margin_right(14 * FINE)
            .x_label_area_size(self.x.room * FINE)
            .y_label_area_size(self.y.room * FINE)
            .build_cartesian_2d(self.x.from..self.x.to, self.y.from..self.y.to)?;
        let letters = ("sans-serif", LETTERS * 1.24 * f64::from(FINE)).into_font().color(&LABEL.ink());
        let mut mesh = chart.configure_mesh();
        mesh.axis_style(TRANSPARENT)
            .light_line_style(TRANSPARENT)
            .bold_line_style(line(&GRID.ink(), 1.0))
            .x_labels(self.x.lines)
            .y_labels(self.y.lines)
            .x_label_formatter(self.x.label)
            .y_label_formatter(self.y.label)
            .label_style(letters)
            .set_all_tick_mark_size(3 * FINE);
        if !self.x.name.is_empty() {
            mesh.x_desc(self.x.name);
        }
        if !self.y.name.is_empty() {
            mesh.y_desc(self.y.name);
        }
        mesh.draw()?;
        inside(&mut chart)?;
        area.present()
    }
}

/// A line's colour and width in points.
pub(crate) fn line(colour: &impl Color, width: f64) -> ShapeStyle {
    colour.stroke_width((width * f64::from(FINE)) as u32)
}
