//! `kellgrend models import`

use super::{Failure, usage};
use crate::ensemble::release::{ImportOptions, Source, architecture_of, import, member_names};
use crate::ensemble::{DeviceChoice, VoteRule, settle};
use crate::networks::Architecture;
use crate::state::State;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

/// Make a release from weights that PyTorch saved
///
/// Takes state_dicts as torch.save and torchvision write them (.pt, .pth, zip or legacy format) and .safetensors,
/// in any floating-point numbers, with torchvision's names and a five-way last layer. No code in a file is ever executed. Missing,
/// surplus or misshapen tensors and NaN are refused by name. The architectures are densenet161, efficientnet_b5,
/// efficientnet_v2_s, regnet_y_8gf, resnet101, resnext50_32x4d, shufflenet_v2_x2_0 and wide_resnet50_2.
///
/// Each file becomes a member, called as its architecture is; a second one of the same architecture is called
/// ARCHITECTURE_2, a third ARCHITECTURE_3. Values for one member name it: --image-size 384 --image-size MEMBER=512.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// One file a member; ARCHITECTURE=FILE where the file's name does not begin with its architecture's
    #[arg(required = true, value_name = "[ARCHITECTURE=]FILE")]
    files: Vec<String>,
    /// The new release's name: letters a-z, digits, . _ -
    #[arg(long)]
    name: String,
    /// The side of the networks' pictures in pixels, of all or of one; default: each architecture's own
    #[arg(long, value_name = "[MEMBER=]PIXELS")]
    image_size: Vec<PerMember<u32>>,
    /// Look at the middle of the knee, too, so many times as large, 1 to 2; of all or of one. It takes twice the time. Default: 1
    #[arg(long, value_name = "[MEMBER=]NUMBER")]
    zoom: Vec<PerMember<f64>>,
    /// What the networks' logits are divided by, of all or of one, as calibration on films of your own found it
    ///
    /// Above 1 a network becomes less sure of its grade, below 1 surer; its own grade stays the same. Default: 1.
    #[arg(long, value_name = "[MEMBER=]NUMBER")]
    temperature: Vec<PerMember<f64>>,
    /// How votes become a grade: mix, soft or hard
    #[arg(long, default_value = "mix")]
    vote: VoteRule,
    /// A line on where the weights come from
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A text to use as MODEL_CARD.md; default: one is made
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

/// A value for one member, or for all that have none of their own.
#[derive(Clone, Debug)]
struct PerMember<T> {
    member: Option<String>,
    value: T,
}

impl Import {
    pub(super) fn execute(self, state: &State) -> Result<(), Failure> {
        let files = self.files.iter().map(|file| parse_source(file)).collect::<Result<Vec<_>, _>>().map_err(usage)?;
        let members = member_names(&files.iter().map(|(architecture, _)| *architecture).collect::<Vec<_>>());
        let sizes = for_each("--image-size", &self.image_size, &members).map_err(usage)?;
        let zooms = for_each("--zoom", &self.zoom, &members).map_err(usage)?;
        let temperatures = for_each("--temperature", &self.temperature, &members).map_err(usage)?;
        let sources = files.into_iter().zip(sizes).zip(zooms).zip(temperatures);
        let sources = sources.map(|((((architecture, path), image_size), zoom), temperature)| Source {
            path,
            architecture,
            image_size,
            zoom,
            temperature,
        });
        let card = self.card.map(std::fs::read_to_string).transpose()?;
        let (vote, note) = (self.vote, self.note);
        let created = jiff::Timestamp::now();
        let options = ImportOptions { name: self.name, created, vote, note, card };
        settle(DeviceChoice::Cpu, 0)?;
        let release = import(&sources.collect::<Vec<_>>(), options, &state.models)?;
        println!("{} is a release now: {}", release.name(), release.folder().display());
        println!(
            "put it into service with: kellgrend models promote --state {} {}",
            state.root.display(),
            release.name()
        );
        Ok(())
    }
}

impl<T: FromStr<Err: Display>> FromStr for PerMember<T> {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (member, value) = word.split_once('=').map_or((None, word), |(member, value)| (Some(member), value));
        let value = value.parse().map_err(|error| format!("{value:?} is not a number that fits: {error}"))?;
        Ok(Self { member: member.map(str::to_owned), value })
    }
}

/// Each member's value: its own, else the one for all, else none.
fn for_each<T: Copy>(option: &str, given: &[PerMember<T>], members: &[String]) -> anyhow::Result<Vec<Option<T>>> {
    for (place, PerMember { member, .. }) in given.iter().enumerate() {
        let whom = member.as_deref().unwrap_or("all members");
        if member.as_ref().is_some_and(|member| !members.contains(member)) {
            anyhow::bail!("{option}: there will be no member {whom}; there will be {}", members.join(", "));
        }
        if given[..place].iter().any(|earlier| earlier.member == *member) {
            anyhow::bail!("{option} is given twice for {whom}; once is meant");
        }
    }
    let of = |whom: Option<&str>| given.iter().find(|given| given.member.as_deref() == whom).map(|given| given.value);
    Ok(members.iter().map(|member| of(Some(member)).or_else(|| of(None))).collect())
}

/// `ARCHITECTURE=FILE`, or a file whose name begins with its architecture's, as torchvision's do.
fn parse_source(word: &str) -> anyhow::Result<(Architecture, PathBuf)> {
    if let Some((architecture, path)) = word.split_once('=') {
        return Ok((architecture.parse().map_err(anyhow::Error::msg)?, path.into()));
    }
    let path = PathBuf::from(word);
    let known = architecture_of(&path.file_name().unwrap_or_default().to_string_lossy());
    let names = Architecture::ALL.map(Architecture::name).join(", ");
    known.map(|architecture| (architecture, path)).ok_or_else(|| {
        anyhow::anyhow!(
            "{word}: the file's name does not begin with an architecture's ({names}); write ARCHITECTURE={word}"
        )
    })
}
