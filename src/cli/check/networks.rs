//! Whether device and release are fit to grade.

use super::{Findings, precision};
use crate::cli::in_full;
use crate::config::{EnsembleSettings, Settings};
use crate::ensemble::{Absent, DeviceInUse, Precision, Release, settle};
use crate::gpu::is_extended;
use crate::state::State;
use crate::station::{check_name, ready, release_to_try};

impl Findings {
    pub(super) fn networks(&mut self, settings: &Settings, state: &State) {
        let device = match settle(settings.ensemble.device, settings.ensemble.threads) {
            Ok(device) => device,
            Err(error) => return self.bad("device", &error.to_string()),
        };
        let remark = device.remark.as_ref().map_or_else(String::new, |remark| format!(" ({remark})"));
        self.good("device", &format!("{device}{remark}"));
        if device.device.is_cuda() {
            self.extension();
        }
        match release_to_try(&settings.ensemble.release, state) {
            Ok((release, None)) => {
                if !settings.ensemble.release.is_empty()
                    && state.ledger.exists()
                    && let Err(error) = check_name(&release, &state.ledger)
                {
                    return self.bad("release", &in_full(&error));
                }
                self.release(&release, &settings.ensemble, &device);
            }
            Ok((starter, Some(_folder))) => {
                self.good("release", &format!("none yet: the bundled {} will be put into service", starter.name()));
                self.release(&starter, &settings.ensemble, &device);
            }
            Err(error) => self.bad("release", &in_full(&error)),
        }
    }

    fn extension(&mut self) {
        match is_extended() {
            Ok(()) => self.good("extension", "kellgrend's extension of libtorch is there"),
            Err(reason) => self.warn("extension", &format!("{reason}; some steps take longer without it")),
        }
    }

    fn release(&mut self, release: &Release, settings: &EnsembleSettings, device: &DeviceInUse) {
        let form = match settings.precision.form(device) {
            Ok(form) => form,
            Err(error) => return self.bad("precision", &error.to_string()),
        };
        let ensemble = match ready(release, settings, device, form) {
            Ok(ensemble) => ensemble,
            Err(error) => return self.bad("release", &in_full(&error)),
        };
        for Absent { name, reason } in ensemble.absent() {
            self.warn("member", &format!("{name} is missing, and the quorum lets the others grade: {reason}"));
        }
        let present = match (ensemble.members().len(), release.members().len()) {
            (1, 1) => "1 network, its hash right".to_owned(),
            (all, members) if all == members => format!("{all} networks, every hash right"),
            (some, members) => format!("{some} of {members} networks, the hashes of these right"),
        };
        self.good("release", &format!("{}: {present}", release.name()));
        let precision = Precision::of(form);
        match precision::deviation(&ensemble.with_maps(false), release, settings) {
            Ok(deviation) if deviation <= precision::TOLERANCE => {
                let words = format!("{precision}: probabilities within {deviation:.4} of plain float32's");
                self.good("precision", &words);
            }
            Ok(deviation) => self.bad(
                "precision",
                &format!(
                    "{precision}: probabilities up to {deviation:.4} from plain float32's; set precision to fp32 or \
                     reference, streams to 1 and capture to 0, and please report it"
                ),
            ),
            Err(error) => self.bad("precision", &format!("{precision}: {}", in_full(&error))),
        }
    }
}
