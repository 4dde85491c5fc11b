//! Many files read at a time, taken in the order in which they were given.

use crate::decoding::Decoders;
use crate::ensemble::{DeviceInUse, Look};
use crate::memory;
use crate::training::pictures::Pictures;
use crate::training::set::Knee;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// How many read files may wait for the one who takes them.
const AHEAD: usize = 8;

/// Reads all by several threads; what was read is taken one by one, in order, until `take` says false.
pub fn read_all<I: Sync, T: Send>(
    all: &[I],
    jobs: usize,
    read: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(usize, T) -> bool,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..jobs.max(1).min(all.len()))
            .map(|_| {
                let (done, taken) = mpsc::sync_channel(AHEAD);
                let (next, read) = (&next, &read);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = all.get(index) else { break };
                        if done.send((index, read(item))).is_err() {
                            break;
                        }
                    }
                });
                taken
            })
            .collect();
        let mut waiting: Vec<_> = lanes.iter().map(|lane| lane.recv().ok()).collect();
        for index in 0..all.len() {
            // each lane's files come in order, so that the one that is due is at the head of its lane
            let Some(lane) = waiting.iter().position(|head| head.as_ref().is_some_and(|(at, _)| *at == index)) else {
                anyhow::bail!("a reading thread ended early");
            };
            let next = lanes[lane].recv().ok();
            let due = std::mem::replace(&mut waiting[lane], next);
            if let Some((index, outcome)) = due
                && !take(index, outcome)
            {
                break;
            }
        }
        Ok(())
    })
}

const GIB: f64 = (1u64 << 30) as f64;

/// What programs may still take of the computer's memory without others' having to go, in bytes, as Linux estimates it.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// The pictures of a run's knees as a network looks at them; none where `seen`, which hears of each, has said false.
pub fn pictures(
    knees: &[&Knee],
    looks: &[Look],
    device: &DeviceInUse,
    decoders: &Decoders,
    jobs: usize,
    mut seen: impl FnMut() -> bool,
) -> anyhow::Result<Option<Pictures>> {
    // a quarter of a GPU's memory; the networks need the rest
    let most = device.memory().map_or(u64::MAX, |memory| memory.total / 4);
    let is_zoomed = looks.len() > 1;
    let needed = Pictures::bytes(knees.len(), looks);
    // others may have the GPU's memory: then each batch is copied there
    let on_gpu = || Pictures::new(knees.len(), looks, device.device, most).ok();
    let resident = if device.device.is_cuda() && needed <= most { on_gpu() } else { None };
    // of an earlier network, too, whose pictures were others
    memory::give_back();
    let free = available_memory().filter(|_| resident.is_none());
    anyhow::ensure!(
        free.is_none_or(|free| needed < free),
        "the pictures of {} knees at {} pixels{} take {:.1} GiB of memory, and {:.1} GiB are free; set {}a smaller image_size \
         ([training.adjust]), or train where there is more",
        knees.len(),
        looks[0].size(),
        if is_zoomed { ", each seen twice," } else { "" },
        needed as f64 / GIB,
        free.unwrap_or_default() as f64 / GIB,
        if is_zoomed { "zoom to 1, or " } else { "" }
    );
    let pictures = match resident {
        Some(pictures) => pictures,
        None => Pictures::new(knees.len(), looks, device.device, 0)?,
    };
    let mut outcome = Ok(true);
    // the processor is full of decoders: libtorch's threads would wait for each other, spinning, for longer than a picture takes
    let threads = tch::get_num_threads();
    tch::set_num_threads(1);
    let read = read_all(
        knees,
        jobs,
        |knee| knee.read(decoders),
        |index, knee| {
            let put = knee.map_err(anyhow::Error::msg).and_then(|knee| Ok(pictures.put(index, &knee)?));
            outcome = put.map(|()| seen());
            matches!(outcome, Ok(true))
        },
    );
    tch::set_num_threads(threads);
    read?;
    Ok(outcome?.then_some(pictures))
}
