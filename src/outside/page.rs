//! The page: how things are, for people. It asks for nothing beside it and runs nothing; the browser fetches it anew by itself.

use super::Snapshot;
use crate::card;
use crate::grade::KlGrade;
use bytesize::ByteSize;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use std::fmt::Display;

/// A browser may draw what is in the page, and must not fetch or run anything.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Seconds after which a browser fetches it anew.
const AGAIN_AFTER: u32 = 10;

/// The page as HTML.
pub(super) fn of(snapshot: &Snapshot) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content=(AGAIN_AFTER);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (if snapshot.is_well() { "" } else { "\u{26a0} " }) "kellgrend" }
                style { (card::style()) }
            }
            body {
                main {
                    (header(snapshot))
                    (glance(snapshot))
                    section { h2 { "Since the start" } (files(snapshot)) (knees(snapshot)) }
                    @if snapshot.training.is_some() { section { h2 { "Training" } (training(snapshot)) } }
                    section { h2 { "Machine" } (machine(snapshot)) (disks(snapshot)) }
                    footer {
                        "kellgrend " (snapshot.version) ", process " (snapshot.pid) ". For programs: "
                        a href="/healthz" { "healthz" } ", " a href="/metrics" { "metrics" }
                        ". Not a medical device; not for diagnosis."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn header(snapshot: &Snapshot) -> Markup {
    html! {
        header {
            p.kicker { "kellgrend" }
            @if snapshot.is_well() {
                h1 { "All is well" }
            } @else {
                h1 { "Not well" }
                div.notice role="alert" {
                    @for ill in &snapshot.ills { div { strong { (sentence(ill)) } } }
                }
            }
            dl.facts {
                dt { "Release" } dd { (snapshot.release) }
                dt { "Device" } dd { (snapshot.device) }
                dt { "Since" } dd { (time(snapshot.started_at)) }
                dt { "Seen at" } dd { (time(snapshot.at)) }
            }
        }
    }
}

fn glance(snapshot: &Snapshot) -> Markup {
    let last = snapshot.last_progress.map_or("\u{2013}".to_owned(), |last| ago(snapshot.at, last));
    let waiting = format!("{} wait for the device", snapshot.device_waiting);
    let told = [
        ("Graded", snapshot.ended("graded").to_string(), "since the start".to_owned()),
        ("In work", snapshot.in_work.to_string(), waiting),
        ("In the inbox", snapshot.inbox.to_string(), "not taken yet".to_owned()),
        ("Last file", last, "came to its end".to_owned()),
    ];
    html! {
        div.glance {
            dl { @for (name, value, more) in told { div { dt { (name) } dd { b { (value) } span { (more) } } } } }
        }
    }
}

fn files(snapshot: &Snapshot) -> Markup {
    settings(snapshot.files.iter().map(|(outcome, files)| (format!("Files {outcome}"), files)))
}

/// Knees by grade, as numbers and as bars.
fn knees(snapshot: &Snapshot) -> Markup {
    let all = snapshot.knees.iter().sum::<u64>().max(1);
    html! {
        div.wide {
            table {
                thead { tr { th scope="col" { "Grade" } th.n scope="col" { "Knees" } th.n scope="col" { "Share" } th.bar {} } }
                tbody {
                    @for (grade, &knees) in KlGrade::ALL.iter().zip(&snapshot.knees) {
                        @let share = 100.0 * knees as f64 / all as f64;
                        tr {
                            th scope="row" { "KL " (grade) " " span.quiet { (grade.meaning()) } }
                            td.n { (knees) }
                            td.n { (format!("{share:.0}")) "\u{a0}%" }
                            td.bar {
                                svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
                                    rect width=(format!("{share:.1}")) height="10" style={ "fill:var(--kl" (grade) ")" } {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn training(snapshot: &Snapshot) -> Markup {
    let Some(training) = &snapshot.training else { return html! {} };
    let none = || "\u{2013}".to_owned();
    settings([
        ("Run", training.run.clone()),
        ("Going on", if training.is_running { "yes" } else { "no" }.to_owned()),
        ("Fits", format!("{} of {}", training.fitted, training.fits)),
        ("Last epoch", training.epoch.map_or_else(none, |epoch| epoch.to_string())),
        ("Last outcome", training.last_outcome.clone().unwrap_or_else(none)),
    ])
}

fn machine(snapshot: &Snapshot) -> Markup {
    let process = &snapshot.process;
    let gpu = snapshot
        .device_memory
        .map(|memory| ("GPU memory free", format!("{} of {}", ByteSize(memory.free), ByteSize(memory.total))));
    let own = [
        ("Memory in use", ByteSize(process.resident_bytes).to_string()),
        ("Threads", process.threads.to_string()),
        ("Open files", process.open_files.to_string()),
    ];
    settings(own.into_iter().chain(gpu))
}

fn disks(snapshot: &Snapshot) -> Markup {
    settings(snapshot.disks.iter().map(|disk| (format!("Free for {}", disk.folder), ByteSize(disk.free_bytes))))
}

fn settings(of: impl IntoIterator<Item = (impl Display, impl Display)>) -> Markup {
    html! {
        dl.settings {
            @for (name, value) in of { div { dt { (name.to_string()) } dd { (value.to_string()) } } }
        }
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long before, in the unit that suits it.
fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.duration_since(then).as_secs().max(0) {
        seconds @ ..120 => format!("{seconds}\u{a0}s ago"),
        seconds @ ..7200 => format!("{}\u{a0}min ago", seconds / 60),
        seconds @ ..172_800 => format!("{}\u{a0}h ago", seconds / 3600),
        seconds => format!("{}\u{a0}days ago", seconds / 86_400),
    }
}
