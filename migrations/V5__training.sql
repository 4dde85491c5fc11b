-- Training: runs, their fits, every epoch, and what was decided when a training was due. What a doubtful grade asks for.

ALTER TABLE grades ADD COLUMN needs_review INTEGER CHECK (needs_review IN (0, 1));  -- null: the release has no threshold

ALTER TABLE service ADD COLUMN back_to INTEGER REFERENCES service (id);  -- the row that was gone back to; null: a promotion

CREATE TABLE training_runs (
    name            TEXT PRIMARY KEY,
    begun_at        TEXT NOT NULL,
    origin          TEXT NOT NULL,               -- command line, or schedule
    data            TEXT NOT NULL,               -- what it learns from, in words
    knees           INTEGER NOT NULL,            -- those that are learnt from
    gold_knees      INTEGER NOT NULL,            -- those that champion and challenger are compared on
    fits            INTEGER NOT NULL,            -- networks times folds
    plan            TEXT NOT NULL,               -- run.toml
    of_labels       INTEGER NOT NULL CHECK (of_labels IN (0, 1)),  -- 1: it learns from the readers' labels
    ended_at        TEXT,
    outcome         TEXT CHECK (outcome IN ('promoted', 'kept', 'failed')),
    release         TEXT,                        -- the name of the release it made
    reasons         TEXT                         -- why it was promoted or not, in sentences
) STRICT;

CREATE TABLE training_fits (
    run             TEXT NOT NULL REFERENCES training_runs (name),
    network         TEXT NOT NULL,
    fold            INTEGER NOT NULL,            -- the one that was left out, from 1
    begun_at        TEXT NOT NULL,
    ended_at        TEXT,
    state           TEXT NOT NULL CHECK (state IN ('fitting', 'fitted', 'failed')),
    reason          TEXT,                        -- why it failed
    PRIMARY KEY (run, network, fold)
) STRICT;

CREATE TABLE training_epochs (
    run             TEXT NOT NULL,
    network         TEXT NOT NULL,
    fold            INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,            -- from 1
    ended_at        TEXT NOT NULL,
    seconds         REAL NOT NULL,
    rate            REAL NOT NULL,
    train_loss      REAL NOT NULL,
    loss            REAL NOT NULL,
    accuracy        REAL NOT NULL,
    quadratic_kappa REAL,
    is_best         INTEGER NOT NULL CHECK (is_best IN (0, 1)),
    PRIMARY KEY (run, network, fold, epoch),
    FOREIGN KEY (run, network, fold) REFERENCES training_fits (run, network, fold)
) STRICT;

-- A time at which the schedule fired, and what came of it: each is decided once.
CREATE TABLE training_slots (
    slot            TEXT NOT NULL,
    schedule        TEXT NOT NULL,               -- expression and time zone
    decided_at      TEXT NOT NULL,
    decision        TEXT NOT NULL,               -- begun, passed over and why, or that the schedule was set then
    PRIMARY KEY (slot, schedule)
) STRICT;

-- Labels that came since the last run that learns from labels began.
CREATE VIEW unlearnt_labels AS
SELECT * FROM labels
WHERE added_at > coalesce((SELECT max(begun_at) FROM training_runs WHERE of_labels), '');

CREATE VIEW report_training AS -- Every run of training, newest first, and what came of it.
SELECT
    r.name,                                                 -- the run's name, and that of its release
    r.begun_at,                                             -- when it was begun, UTC
    r.ended_at,                                             -- when its release was made; null: not yet
    r.outcome,                                              -- promoted: in service; kept: not; failed: no release
    r.origin,                                               -- command line, or schedule
    r.knees,                                                -- knees to learn from
    r.gold_knees,                                           -- knees to compare champion and challenger on
    r.fits,                                                 -- fits that were planned
    (SELECT count(*) FROM training_fits f WHERE f.run = r.name AND f.state = 'fitted')
        AS fitted,                                          -- of these, those that have a network
    (SELECT count(*) FROM training_fits f WHERE f.run = r.name AND f.state = 'failed')
        AS failed,                                          -- and those that have none
    r.reasons,                                              -- why it was promoted or not
    r.data                                                  -- what it learns from
FROM training_runs r
ORDER BY r.begun_at DESC;

CREATE VIEW report_fits AS -- Every network and fold that was fitted, newest run first.
SELECT
    f.run,                                                  -- the run
    f.network,                                              -- the network
    f.fold,                                                 -- the fold that it did not see, from 1
    f.state,                                                -- fitting, fitted, failed
    (SELECT max(epoch) FROM training_epochs e WHERE (e.run, e.network, e.fold) = (f.run, f.network, f.fold))
        AS epochs,                                          -- epochs that are over
    round(e.loss, 4) AS loss,                               -- -ln p of the truth on the left-out fold, best epoch
    round(e.accuracy, 4) AS accuracy,                       -- share of the left-out fold graded right, best epoch
    round(e.quadratic_kappa, 4) AS quadratic_kappa,         -- of the left-out fold, best epoch
    f.begun_at,                                             -- when it began, UTC
    f.ended_at,                                             -- when it ended, UTC
    f.reason                                                -- why it failed
FROM training_fits f
LEFT JOIN training_epochs e ON (e.run, e.network, e.fold) = (f.run, f.network, f.fold) AND e.epoch = (
    SELECT max(epoch) FROM training_epochs b WHERE (b.run, b.network, b.fold) = (f.run, f.network, f.fold) AND b.is_best)
ORDER BY f.begun_at DESC, f.network, f.fold;

CREATE VIEW report_epochs AS -- Learning curves: every epoch of every fit, newest first.
SELECT
    run,                                                    -- the run
    network,                                                -- the network
    fold,                                                   -- the fold that it did not see, from 1
    epoch,                                                  -- from 1
    train_loss,                                             -- mean loss while it learnt
    loss,                                                   -- -ln p of the truth on the left-out fold
    accuracy,                                               -- share of the left-out fold graded right
    quadratic_kappa,                                        -- of the left-out fold
    rate,                                                   -- the learning rate at its end
    seconds,                                                -- how long it took
    is_best,                                                -- 1: the best so far
    ended_at                                                -- UTC
FROM training_epochs
ORDER BY ended_at DESC;

CREATE VIEW report_service AS -- Every change of the release in service, newest first.
SELECT
    s.since,                                                -- when, UTC
    rel.name AS release,                                    -- the release that was put into service
    s.who,                                                  -- by whom
    s.why,                                                  -- and why
    rel.sha256                                              -- digest of its release.toml
FROM service s JOIN releases rel ON rel.sha256 = s.release
ORDER BY s.id DESC;

CREATE VIEW report_review AS -- Grades that a human should look at and no reader has graded since, least sure first.
SELECT
    g.graded_at,                                            -- when it was graded, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    k.side,                                                 -- left, right, unknown
    g.grade,                                                -- the ensemble's grade
    round(CASE g.grade WHEN 0 THEN g.p0 WHEN 1 THEN g.p1 WHEN 2 THEN g.p2 WHEN 3 THEN g.p3 ELSE g.p4 END, 4)
        AS probability,                                     -- of that grade
    round(g.agreement, 4) AS agreement,                     -- share of the networks that voted for it
    rel.name AS release,                                    -- the release that graded
    r.patient,                                              -- keyed hash or patient ID, as the identity setting said
    r.instance_uid                                          -- DICOM SOP Instance UID
FROM grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
WHERE g.needs_review = 1
    AND g.id = (SELECT id FROM grades last WHERE last.knee = k.id ORDER BY last.graded_at DESC, last.id DESC LIMIT 1)
    AND k.id NOT IN (SELECT knee FROM placed_labels WHERE knee IS NOT NULL)
ORDER BY probability;

DROP VIEW report_grades;
CREATE VIEW report_grades AS -- Every grade, newest first, with all that made it.
SELECT
    g.graded_at,                                            -- when it was graded, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    k.side,                                                 -- the patient's side: left, right, unknown
    g.grade,                                                -- Kellgren-Lawrence grade, 0 to 4
    round(g.agreement, 4) AS agreement,                     -- share of those that voted who said this grade, 0 to 1
    round(g.p0, 6) AS p0,                                   -- mean probability of grade 0; the five sum to 1
    round(g.p1, 6) AS p1,                                   -- mean probability of grade 1
    round(g.p2, 6) AS p2,                                   -- mean probability of grade 2
    round(g.p3, 6) AS p3,                                   -- mean probability of grade 3
    round(g.p4, 6) AS p4,                                   -- mean probability of grade 4
    rel.name AS release,                                    -- the release that graded
    r.patient,                                              -- keyed hash or patient ID, as the identity setting said
    r.study_uid,                                            -- DICOM Study Instance UID
    r.instance_uid,                                         -- DICOM SOP Instance UID
    r.study_date,                                           -- as the file says it
    r.view,                                                 -- DICOM View Position
    (SELECT path FROM pictures p WHERE p.grade_id = g.id AND p.kind = 'overlay')
        AS picture,                                         -- the Grad-CAM picture, below the outbox; null: none drawn
    s.version,                                              -- of the program that graded
    s.device,                                               -- what it graded on
    s.settings_sha256,                                      -- digest of the settings in force (table starts has them)
    rel.sha256 AS release_sha256,                           -- digest of the release
    round(g.entropy, 4) AS entropy,                         -- of p0 to p4 in bits: 0 sure of one grade, 2.32 of none
    g.missing,                                              -- members that could not be loaded and did not vote,
                                                            -- with semicolons between them; null: all voted
    g.needs_review                                          -- 1: too doubtful to go without a human's look; 0: not;
                                                            -- null: the release has no threshold for that
FROM grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
JOIN starts s ON s.id = g.start
ORDER BY g.graded_at DESC, g.id DESC;
