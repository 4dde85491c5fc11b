//! What a digest says, section by section; another section is another function in the list.

use super::bars::{self, Bar};
use super::block::{Block, Section, Table};
use super::{Digest, files, knees};
use crate::card::colours::{GRADES as COLOURS, MAIN};
use crate::card::words::{count, counted, number, percent};
use crate::drift::{Against, Drift, Finding, TOO_LITTLE};
use crate::grade::KlGrade;
use bytesize::ByteSize;
use std::collections::BTreeMap;

/// All that have something to say, what matters most first.
pub(super) fn of(digest: &Digest) -> Vec<Section> {
    let all = [grades, days, refusals, readers, drift, training, disk];
    all.iter().filter_map(|section| section(digest)).collect()
}

fn grades(digest: &Digest) -> Option<Section> {
    let all = digest.knees();
    if all == 0 {
        let line = "Nothing was graded.".to_owned();
        return Some(Section { title: "Grades", blocks: vec![Block::Line(line)] });
    }
    let of_grade = |grade: KlGrade| digest.figures.grades[grade.index()];
    let rows = KlGrade::ALL
        .map(|grade| vec![format!("KL {grade}"), count(of_grade(grade)), percent(of_grade(grade) as f64 / all as f64)]);
    let table = Table { head: vec!["Grade", "Knees", "Share"], rows: rows.into() };
    let bars: Vec<_> = KlGrade::ALL
        .iter()
        .map(|&grade| Bar { name: format!("KL {grade}"), value: of_grade(grade), colour: COLOURS[grade.index()].ink() })
        .collect();
    let picture = bars::picture("grades", "Bars: knees by grade, as in the table".to_owned(), &bars);
    // one network agrees with itself, always
    let agreement = digest.figures.agreement.filter(|share| *share < 1.0);
    let agreement = agreement.map(|share| format!("On average {} of the networks agreed.", percent(share)));
    let review = |doubtful| format!("A human should look at {}: `kellgrend report review`.", knees(doubtful));
    let trust = Vec::from_iter(agreement.into_iter().chain(digest.figures.needs_review.map(review))).join(" ");
    let mut blocks = Vec::from_iter(picture.map(Block::Picture));
    blocks.push(Block::Table(table));
    if !trust.is_empty() {
        blocks.push(Block::Line(trust));
    }
    Some(Section { title: "Grades", blocks })
}

/// Of so many days a plot says something.
const MANY_DAYS: std::ops::RangeInclusive<usize> = 3..=62;

/// Knees by day.
fn days(digest: &Digest) -> Option<Section> {
    let day = |at: jiff::Timestamp| at.to_zoned(digest.zone.clone()).date();
    // what ends at midnight has nothing of the day that begins then
    let (first, last) = (day(digest.since), day(digest.until - jiff::SignedDuration::from_nanos(1)));
    let mut by_day: BTreeMap<_, u64> =
        first.series(jiff::ToSpan::day(1)).take_while(|day| *day <= last).map(|day| (day, 0)).collect();
    for (minute, knees) in &digest.figures.minutes {
        *by_day.entry(day(*minute)).or_default() += knees;
    }
    if digest.knees() == 0 || !MANY_DAYS.contains(&by_day.len()) {
        return None;
    }
    let style = if by_day.len() <= 8 { "%a %-d" } else { "%-d %b" };
    let bars: Vec<_> = by_day
        .iter()
        .map(|(day, &value)| Bar { name: day.strftime(style).to_string(), value, colour: MAIN.ink() })
        .collect();
    let most = bars.iter().max_by_key(|bar| bar.value)?;
    let line = format!("Most on {}: {}.", most.name, knees(most.value));
    let picture = bars::picture("days", format!("Bars: knees graded each day. {line}"), &bars)?;
    Some(Section { title: "Day by day", blocks: vec![Block::Picture(picture), Block::Line(line)] })
}

fn refusals(digest: &Digest) -> Option<Section> {
    let figures = &digest.figures;
    let mut blocks = Vec::new();
    if !figures.quarantined.is_empty() {
        let rows = figures.quarantined.iter().map(|(code, files)| vec![code.clone(), count(*files)]).collect();
        blocks.push(Block::Table(Table { head: vec!["Reason", "Files"], rows }));
        blocks.push(Block::Line("`kellgrend report refused` says more of each.".to_owned()));
    }
    let others = [
        ("Came again, and graded only once", figures.duplicates),
        ("Interrupted, taken away or replaced before they were graded", figures.withdrawn),
    ];
    blocks.extend(
        others
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| Block::Line(format!("{what}: {}.", files(*count)))),
    );
    (!blocks.is_empty()).then_some(Section { title: "Not graded", blocks })
}

fn readers(digest: &Digest) -> Option<Section> {
    let figures = &digest.figures;
    let rows: Vec<_> = figures
        .readers
        .iter()
        .map(|line| {
            let name = format!("{}, {}", line.month, line.release);
            vec![name, count(line.knees), percent(line.accuracy), number(line.quadratic_kappa)]
        })
        .collect();
    let mut blocks = Vec::new();
    if figures.labels > 0 {
        blocks.push(Block::Line(format!("{} came from readers.", counted(figures.labels, "label"))));
    }
    if !rows.is_empty() {
        let head = vec!["Graded in, by", "Knees", "Same grade", "Kappa"];
        blocks.push(Block::Table(Table { head, rows }));
        let line = "Of all knees graded in the month that readers have graded, too. Kappa is Cohen's with quadratic weights: 1 is \
                    full agreement, 0 what chance would bring.";
        blocks.push(Block::Line(line.to_owned()));
    }
    (!blocks.is_empty()).then_some(Section { title: "Agreement with readers", blocks })
}

fn drift(digest: &Digest) -> Option<Section> {
    type Found = fn(&Drift) -> Option<Finding>;
    let looks: [(&str, Found); 4] = [
        ("Mix of grades", |drift| drift.grades),
        ("Entropy", |drift| drift.entropy),
        ("Agreement of the networks", |drift| drift.agreement),
        ("Refusals", |drift| drift.refusals),
    ];
    let row = |(what, found): (&str, Found)| {
        let cells = digest.drift.iter().map(|(_, drift)| found(drift).map_or(TOO_LITTLE.to_owned(), told));
        [what.to_owned()].into_iter().chain(cells).collect()
    };
    let against = digest.drift.iter().map(|(against, _)| match against {
        Against::FirstWeeks => "Against the first weeks",
        Against::MonthsBefore => "Against the months before",
    });
    let head = ["The last four weeks"].into_iter().chain(against).collect();
    let table = Table { head, rows: looks.map(row).into() };
    let line = "The first weeks are the release's first eight here, the months before are the twelve weeks before the last four. p is \
                what chance alone would make of it, corrected for four looks. `kellgrend report drift` says more.";
    let blocks = vec![Block::Table(table), Block::Line(line.to_owned())];
    (!digest.drift.is_empty()).then_some(Section { title: "Drift", blocks })
}

fn told(finding: Finding) -> String {
    let size = if finding.is_change() { format!(", {}", finding.magnitude()) } else { String::new() };
    let p = match finding.adjusted {
        p if p < 0.001 => "< 0.001".to_owned(),
        p => format!("{p:.3}"),
    };
    format!("{}{size} (p {p})", finding.verdict())
}

fn training(digest: &Digest) -> Option<Section> {
    let told = |outcome: &str| match outcome {
        "promoted" => "in service",
        "kept" => "kept out of service",
        _ => "failed",
    };
    let lines = digest.figures.trainings.iter();
    let blocks: Vec<_> =
        lines.map(|run| Block::Line(format!("{}: {}. {}", run.name, told(&run.outcome), run.reasons))).collect();
    (!blocks.is_empty()).then_some(Section { title: "Training", blocks })
}

fn disk(digest: &Digest) -> Option<Section> {
    let rows: Vec<_> =
        digest.disks.iter().map(|disk| vec![disk.folder.clone(), ByteSize(disk.free).to_string()]).collect();
    let table = Table { head: vec!["Where this folder is", "Free"], rows };
    (!table.rows.is_empty()).then_some(Section { title: "Disk", blocks: vec![Block::Table(table)] })
}
