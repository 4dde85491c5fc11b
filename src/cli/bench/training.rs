//! Views a second that networks learn from: a whole step, from pictures on the device to changed weights.

use super::clock::Clock;
use super::machine::Machine;
use super::progress::Progress;
use super::rates::{Rates, best};
use super::report::number;
use crate::cli::table::aligned;
use crate::ensemble::{DeviceInUse, GradeError, Look};
use crate::networks::{Architecture, weights::Weights};
use crate::phantom::{grey8, knee};
use crate::side::Side;
use crate::training::fit::{Beginning, FitError, Learner, Lesson, Origin};
use crate::training::parameters::Learning;
use crate::training::pictures::Pictures;
use crate::training::recipe::RecipeName;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::io::{self, Write};
use tch::Tensor;

/// All figures of a run; the names of the fields are a public contract.
#[derive(Debug, Serialize)]
pub(super) struct TrainingReport {
    schema_version: u32,
    machine: Machine,
    /// What convolutions compute in.
    precision: &'static str,
    seconds: f64,
    networks: Vec<OfNetwork>,
}

#[derive(Debug, Serialize)]
struct OfNetwork {
    name: &'static str,
    image_size: u32,
    #[serde(flatten)]
    rates: Rates,
}

/// Measures the networks, each at its own image size, by the recipe that begins from nothing.
pub(super) fn measure(
    networks: &[Architecture],
    batches: &[u32],
    device: &DeviceInUse,
    clock: &Clock,
    seconds: f64,
) -> anyhow::Result<TrainingReport> {
    let progress = Progress::of(networks.len() * batches.len());
    let of = |&network: &Architecture| {
        let rates = best(network.name(), batches, &progress, |batch| {
            views_a_second(network, batch, device, clock).map_err(|error| match error {
                FitError::Memory(words) => GradeError::OutOfMemory(words),
                other => GradeError::Torch(other.to_string()),
            })
        })?;
        Ok(OfNetwork { name: network.name(), image_size: network.image_size(), rates })
    };
    Ok(TrainingReport {
        schema_version: super::report::SCHEMA_VERSION,
        machine: Machine::this(device),
        precision: if device.multiplies_bf16 { "bf16" } else { "fp32" },
        seconds,
        networks: networks.iter().map(of).collect::<anyhow::Result<_>>()?,
    })
}

fn views_a_second(network: Architecture, batch: u32, device: &DeviceInUse, clock: &Clock) -> Result<f64, FitError> {
    let recipe = RecipeName::Scratch.recipe();
    let pictures = Pictures::new(batch as usize, &[Look::whole(network.image_size())], device.device, u64::MAX)?;
    let knees: Vec<i64> = (0..i64::from(batch)).collect();
    let film = grey8(&knee(1, Side::Right, 0.5));
    knees.iter().try_for_each(|&index| pictures.put(index as usize, &film))?;
    let truths: Vec<i64> = knees.iter().map(|index| index % 5).collect();
    let truths = Tensor::f_from_slice(&truths)?.f_to(device.device)?;
    let beginning = Beginning { weights: Weights::untrained(1), origin: Origin::Untrained };
    let mut learner = Learner::new(network, beginning, &recipe, device.learning_numbers(), device.device)?;
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let steps = clock.rate(|| {
        let views = tch::no_grad(|| pictures.to_learn(&knees, pictures.side(), &recipe.augmentation, &mut chance))?;
        let (learning, rate) = (Learning::All, recipe.rate);
        let lesson = Lesson { views: &views, truths: &truths, balance: None, learning, rate };
        learner.step(&lesson, &recipe).map(drop).map_err(FitError::from)
    })?;
    Ok(f64::from(batch) * steps)
}

impl TrainingReport {
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Machine { host, cpu, cores, device, kellgrend, libtorch } = &self.machine;
        writeln!(out, "machine    {host}, {cpu}, {cores} cores")?;
        writeln!(out, "device     {device}")?;
        writeln!(out, "program    kellgrend {kellgrend}, libtorch {libtorch}, learning in {}\n", self.precision)?;
        let rows = self.networks.iter().map(|OfNetwork { name, image_size, rates }| {
            let rate = number(rates.views_per_second);
            [(*name).to_owned(), image_size.to_string(), rate, rates.best_batch.to_string()]
        });
        writeln!(out, "{}", aligned(&["NETWORK", "PIXELS", "VIEWS/S", "TOGETHER"], rows))
    }
}
