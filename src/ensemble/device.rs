//! Where the networks run.

mod cpu;

pub use cpu::model as cpu_model;

use crate::gpu::{self, DeviceMemory, first_line};
use crate::memory;
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::{Cuda, Device, Kind, Tensor};

/// The user's word for the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first GPU where one can be used, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// This GPU or nothing.
    Cuda(usize),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Cpu => f.pad("cpu"),
            Self::Cuda(0) => f.pad("cuda"),
            Self::Cuda(index) => f.pad(&format!("cuda:{index}")),
        }
    }
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let index = |digits: &str| digits.parse().ok().map(Self::Cuda);
        match word {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            other => other.strip_prefix("cuda:").and_then(index),
        }
        .ok_or_else(|| format!("{word:?} is not a device (auto, cpu, cuda, cuda:0, cuda:1, ...)"))
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> String {
        choice.to_string()
    }
}

/// The device that was settled on.
#[derive(Clone, Debug)]
pub struct DeviceInUse {
    /// libtorch's name for it.
    pub device: Device,
    /// For humans and the ledger: the model, on a CPU the threads.
    pub description: String,
    /// Whether it multiplies bf16 in hardware.
    pub multiplies_bf16: bool,
    /// Why `auto` passed a GPU over, or found none.
    pub remark: Option<String>,
}

impl DeviceInUse {
    /// The GPU's memory as the driver tells it now; none on a CPU.
    pub fn memory(&self) -> Option<DeviceMemory> {
        match self.device {
            Device::Cuda(index) => gpu::memory(index),
            _ => None,
        }
    }

    /// The numbers that convolutions compute in while networks learn: what is learnt is kept in float32 in any case.
    pub fn learning_numbers(&self) -> Kind {
        if self.multiplies_bf16 { Kind::BFloat16 } else { Kind::Float }
    }

    /// Whether it computes at all; the error says what libtorch says.
    pub fn computes(&self) -> Result<(), String> {
        let sum = Tensor::f_ones([2], (Kind::Float, self.device))
            .and_then(|ones| ones.f_sum(Kind::Float)?.f_double_value(&[]));
        match sum {
            Ok(2.0) => Ok(()),
            Ok(other) => Err(format!("it adds 1 and 1 to {other}")),
            Err(error) => Err(first_line(&error)),
        }
    }

    /// Gives memory that was freed, and is kept for what comes next, back to the system and the driver.
    pub fn give_back(&self) {
        memory::give_back();
        if self.device.is_cuda() {
            gpu::give_back();
        }
    }

    /// Waits until the device has done all that it was given: a GPU computes while its caller goes on.
    pub fn synchronize(&self) {
        if let Device::Cuda(index) = self.device {
            Cuda::synchronize(index as i64);
        }
    }
}

impl fmt::Display for DeviceInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.description)
    }
}

/// Why a chosen GPU cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// libtorch's GPU half cannot be loaded.
    #[error("{choice} was asked for, but {reason}; mend that, or set the device to auto or cpu")]
    NoCuda {
        /// What was asked for.
        choice: DeviceChoice,
        /// What the loader or the driver said.
        reason: String,
    },
    /// There are fewer GPUs than that.
    #[error(
        "{choice} was asked for, but this machine has {count} GPUs, counted from cuda:0; set the device to one of them"
    )]
    NoSuchGpu {
        /// What was asked for.
        choice: DeviceChoice,
        /// GPUs that libtorch sees.
        count: usize,
    },
    /// It is there and computes nothing.
    #[error("{choice} was asked for, and computes nothing: {reason}; mend that, or set the device to auto or cpu")]
    Broken {
        /// What was asked for.
        choice: DeviceChoice,
        /// What libtorch said.
        reason: String,
    },
}

/// Settles on a device, once, before anything else calls into libtorch.
///
/// libtorch asks whether its GPU half is there only once and remembers the answer, so that half is loaded here first,
/// unless the choice is the CPU. `threads` is how many CPU threads libtorch uses; 0 takes one a core, which is
/// also the most.
pub fn settle(choice: DeviceChoice, threads: usize) -> Result<DeviceInUse, DeviceError> {
    let gpus = match choice {
        DeviceChoice::Cpu => Err("the CPU was asked for".to_owned()),
        DeviceChoice::Auto | DeviceChoice::Cuda(_) => gpu::load().and_then(|()| count_gpus()),
    };
    tch::set_num_threads(cpu_threads(threads));
    match (choice, gpus) {
        (DeviceChoice::Cpu, _) => Ok(on_cpu(None)),
        (DeviceChoice::Auto, Err(reason)) => Ok(on_cpu(Some(format!("no GPU is used: {reason}")))),
        (DeviceChoice::Auto, Ok(count)) => Ok(first_that_computes(count)),
        (DeviceChoice::Cuda(index), Ok(count)) if index < count => {
            let gpu = on_gpu(index);
            gpu.computes().map_err(|reason| DeviceError::Broken { choice, reason })?;
            Ok(gpu)
        }
        (DeviceChoice::Cuda(_), Ok(count)) => Err(DeviceError::NoSuchGpu { choice, count }),
        (DeviceChoice::Cuda(_), Err(reason)) => Err(DeviceError::NoCuda { choice, reason }),
    }
}

/// The first GPU that computes: the driver also shows those that libtorch has no kernels for, that another program has for itself or
/// has filled, and that are broken.
fn first_that_computes(count: usize) -> DeviceInUse {
    let mut troubles = Vec::new();
    for index in 0..count {
        let gpu = on_gpu(index);
        match gpu.computes() {
            Ok(()) if troubles.is_empty() => return gpu,
            Ok(()) => return DeviceInUse { remark: Some(troubles.join("; ")), ..gpu },
            Err(trouble) => troubles.push(format!("GPU {index} is passed over: {trouble}")),
        }
    }
    on_cpu(Some(troubles.join("; ")))
}

/// More threads than cores only wait for each other.
fn cpu_threads(asked: usize) -> i32 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let threads = if asked == 0 { cores } else { asked.min(cores) };
    i32::try_from(threads).unwrap_or(i32::MAX)
}

fn count_gpus() -> Result<usize, String> {
    match usize::try_from(Cuda::device_count()) {
        Ok(count) if count > 0 && Cuda::is_available() => Ok(count),
        _ => Err("the NVIDIA driver shows no GPU".to_owned()),
    }
}

fn on_cpu(remark: Option<String>) -> DeviceInUse {
    let threads = tch::get_num_threads();
    let description = format!("CPU {}, {threads} thread{}", cpu::model(), if threads == 1 { "" } else { "s" });
    DeviceInUse { device: Device::Cpu, description, multiplies_bf16: cpu::multiplies_bf16(), remark }
}

/// How the description of a GPU begins.
pub const GPU: &str = "GPU ";

fn on_gpu(index: usize) -> DeviceInUse {
    let model = gpu::model(index).unwrap_or_else(|| "of unknown model".to_owned());
    let description = format!("{GPU}{index} {model}, {} CPU threads", tch::get_num_threads());
    DeviceInUse { device: Device::Cuda(index), description, multiplies_bf16: gpu::multiplies_bf16(index), remark: None }
}
