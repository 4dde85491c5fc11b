//! All that a network learns, in one piece of memory: a step of the optimiser is a handful of calls, whatever the number of
//! tensors, and so is a copy of everything.

use crate::digest::Digest;
use crate::networks::{
    Part,
    layers::channels_last,
    weights::{WeightsError, to_safetensors},
};
use tch::{Device, Kind, TchError, Tensor};

/// Tensors begin at multiples of so many numbers: cuDNN's fast kernels want 16 bytes, and SIMD on a CPU 64.
const ALIGNMENT: i64 = 32;

/// The statistics of batch norms are carried along, but nothing is learnt about them.
const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// A network's tensors, laid one behind the other: convolutions, all else that learns, statistics.
pub struct Parameters {
    parts: Vec<Placed>,
    /// All values in float32, `[length]`; what lies between two tensors is 0.
    pub values: Tensor,
    /// The convolutions' values in the numbers that they compute in; none where that is float32.
    computed: Option<Tensor>,
    convolutions: i64,
    learnt: i64,
    /// The last gradient, float32, `[learnt]`.
    gradient: Tensor,
    gap: Tensor,
}

struct Placed {
    part: Part,
    start: i64,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Convolution,
    Other,
    Statistic,
}

/// What a gradient is computed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// The last layer alone.
    Head,
    /// Everything.
    All,
}

impl Placed {
    /// Where the tensor is not as long as its place: the numbers up to the next one.
    fn gap(&self) -> i64 {
        let length = self.part.tensor.numel() as i64;
        (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - length
    }

    /// The tensor's own memory in `flat`, in its shape. A convolution's lies there with a place's channels side by side.
    fn seen_in(&self, flat: &Tensor) -> Result<Tensor, TchError> {
        let shape = self.part.tensor.size();
        let own = flat.f_narrow(0, self.start, self.part.tensor.numel() as i64)?;
        match shape[..] {
            [outputs, inputs, height, width] => own.f_view([outputs, height, width, inputs])?.f_permute([0, 3, 1, 2]),
            _ => own.f_view(shape.as_slice()),
        }
    }
}

impl Parameters {
    /// Moves a network's tensors together, the convolutions in `numbers`.
    pub fn gather(parts: Vec<Part>, numbers: Kind, device: Device) -> Result<Self, TchError> {
        let role = |part: &Part| match part.tensor.dim() {
            _ if STATISTICS.iter().any(|statistic| part.name.ends_with(statistic)) => Role::Statistic,
            4 => Role::Convolution,
            _ => Role::Other,
        };
        let mut parts: Vec<_> = parts.into_iter().map(|part| Placed { start: 0, role: role(&part), part }).collect();
        parts.sort_by_key(|placed| placed.role);
        let mut ends = [0; 3];
        let mut length = 0;
        for placed in &mut parts {
            placed.start = length;
            length += placed.part.tensor.numel() as i64 + placed.gap();
            ends[placed.role as usize] = length;
        }
        let [convolutions, learnt, _] = ends;
        let float = (Kind::Float, device);
        let values = Tensor::f_zeros([length], float)?;
        let computed =
            (numbers != Kind::Float).then(|| Tensor::f_zeros([convolutions], (numbers, device))).transpose()?;
        let gradient = Tensor::f_zeros([learnt], float)?;
        let gap = Tensor::f_zeros([ALIGNMENT], float)?;
        let mut all = Self { parts, values, computed, convolutions, learnt, gradient, gap };
        all.move_in()?;
        Ok(all)
    }

    fn move_in(&mut self) -> Result<(), TchError> {
        let Self { parts, values, computed, .. } = self;
        for placed in parts {
            placed.seen_in(values)?.f_copy_(&placed.part.tensor)?;
            let memory = match (placed.role, &computed) {
                (Role::Convolution, Some(computed)) => computed,
                _ => &*values,
            };
            let seen = placed.seen_in(memory)?;
            placed.part.tensor.f_set_data(&seen)?;
            let _ = placed.part.tensor.f_set_requires_grad(placed.role != Role::Statistic)?;
        }
        self.changed()
    }

    /// A digest of what lies where.
    pub fn layout(&self) -> Digest {
        let place = |placed: &Placed| format!("{} {} {:?}\n", placed.part.name, placed.start, placed.part.shape);
        Digest::of(self.parts.iter().map(place).collect::<String>().as_bytes())
    }

    /// Values have changed: what is computed with follows.
    pub fn changed(&mut self) -> Result<(), TchError> {
        if let Some(computed) = &mut self.computed {
            computed.f_copy_(&self.values.f_narrow(0, 0, self.convolutions)?)?;
        }
        Ok(())
    }

    /// The values that learn, `[learnt]`.
    pub fn learning_values(&self) -> Result<Tensor, TchError> {
        self.values.f_narrow(0, 0, self.learnt)
    }

    /// The gradient of a loss with respect to the values that learn, `[learnt]`; 0 where nothing is to be learnt.
    pub fn gradient(&mut self, loss: &Tensor, learning: Learning) -> Result<Tensor, TchError> {
        let wanted =
            |placed: &&Placed| placed.role != Role::Statistic && (learning == Learning::All || placed.part.is_head);
        let wanted: Vec<_> = self.parts.iter().filter(wanted).collect();
        let leaves: Vec<_> = wanted.iter().map(|placed| &placed.part.tensor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &leaves, false, false)?;
        if learning == Learning::Head {
            let _ = self.gradient.f_zero_()?;
            for (placed, gradient) in wanted.iter().zip(&gradients) {
                placed.seen_in(&self.gradient)?.f_copy_(gradient)?;
            }
            return Ok(self.gradient.shallow_clone());
        }
        for (role, start, end) in
            [(Role::Convolution, 0, self.convolutions), (Role::Other, self.convolutions, self.learnt)]
        {
            let kind = if role == Role::Other {
                Kind::Float
            } else {
                self.computed.as_ref().map_or(Kind::Float, Tensor::kind)
            };
            let gap = self.gap.f_to_kind(kind)?;
            let mut pieces = Vec::new();
            for (placed, gradient) in wanted.iter().zip(&gradients).filter(|(placed, _)| placed.role == role) {
                // as the values lie in memory: a view where the backward pass made it so
                let gradient = match gradient.dim() {
                    4 => channels_last(gradient)?.f_permute([0, 2, 3, 1])?.f_reshape([-1])?,
                    _ => gradient.f_reshape([-1])?,
                };
                pieces.push(gradient);
                if placed.gap() > 0 {
                    pieces.push(gap.f_narrow(0, 0, placed.gap())?);
                }
            }
            let mut place = self.gradient.f_narrow(0, start, end - start)?;
            match kind {
                Kind::Float => drop(Tensor::f_cat_out(&place, &pieces, 0)?),
                _ => place.f_copy_(&Tensor::f_cat(&pieces, 0)?)?,
            }
        }
        Ok(self.gradient.shallow_clone())
    }

    /// Values laid out as these, as the state_dict of a release: safetensors in float16.
    pub fn state_dict(&self, values: &Tensor) -> Result<Vec<u8>, WeightsError> {
        let values = values.f_to(Device::Cpu)?;
        let tensors = self.parts.iter().map(|placed| {
            let tensor = placed.seen_in(&values)?.f_contiguous()?;
            let mut numbers = vec![0f32; tensor.numel()];
            tensor.f_copy_data(&mut numbers, tensor.numel())?;
            let shape = placed.part.shape.iter().map(|&size| size as usize).collect();
            Ok((placed.part.name.as_str(), shape, numbers))
        });
        to_safetensors(tensors.collect::<Result<Vec<_>, TchError>>()?)
    }
}
