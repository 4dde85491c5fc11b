//! `kellgrend models verify`

use super::names;
use crate::cli::{Exit, Failure, in_full};
use crate::download::{Standing, standing};
use crate::ensemble::{DeviceChoice, Release, settle};
use crate::networks::{
    Form,
    imagenet::{FILES, ImagenetFile},
    weights::Weights,
};
use crate::state::State;

/// Says of every release, and of every file of ImageNet weights that is there, whether it can be used.
pub(super) fn verify(state: &State, chosen: Vec<String>) -> Result<Exit, Failure> {
    settle(DeviceChoice::Cpu, 0)?;
    let releases = if chosen.is_empty() { names(&state.models)? } else { chosen.clone() };
    let mut exit = Exit::Done;
    let mut say = |name: &str, outcome: anyhow::Result<()>| match outcome {
        Ok(()) => println!("ok    {name}"),
        Err(error) => {
            exit = Exit::Refused;
            println!("BAD   {name}: {}", in_full(&error));
        }
    };
    for name in releases {
        let release = Release::named(&state.models, &name).and_then(|release| release.verify());
        say(&name, release.map_err(Into::into));
    }
    for known in FILES.iter().filter(|_| chosen.is_empty()) {
        match standing(known.file, &state.imagenet)? {
            Standing::Absent => {}
            Standing::Right => say(known.file, builds(known, state)),
            Standing::Wrong(found) => {
                let error = anyhow::anyhow!("its SHA-256 is {found}; `kellgrend models download` fetches it anew");
                say(known.file, Err(error));
            }
        }
    }
    Ok(exit)
}

fn builds(known: &ImagenetFile, state: &State) -> anyhow::Result<()> {
    let mut weights = Weights::from_bytes(std::fs::read(state.imagenet.join(known.file))?)?;
    known.architecture.build_from_imagenet(&mut weights, Form::Plain)?;
    Ok(())
}
