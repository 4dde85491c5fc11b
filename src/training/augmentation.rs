//! Pictures of one knee are many: flipped, turned, moved, brighter. Chance is drawn here, pixels move on the device.

use crate::gpu::{copy, copy_to};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::{Kind, TchError, Tensor};

/// What is done to a picture, drawn anew each time that it is seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// How often it is flipped left-right, 0 to 1.
    pub flip: f64,
    /// It is turned by up to so many degrees, either way.
    pub rotation: f64,
    /// It is moved by up to this share of its side, in each direction.
    pub shift: f64,
    /// It is made larger or smaller by up to this share.
    pub scale: f64,
    /// It is made brighter or darker by up to this share of white.
    pub brightness: f64,
    /// Its greys are moved from or to their mean by up to this share.
    pub contrast: f64,
    /// How often a rectangle of it is erased, 0 to 1.
    pub erase: f64,
    /// The rectangle's sides are up to this share of the picture's.
    pub erase_side: f64,
}

/// What an erased place holds: the grey that normalisation makes 0.
const ERASED: f64 = 0.45 * 255.0;

/// Bilinear, black outside, corners not aligned: libtorch's words.
const BILINEAR: i64 = 0;
const BLACK: i64 = 0;

impl Augmentation {
    /// Pictures as they are.
    pub const NONE: Self = Self {
        flip: 0.0,
        rotation: 0.0,
        shift: 0.0,
        scale: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        erase: 0.0,
        erase_side: 0.0,
    };

    /// For networks that have little else to learn from.
    pub const STRONG: Self = Self {
        flip: 0.5,
        rotation: 20.0,
        shift: 0.1,
        scale: 0.12,
        brightness: 0.15,
        contrast: 0.2,
        erase: 0.25,
        erase_side: 0.3,
    };

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { flip, rotation, shift, scale, brightness, contrast, erase, erase_side } = *self;
        let shares = [
            ("flip", flip),
            ("shift", shift),
            ("scale", scale),
            ("brightness", brightness),
            ("contrast", contrast),
            ("erase", erase),
            ("erase_side", erase_side),
        ];
        if let Some((name, value)) = shares.into_iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(format!("augmentation.{name} is {value}, and 0 to 1 are possible"));
        }
        if !(0.0..=180.0).contains(&rotation) {
            return Err(format!("augmentation.rotation is {rotation}, and 0 to 180 degrees are possible"));
        }
        Ok(())
    }

    /// Grey pictures `[n, 1, s, s]`, 0 to 255 in float32, each changed in its own way.
    pub fn of(&self, pictures: &Tensor, chance: &mut ChaCha8Rng) -> Result<Tensor, TchError> {
        let (n, _, side, _) = pictures.size4()?;
        let device = pictures.device();
        let drawn: Vec<Drawn> = (0..n).map(|_| self.draw(chance)).collect();
        // all numbers go to the device in one piece: each piece has it wait
        let numbers: Vec<f32> = drawn.iter().flat_map(Drawn::numbers).collect();
        let numbers = copy_to(&Tensor::f_from_slice(&numbers)?.f_view([n, Drawn::NUMBERS])?, device)?;
        let column = |place: i64| numbers.f_narrow(1, place, 1)?.f_view([n, 1, 1, 1]);
        let mut grey = match self.moves() {
            true => {
                let places = numbers.f_narrow(1, 0, 6)?.f_reshape([n, 2, 3])?;
                let places = Tensor::f_affine_grid_generator(&places, [n, 1, side, side], false)?;
                pictures.f_grid_sampler(&places, BILINEAR, BLACK, false)?
            }
            false => copy(pictures)?,
        };
        if self.brightness > 0.0 || self.contrast > 0.0 {
            let mean = grey.f_mean_dim([1i64, 2, 3].as_slice(), true, Kind::Float)?;
            let (brightness, contrast) = (column(Drawn::BRIGHTNESS)?, column(Drawn::CONTRAST)?);
            let around = mean.f_mul(&contrast.f_neg()?.f_add_scalar_(1.0)?)?.f_add(&brightness)?;
            grey = grey.f_mul_(&contrast)?.f_add_(&around)?.f_clamp_(0.0, 255.0)?;
        }
        if self.erase > 0.0 {
            let along =
                Tensor::f_arange(side, (Kind::Float, device))?.f_add_scalar_(0.5)?.f_div_scalar_(side as f64)?;
            let inside = |line: Tensor, from: i64, to: i64| {
                line.f_ge_tensor(&column(from)?)?.f_logical_and(&line.f_lt_tensor(&column(to)?)?)
            };
            let rows = inside(along.f_view([1, 1, side, 1])?, Drawn::TOP, Drawn::BOTTOM)?;
            let across = inside(along.f_view([1, 1, 1, side])?, Drawn::LEFT, Drawn::RIGHT)?;
            grey = grey.f_masked_fill_(&rows.f_logical_and(&across)?, ERASED)?;
        }
        Ok(grey)
    }

    fn moves(&self) -> bool {
        self.flip > 0.0 || self.rotation > 0.0 || self.shift > 0.0 || self.scale > 0.0
    }

    /// What happens to one picture. As much is drawn whatever is switched off, so that the rest stays as it is.
    fn draw(&self, chance: &mut ChaCha8Rng) -> Drawn {
        let mut within = |limit: f64| limit * (2.0 * chance.random::<f64>() - 1.0);
        let (sine, cosine) = within(self.rotation).to_radians().sin_cos();
        let size = 1.0 / (1.0 + within(self.scale)).max(0.1);
        // the whole side is 2
        let (right, down) = (2.0 * within(self.shift), 2.0 * within(self.shift));
        let (brightness, contrast) = (255.0 * within(self.brightness), 1.0 + within(self.contrast));
        let mut share = || chance.random::<f64>();
        let flip = if share() < self.flip { -1.0 } else { 1.0 };
        let is_erased = share() < self.erase;
        let (height, width) = (share() * self.erase_side, share() * self.erase_side);
        let (top, left) = (share() * (1.0 - height), share() * (1.0 - width));
        let bottom = if is_erased { top + height } else { top };
        let places = [flip * size * cosine, -size * sine, right, flip * size * sine, size * cosine, down];
        Drawn {
            places: places.map(|value| value as f32),
            brightness: brightness as f32,
            contrast: contrast as f32,
            erased: [top, bottom, left, left + width].map(|value| value as f32),
        }
    }
}

/// What happens to one picture.
struct Drawn {
    /// Two rows of three: from a place in the new picture to the one in the old.
    places: [f32; 6],
    brightness: f32,
    contrast: f32,
    /// Top, bottom, left, right, in shares of the side.
    erased: [f32; 4],
}

impl Drawn {
    /// How many numbers there are, and where they are behind the six of the places.
    const NUMBERS: i64 = 12;
    const BRIGHTNESS: i64 = 6;
    const CONTRAST: i64 = 7;
    const TOP: i64 = 8;
    const BOTTOM: i64 = 9;
    const LEFT: i64 = 10;
    const RIGHT: i64 = 11;

    /// All of it, as it goes to the device.
    fn numbers(&self) -> [f32; Self::NUMBERS as usize] {
        let [a, b, c, d, e, f] = self.places;
        let [top, bottom, left, right] = self.erased;
        [a, b, c, d, e, f, self.brightness, self.contrast, top, bottom, left, right]
    }
}
