//! One claimed file, seen through to the archive or to quarantine, however often it takes.

use super::mail::Outages;
use crate::gauges::{End, Gauges};
use crate::grading::{Fate, Subject, Times, Trouble};
use crate::intake::{Claimed, since};
use crate::state::{Priority, UNKNOWN};
use crate::station::Station;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// After trouble that is not the radiograph's (disk full, ledger busy) it is tried again, after pauses that double.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// No longer than this: where space has come back, or a device, the work goes on within the minute.
const LAST_PAUSE: Duration = Duration::from_secs(40);

/// A film under which the process went down so often, the second time alone, has taken it down.
const TWICE: u32 = 2;

/// Where the networks fail on a film so often, it is seen whose fault that is.
const FAILURES: u32 = 4;

/// Until it is put away, or `stopped` says that the rest is for the next start. An error if no film can be graded before that.
/// `outages` learn whether the networks fail, and whether some cannot come to their end.
pub async fn see_through(
    station: Arc<Station>,
    claim: Claimed,
    priority: Priority,
    outages: Outages,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Trouble> {
    let (sha256, seen, aborts) = (claim.digest.short(), claim.seen, claim.aborts);
    let subject = Subject {
        file: claim.file,
        digest: claim.digest,
        path: station.state.in_work(&claim.digest),
        side_by_name: claim.side_by_name,
        name: claim.name,
        arrived: claim.claimed_at,
    };
    let (mut pause, mut failures) = (FIRST_PAUSE, 0);
    let (mut fate, mut waiting) = (None, None);
    loop {
        let first = priority.clone();
        let turn = tokio::task::spawn_blocking(move || first.grading()).await;
        let outcome = match &fate {
            None => {
                let last = failures + 1 >= FAILURES;
                decide(&station, &subject, aborts, last, &outages).await.map(|found| fate = Some(found))
            }
            Some(fate) => {
                let moved = put_away(&station, &subject, fate).await;
                // It was moved already, or somebody took it: nothing is left to move.
                let is_moved = matches!(moved, Err(Trouble::PutAway(_))) && is_gone(&subject);
                if moved.is_ok() || is_moved {
                    tell(&station.gauges, &subject, fate, seen);
                    return Ok(());
                }
                moved
            }
        };
        let outcome = match outcome {
            Err(Trouble::Read(_)) if is_gone(&subject) => match withdraw(&station, &subject).await {
                Ok(()) => return Ok(()),
                trouble => trouble,
            },
            outcome => outcome,
        };
        failures += u32::from(matches!(outcome, Err(Trouble::Networks(_))));
        match &outcome {
            Err(Trouble::Networks(_) | Trouble::Memory(_)) => {
                outages.networks.begin();
                waiting = None;
            }
            Err(Trouble::Stopped(_) | Trouble::Device(_) | Trouble::Defect(_)) => {}
            // until this one is through: that others are refused meanwhile says nothing
            Err(_) => _ = waiting.get_or_insert_with(|| outages.results.wait()),
            Ok(()) if matches!(fate, Some(Fate::Published { .. })) => outages.networks.end(),
            Ok(()) => {}
        }
        let wants_memory = matches!(outcome, Err(Trouble::Memory(_)));
        match outcome {
            Ok(()) => continue,
            Err(Trouble::Stopped(_)) => return Ok(()),
            Err(trouble @ Trouble::Device(_)) => return Err(trouble),
            Err(trouble) => {
                station.gauges.retried(trouble.code());
                tracing::error!(sha256, pause = pause.as_secs(), "{trouble}; trying again after a pause");
            }
        }
        // training need not wait for what waits itself, unless it may have what this waits for
        let _turn = Some(turn).filter(|_| wants_memory && pause < LAST_PAUSE);
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        }
    }
}

/// Grade, or find that it cannot be graded. On the last attempt a failure of the networks is the film's fate, if they answer for
/// another, which ends what it began for all.
async fn decide(
    station: &Station,
    subject: &Subject,
    aborts: u32,
    last: bool,
    outages: &Outages,
) -> Result<Fate, Trouble> {
    let desk = station.desk();
    if aborts >= TWICE {
        return desk.grading.refuse(subject, "took-down", TOOK_DOWN.to_owned(), UNKNOWN).await;
    }
    let (code, reason) = match desk.grading.grade(subject).await {
        Err(Trouble::Changed) => {
            ("changed", "The file changed while it was in work, so it is not what arrived. Send it again.".to_owned())
        }
        Err(Trouble::Networks(what)) if last => {
            desk.grading.try_out().await?;
            outages.networks.end();
            let reason = "The networks fail on it again and again, and on others they do not";
            ("networks-failed", format!("{reason} ({what}). `kellgrend retry` tries anew."))
        }
        outcome => return outcome,
    };
    desk.grading.refuse(subject, code, reason, UNKNOWN).await
}

const TOOK_DOWN: &str = "The process went down twice while the file was graded, the second time alone. Please report it; \
                         `kellgrend retry` tries anew.";

/// Move the original to where its fate belongs.
async fn put_away(station: &Arc<Station>, subject: &Subject, fate: &Fate) -> Result<(), Trouble> {
    let (station, digest) = (station.clone(), subject.digest);
    let moved = match fate {
        Fate::Published { extension, .. } => {
            let extension = *extension;
            tokio::task::spawn_blocking(move || station.state.put_into_archive(&digest, extension)).await
        }
        Fate::Refused { code, reason, extension } => {
            let (text, extension) = (format!("{code}: {reason}"), *extension);
            tokio::task::spawn_blocking(move || station.state.put_into_quarantine(&digest, extension, &text)).await
        }
    };
    moved.map_err(|_| Trouble::Defect("a worker panicked"))?.map_err(Trouble::PutAway)
}

/// Counts what became of it, and says so in one line.
fn tell(gauges: &Gauges, subject: &Subject, fate: &Fate, seen: Option<Timestamp>) {
    let sha256 = subject.digest.short();
    let total_ms = seen.map(|seen| ms(since(seen)));
    match fate {
        Fate::Published { knees, times: Times { decode, networks, publish }, .. } => {
            let (decode_ms, networks_ms, publish_ms) = (ms(*decode), ms(*networks), ms(*publish));
            let grades: Vec<_> = knees.iter().map(|knee| format!("{} {}", knee.knee.side, knee.knee.grade)).collect();
            let grades = grades.join(", ");
            tracing::info!(sha256, outcome = "graded", grades, decode_ms, networks_ms, publish_ms, total_ms, "graded");
            knees.iter().for_each(|knee| gauges.graded(knee.knee.grade));
            gauges.ended(End::Graded);
            if let Some(seen) = seen {
                gauges.answered(since(seen));
            }
        }
        Fate::Refused { code, reason, .. } => {
            tracing::warn!(sha256, outcome = "quarantined", code, total_ms, "quarantined: {reason}");
            gauges.ended(End::Quarantined(code));
        }
    }
}

fn ms(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Whether the file is no longer in work; a disk that cannot be asked does not say so.
fn is_gone(subject: &Subject) -> bool {
    matches!(subject.path.try_exists(), Ok(false))
}

/// The file is no longer in work. The same bytes may have come twice at once: then the other one, which was refused before this
/// one was claimed, has taken them to where refused files are kept.
async fn withdraw(station: &Station, subject: &Subject) -> Result<(), Trouble> {
    let (ledger, file, sha256) = (station.ledger.clone(), subject.file, subject.digest.short());
    let is_twin = matches!(station.state.quarantined(&subject.digest), Ok(Some(_)));
    let noted = tokio::task::spawn_blocking(move || match is_twin {
        true => ledger.twin(file),
        false => ledger.withdrawn(file, "vanished", "the file was taken out of the work folder"),
    });
    noted.await.map_err(|_| Trouble::Defect("a worker panicked"))??;
    if is_twin {
        tracing::info!(sha256, outcome = "duplicate", "duplicate: the same bytes have arrived before");
        station.gauges.ended(End::Duplicate);
    } else {
        tracing::error!(sha256, outcome = "withdrawn", "it is no longer in work: somebody took it away");
        station.gauges.ended(End::Withdrawn);
    }
    Ok(())
}
