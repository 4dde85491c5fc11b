//! The report_* views.

/// A public view of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// What users call it; the view is `report_` and this.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What says when a row was, for a window of time: a column, or an expression of one, that begins with the date.
    pub time: &'static str,
    /// The columns that a terminal's width allows; all are in the view.
    pub narrow: &'static [&'static str],
}

/// All public views.
pub const REPORTS: [Report; 20] = [
    Report {
        name: "grades",
        about: "every grade, newest first, with all that made it",
        time: "graded_at",
        narrow: &[
            "graded_at",
            "sha256",
            "side",
            "grade",
            "needs_review",
            "agreement",
            "entropy",
            "p0",
            "p1",
            "p2",
            "p3",
            "p4",
            "release",
            "missing",
        ],
    },
    Report {
        name: "votes",
        about: "every member's vote, newest grade first",
        time: "graded_at",
        narrow: &[
            "graded_at",
            "sha256",
            "side",
            "member",
            "grade",
            "p0",
            "p1",
            "p2",
            "p3",
            "p4",
            "ensemble_grade",
            "release",
        ],
    },
    Report {
        name: "daily",
        about: "a line a day: what came and what became of it",
        time: "day",
        narrow: &[
            "day",
            "published",
            "duplicates",
            "quarantined",
            "in_work",
            "knees",
            "kl0",
            "kl1",
            "kl2",
            "kl3",
            "kl4",
            "mean_agreement",
        ],
    },
    Report {
        name: "weeks",
        about: "a line a week and release: how much was graded, how, how surely, how much was refused",
        time: "monday",
        narrow: &[
            "week",
            "release",
            "published",
            "refused",
            "knees",
            "kl0",
            "kl1",
            "kl2",
            "kl3",
            "kl4",
            "mean_entropy",
            "mean_agreement",
            "needs_review",
        ],
    },
    Report {
        name: "drift",
        about: "whether a release's last four weeks differ from its first, or from the months before, by more than chance",
        time: "day",
        narrow: &["day", "release", "what", "against", "reference", "recent", "p_adjusted", "magnitude", "verdict"],
    },
    Report {
        name: "progression",
        about: "each patient's knees over time, with the change since earlier films",
        time: "graded_at",
        narrow: &["patient", "side", "filmed_on", "grade", "change", "change_since_first", "release", "release_before"],
    },
    Report {
        name: "times",
        about: "how long each radiograph took from its arrival to its result",
        time: "day",
        narrow: &["sha256", "origin", "release", "seen_at", "published_at", "work_seconds", "seconds"],
    },
    Report {
        name: "removed",
        about: "originals and results that were removed after their time, newest first",
        time: "at",
        narrow: &["at", "sha256", "what", "state", "state_at"],
    },
    Report {
        name: "refused",
        about: "every file that was not graded, and why, newest first",
        time: "at",
        narrow: &["at", "sha256", "state", "reason_code", "reason", "name"],
    },
    Report {
        name: "releases",
        about: "every release that was in service or graded",
        time: "first_seen_at",
        narrow: &[
            "name",
            "sha256",
            "vote",
            "members",
            "put_in_service_at",
            "put_in_service_by",
            "why",
            "in_service",
            "knees",
        ],
    },
    Report {
        name: "service",
        about: "every change of the release in service, by whom and why",
        time: "since",
        narrow: &["since", "release", "who", "why"],
    },
    Report {
        name: "review",
        about: "grades that a human should look at, least sure first",
        time: "graded_at",
        narrow: &["graded_at", "sha256", "side", "grade", "probability", "agreement", "release"],
    },
    Report {
        name: "training",
        about: "every run of training, and what came of it",
        time: "begun_at",
        narrow: &["name", "begun_at", "ended_at", "outcome", "knees", "gold_knees", "fits", "fitted", "failed"],
    },
    Report {
        name: "fits",
        about: "every network and fold of a run: state, loss, accuracy, kappa",
        time: "begun_at",
        narrow: &["run", "network", "fold", "state", "epochs", "loss", "accuracy", "quadratic_kappa", "reason"],
    },
    Report {
        name: "epochs",
        about: "learning curves: every epoch of every fit",
        time: "ended_at",
        narrow: &["run", "network", "fold", "epoch", "train_loss", "loss", "accuracy", "quadratic_kappa", "seconds"],
    },
    Report {
        name: "labels",
        about: "every reader's grade, newest first",
        time: "added_at",
        narrow: &["added_at", "sha256", "instance_uid", "side", "grade", "reader", "read_at", "stands", "placed"],
    },
    Report {
        name: "label_conflicts",
        about: "knees of which readers contradict each other, or one itself, the widest apart first",
        time: "last_at",
        narrow: &["sha256", "instance_uid", "side", "lowest", "highest", "readers", "said"],
    },
    Report {
        name: "label_gaps",
        about: "knees that are labelled and not graded, and those that are graded and not labelled",
        time: "since",
        narrow: &["lacks", "sha256", "instance_uid", "side", "grade", "since"],
    },
    Report {
        name: "agreement",
        about: "how far ensemble and readers agree, by month and release",
        time: "month || '-01'",
        narrow: &["month", "release", "knees", "accuracy", "quadratic_kappa", "mean_difference"],
    },
    Report {
        name: "mail",
        about: "every mail, newest first: what waits and what was sent",
        time: "created_at",
        narrow: &["created_at", "kind", "state", "subject", "attempts", "sent_at", "next_attempt_at", "last_error"],
    },
];

/// All labels in the columns that a list of labels has; not for the eye.
pub const EXPORT: Report =
    Report { name: "label_list", about: "all labels, as a list of them", time: "date", narrow: &[] };
