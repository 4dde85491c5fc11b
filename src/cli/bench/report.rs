//! What was measured: the fields of `--json`, and the same as tables.

use super::codings::DecodeRate;
use super::latency::Latency;
use super::machine::{Machine, Memory};
use super::rates::{NetworkRates, Rates};
use crate::cli::table::aligned;
use bytesize::ByteSize;
use serde::Serialize;
use std::io::{self, Write};

/// Goes up when a field changes its meaning or goes.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The fields of `--json`, for its help.
pub(super) const FIELDS: &str = "\
Fields of --json (rates are a second, times milliseconds):
  schema_version  1
  machine         host, cpu, cores, device, kellgrend and libtorch (versions)
  precision       the one in force: bf16, fp16, fp32 or reference
  streams         members that compute side by side on a GPU
  capture         batches of up to so many knees have their launches captured and replayed on a GPU
  release         its name; null for untrained networks
  seconds         what each measurement took at least
  networks        of each: name, image_size, weights_bytes, and RATES of its forward pass
  ensemble        views_per_second (all networks, one after another), with_maps and without_maps (RATES of grading)
  latency         repeats; bytes_to_result and its parts decode, networks, drawing, each median_ms and p95_ms
  decode          of each coding: coding, file_bytes, radiographs_per_second, megapixels_per_second
  memory          peak_resident_bytes; device: total_bytes, free_before_bytes, free_after_bytes, taken_bytes, or null
RATES are views_per_second (the best), best_batch, and batches: of each, batch and views_per_second, which is null
where the memory was too small. With --training: schema_version, machine, precision, seconds, and networks, of each name,
image_size and RATES of whole steps of training.";

/// All figures of a run; the names of the fields are a public contract.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) schema_version: u32,
    pub(super) machine: Machine,
    /// The one in force: never `auto`.
    pub(super) precision: &'static str,
    /// Of no meaning on a CPU.
    pub(super) streams: usize,
    pub(super) capture: usize,
    /// The release; none for untrained networks.
    pub(super) release: Option<String>,
    pub(super) seconds: f64,
    pub(super) networks: Vec<NetworkRates>,
    pub(super) ensemble: EnsembleRates,
    pub(super) latency: Latency,
    pub(super) decode: Vec<DecodeRate>,
    pub(super) memory: Memory,
}

/// All networks.
#[derive(Debug, Serialize)]
pub(super) struct EnsembleRates {
    /// 1 / (sum of 1 / views_per_second over the networks).
    pub(super) views_per_second: f64,
    pub(super) with_maps: Rates,
    pub(super) without_maps: Rates,
}

impl Report {
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Machine { host, cpu, cores, device, kellgrend, libtorch } = &self.machine;
        writeln!(out, "machine    {host}, {cpu}, {cores} cores")?;
        writeln!(out, "device     {device}")?;
        writeln!(out, "program    kellgrend {kellgrend}, libtorch {libtorch}, precision {}", self.precision)?;
        if (self.streams, self.capture) != (1, 0) {
            writeln!(out, "launches   streams {}, capture {}", self.streams, self.capture)?;
        }
        match &self.release {
            Some(release) => writeln!(out, "networks   of the release {release}\n")?,
            None => writeln!(out, "networks   untrained\n")?,
        }
        writeln!(out, "{}\n", self.rates())?;
        writeln!(out, "{}\n", self.latency())?;
        writeln!(out, "{}\n", self.decode())?;
        self.memory.print(out)
    }

    /// A line a network, then the ensemble; a column for each batch where there are several.
    fn rates(&self) -> String {
        let batches = self.networks.first().map_or(&[][..], |network| &network.rates.batches);
        let batches = if batches.len() > 1 { batches } else { &[] };
        let mut header: Vec<_> = ["NETWORK", "PIXELS", "WEIGHTS", "VIEWS/S", "TOGETHER"].map(str::to_owned).into();
        header.extend(batches.iter().map(|batch| format!("BY {}", batch.batch)));
        let line = |name: &str, pixels: String, bytes: String, rates: &Rates| {
            let best = [number(rates.views_per_second), rates.best_batch.to_string()];
            let each = rates.batches.iter().map(|batch| batch.views_per_second.map_or_else(dash, number));
            let each = each.take(batches.len());
            [name.to_owned(), pixels, bytes].into_iter().chain(best).chain(each).collect::<Vec<_>>()
        };
        let of_network = |network: &NetworkRates| {
            let bytes = ByteSize(network.weights_bytes).to_string();
            line(&network.name, network.image_size.to_string(), bytes, &network.rates)
        };
        let mut rows: Vec<Vec<String>> = self.networks.iter().map(of_network).collect();
        let all = &self.ensemble;
        let bytes = ByteSize(self.networks.iter().map(|network| network.weights_bytes).sum()).to_string();
        rows.push(vec!["one after another".into(), String::new(), bytes, number(all.views_per_second)]);
        rows.push(line("graded, with maps", String::new(), String::new(), &all.with_maps));
        rows.push(line("graded, without maps", String::new(), String::new(), &all.without_maps));
        aligned(&header, rows)
    }

    fn latency(&self) -> String {
        let Latency { repeats, bytes_to_result, decode, networks, drawing } = &self.latency;
        let parts = [
            ("from bytes to result", bytes_to_result),
            ("  decode", decode),
            ("  networks", networks),
            ("  drawing", drawing),
        ];
        let rows = parts.map(|(part, took)| [part.to_owned(), number(took.median_ms), number(took.p95_ms)]);
        aligned(&[&format!("ONE KNEE, {repeats} TIMES"), "MEDIAN MS", "95 % MS"], rows)
    }

    fn decode(&self) -> String {
        let rows = self.decode.iter().map(|rate| {
            let (films, pixels) = (rate.radiographs_per_second, rate.megapixels_per_second);
            [rate.coding.to_owned(), ByteSize(rate.file_bytes as u64).to_string(), number(films), number(pixels)]
        });
        aligned(&["DECODING, ONE THREAD", "FILE", "RADIOGRAPHS/S", "MPIXELS/S"], rows)
    }
}

impl Memory {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let peak = self.peak_resident_bytes.map_or_else(dash, |bytes| ByteSize(bytes).to_string());
        writeln!(out, "memory     {peak} at most")?;
        match &self.device {
            Some(device) => {
                let (taken, total) = (ByteSize(device.taken_bytes), ByteSize(device.total_bytes));
                writeln!(out, "on device  {taken} of {total}")
            }
            None => Ok(()),
        }
    }
}

/// Three digits or more.
pub(super) fn number(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn dash() -> String {
    "-".to_owned()
}
