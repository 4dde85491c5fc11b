//! What a soak looked like: a table, and a picture with a panel for each value, all on one axis of time.

use super::plan::{BURSTS, CRAMPED, EARLY, FULL, HELD, LATE, MAIL_DOWN};
use super::sample::{Sample, median};
use plotters::coord::{Shift, types::RangedCoordf64};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Places are whole numbers; so many to a point keep curves smooth.
const FINE: i32 = 10;
/// In points.
const WIDTH: i32 = 960;
const LEFT: i32 = 64;
const RIGHT: i32 = 96;
const TITLE: i32 = 42;
const LANE: i32 = 17;
const HEADING: i32 = 24;
const PANEL: i32 = 104;
const FOOT: i32 = 28;

/// So many places from left to right; in each the lowest and the highest value are drawn, so that no peak is lost.
const PLACES: usize = 400;

const INK: RGBColor = RGBColor(0x22, 0x26, 0x2A);
const LABEL: RGBColor = RGBColor(0x5C, 0x62, 0x69);
const GRID: RGBColor = RGBColor(0xE4, 0xE2, 0xDD);
const MAIN: RGBColor = RGBColor(0x2E, 0x5C, 0x7E);
const BESIDE: RGBColor = RGBColor(0x8A, 0x93, 0x9C);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// What went on, when, and in which colour.
struct Lane {
    name: &'static str,
    spans: Vec<Range<f64>>,
    colour: RGBColor,
}

/// A value's line, and what stands at its end.
struct Line {
    name: &'static str,
    value: fn(&Sample) -> f64,
    colour: RGBColor,
}

struct Panel {
    name: &'static str,
    unit: &'static str,
    lines: Vec<Line>,
    /// Whether early and late are compared.
    is_flat: bool,
}

fn lanes() -> [Lane; 6] {
    let burst = |at: f64| at..at + 0.004;
    let lane = |name, spans: &[Range<f64>], colour| Lane { name, spans: spans.to_vec(), colour };
    [
        lane("compared", &[EARLY, LATE], BESIDE),
        lane("30 films at once", &BURSTS.map(burst), RGBColor(0x2B, 0x74, 0x58)),
        lane("a reader stays", &HELD, RGBColor(0x2F, 0x9C, 0xC6)),
        lane("no mail server", &MAIL_DOWN, RGBColor(0x8A, 0x6F, 0xB0)),
        lane("no byte free", &[FULL], RGBColor(0xB2, 0x2A, 0x2A)),
        lane("little room", &[CRAMPED], RGBColor(0xD9, 0x9A, 0x2B)),
    ]
}

fn panels() -> [Panel; 7] {
    const MIB: f64 = (1 << 20) as f64;
    let line = |name, value| Line { name, value, colour: MAIN };
    let beside = |name, value| Line { name, value, colour: BESIDE };
    let flat = |name, unit, lines| Panel { name, unit, lines, is_flat: true };
    let free = |name, unit, lines| Panel { name, unit, lines, is_flat: false };
    [
        flat(
            "Memory of the daemon",
            " MiB",
            vec![
                line("resident", |sample| sample.resident as f64 / 1024.0),
                beside("anonymous", |sample| sample.anonymous as f64 / 1024.0),
            ],
        ),
        flat(
            "Memory of its decoders",
            " MiB",
            vec![
                line("of all", |sample| sample.decoders_resident as f64 / 1024.0),
                beside("of each", |sample| sample.of_a_decoder() / 1024.0),
            ],
        ),
        flat("Descriptors", "", vec![line("open", |sample| sample.descriptors as f64)]),
        flat("Threads", "", vec![line("running", |sample| sample.threads as f64)]),
        flat("The ledger's WAL", " MiB", vec![line("on disk", |sample| sample.wal as f64 / MIB)]),
        free("Files waiting, in inbox and work", "", vec![line("waiting", |sample| sample.waiting as f64)]),
        free(
            "Files sent, and at their end",
            "",
            vec![beside("sent", |sample| sample.sent as f64), line("at their end", |sample| sample.ended as f64)],
        ),
    ]
}

/// Writes soak.csv and soak.svg below the build's folder; where the picture is.
pub fn keep(samples: &[Sample], length: Duration) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_BIN_EXE_kellgrend")).ancestors().nth(2).expect("the build's folder").join("soak");
    fs::create_dir_all(&folder).expect("a folder");
    let mut table = csv::Writer::from_path(folder.join("soak.csv")).expect("a table");
    samples.iter().for_each(|sample| table.serialize(sample).expect("written"));
    table.flush().expect("written");
    let picture = folder.join("soak.svg");
    fs::write(&picture, svg(samples, length)).expect("written");
    picture
}

fn svg(samples: &[Sample], length: Duration) -> String {
    let (lanes, panels) = (lanes(), panels());
    let strip = TITLE + lanes.len() as i32 * LANE + 4;
    let height = strip + panels.len() as i32 * (HEADING + PANEL) + FOOT;
    let size = (WIDTH * FINE, height * FINE);
    let mut svg = String::new();
    let draw = |svg: &mut String| -> Drawn {
        let area = SVGBackend::with_string(svg, (size.0 as u32, size.1 as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        title(&area, length)?;
        for (row, lane) in lanes.iter().enumerate() {
            let top = TITLE + row as i32 * LANE;
            text(&area, lane.name, (WIDTH - RIGHT + 8, top + LANE / 2), 11, &lane.colour, HPos::Left)?;
            for span in &lane.spans {
                area.draw(&bar(span, top + 3..top + LANE - 3, lane.colour.filled()))?;
            }
        }
        for (row, panel) in panels.iter().enumerate() {
            let top = strip + row as i32 * (HEADING + PANEL) + HEADING;
            for lane in &lanes[1..] {
                for span in &lane.spans {
                    area.draw(&bar(span, top..top + PANEL, lane.colour.mix(0.13).filled()))?;
                }
            }
            panel.draw(&area, top, samples, length, row + 1 == panels.len())?;
        }
        area.present()
    };
    draw(&mut svg).expect("a string takes all there is");
    let frame = |width: i32, height: i32| format!("width=\"{width}\" height=\"{height}\"");
    svg.replacen(&frame(size.0, size.1), &frame(WIDTH, height), 1)
}

fn title(area: &Area, length: Duration) -> Drawn {
    let told = format!("A soak of {}", humantime::format_duration(length));
    text(area, &told, (LEFT, 16), 15, &INK, HPos::Left)?;
    let told = "Bands show what went on, as named on the right. Above a panel: its medians in the second quarter \u{2192} in the last one.";
    text(area, told, (LEFT, 33), 11, &LABEL, HPos::Left)
}

impl Panel {
    fn draw(&self, area: &Area, top: i32, samples: &[Sample], length: Duration, is_last: bool) -> Drawn {
        let values = |line: &Line| samples.iter().map(line.value).fold(0.0, f64::max);
        let step = step(self.lines.iter().map(values).fold(1.0, f64::max) * 1.08);
        let highest = (self.lines.iter().map(values).fold(1.0, f64::max) * 1.08 / step).ceil() * step;
        text(area, self.name, (LEFT, top - 10), 12, &INK, HPos::Left)?;
        let here =
            area.clone().shrink((0, top * FINE), (WIDTH * FINE, (PANEL + if is_last { FOOT } else { 0 }) * FINE));
        let (time, unit, every) = axis(length);
        let mut chart = ChartBuilder::on(&here)
            .margin_right(RIGHT * FINE)
            .y_label_area_size(LEFT * FINE)
            .x_label_area_size(if is_last { FOOT * FINE } else { 0 })
            .build_cartesian_2d(0.0..time, 0.0..highest)?;
        let letters = ("sans-serif", 11.0 * 1.24 * f64::from(FINE)).into_font().color(&LABEL);
        chart
            .configure_mesh()
            .axis_style(TRANSPARENT)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.stroke_width(FINE as u32))
            .x_labels((time / every) as usize + 1)
            .y_labels((highest / step) as usize + 1)
            .x_label_formatter(&|at| format!("{at:.0}{unit}"))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .label_style(letters)
            .set_all_tick_mark_size(3 * FINE)
            .draw()?;
        let mut ends: Vec<(f64, &Line)> = Vec::new();
        for line in &self.lines {
            let places = extremes(samples, line.value).map(|(share, value)| (share * time, value));
            chart.draw_series([PathElement::new(places.collect::<Vec<_>>(), line.colour.stroke_width(12))])?;
            ends.push((samples.last().map_or(0.0, line.value), line));
        }
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        self.tell(area, &chart, time, &ends, samples)
    }

    /// Names at the lines' ends, and what was usual.
    fn tell(
        &self,
        area: &Area,
        chart: &ChartContext<SVGBackend, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
        time: f64,
        ends: &[(f64, &Line)],
        samples: &[Sample],
    ) -> Drawn {
        let mut lowest = i32::MAX;
        for (value, line) in ends {
            // two lines that end side by side are named one above the other
            lowest = (chart.backend_coord(&(time, *value)).1 / FINE).min(lowest.saturating_sub(13));
            text(area, line.name, (WIDTH - RIGHT + 8, lowest), 11, &line.colour, HPos::Left)?;
        }
        let said = self.lines.iter().map(|line| {
            let [early, late] = [EARLY, LATE].map(|part| median(samples, part, line.value));
            let digits = if self.unit.is_empty() { 0 } else { 1 };
            format!("{} {early:.digits$} \u{2192} {late:.digits$}{}", line.name, self.unit)
        });
        if self.is_flat {
            let top = chart.backend_coord(&(time, chart.y_range().end)).1 / FINE;
            let said = said.collect::<Vec<_>>().join(", ");
            text(area, &said, (WIDTH - RIGHT, top - 10), 11, &LABEL, HPos::Right)?;
        }
        Ok(())
    }
}

/// The lowest and the highest value of each place, in the order in which they came.
fn extremes(samples: &[Sample], value: fn(&Sample) -> f64) -> impl Iterator<Item = (f64, f64)> {
    let each = samples.len().div_ceil(PLACES).max(1);
    samples.chunks(each).flat_map(move |chunk| {
        let places = chunk.iter().map(|sample| (sample.share, value(sample)));
        let low = places.clone().min_by(|one, other| one.1.total_cmp(&other.1));
        let high = places.max_by(|one, other| one.1.total_cmp(&other.1));
        let mut both: Vec<_> = low.into_iter().chain(high).collect();
        both.sort_by(|one, other| one.0.total_cmp(&other.0));
        both.dedup();
        both
    })
}

/// The axis of time: its end, the unit, and a line so often.
fn axis(length: Duration) -> (f64, &'static str, f64) {
    let seconds = length.as_secs_f64();
    let (end, unit) = if seconds < 600.0 { (seconds, " s") } else { (seconds / 60.0, " min") };
    (end, unit, step(end / 2.0))
}

/// A round number of which two or a few make the whole.
fn step(whole: f64) -> f64 {
    let magnitude = 10f64.powf((whole / 2.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|times| times * magnitude).find(|step| whole / step >= 2.0).unwrap_or(magnitude)
}

/// A span of time, over these rows.
fn bar(span: &Range<f64>, rows: Range<i32>, style: ShapeStyle) -> Rectangle<(i32, i32)> {
    let across = |share: f64| (f64::from(LEFT * FINE) + share * f64::from((WIDTH - LEFT - RIGHT) * FINE)) as i32;
    Rectangle::new([(across(span.start), rows.start * FINE), (across(span.end), rows.end * FINE)], style)
}

fn text(area: &Area, what: &str, (x, y): (i32, i32), size: i32, colour: &RGBColor, side: HPos) -> Drawn {
    let style =
        ("sans-serif", f64::from(size * FINE) * 1.24).into_font().color(colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(what.to_owned(), (x * FINE, y * FINE), style))
}
