//! What systemd is told: a line for `systemctl status`, and food for its watchdog.

use super::Snapshot;
use sd_notify::NotifyState;

/// Tells systemd, where it wants to know. `is_moving`: nothing hangs, and there is a watchdog.
pub(super) fn tell(snapshot: &Snapshot, is_moving: bool) {
    let line = status_line(snapshot);
    let words = [NotifyState::Status(&line), NotifyState::Watchdog];
    let _ = sd_notify::notify(if is_moving { &words } else { &words[..1] });
}

/// The state of things in one line.
pub fn status_line(snapshot: &Snapshot) -> String {
    let doing = snapshot.ills.first().map_or("watching", String::as_str);
    let last = snapshot.last_progress.map_or_else(String::new, |last| {
        let ago = snapshot.at.duration_since(last).as_secs().max(0);
        format!(", last {ago} s ago")
    });
    format!("{doing}; {} in work, {} graded since start{last}", snapshot.in_work, snapshot.ended("graded"))
}
