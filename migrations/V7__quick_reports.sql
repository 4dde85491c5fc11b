-- Reports that answer at once of a month in a ledger of a million knees; weeks, and patients over time.

-- Tables of many small rows are their own index: without a second one, a knee of eight members takes a tenth less.
CREATE TABLE old_votes AS SELECT *, row_number() OVER (PARTITION BY grade_id ORDER BY rowid) - 1 AS position FROM votes;
DROP TABLE votes;
-- One member's answer for a knee.
CREATE TABLE votes (
    grade_id        INTEGER NOT NULL REFERENCES grades (id),
    position        INTEGER NOT NULL,            -- the member's in its release, from 0
    member          TEXT NOT NULL,
    grade           INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 4),
    p0 REAL NOT NULL, p1 REAL NOT NULL, p2 REAL NOT NULL, p3 REAL NOT NULL, p4 REAL NOT NULL,
    PRIMARY KEY (grade_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO votes
SELECT grade_id, position, member, grade, p0, p1, p2, p3, p4 FROM old_votes ORDER BY grade_id, position;
DROP TABLE old_votes;

CREATE TABLE old_states AS SELECT * FROM file_states;
DROP TABLE file_states;
-- Every state a file has been in, and since when; seen and settled come before its claim.
CREATE TABLE file_states (
    file            INTEGER NOT NULL REFERENCES files (id),
    state           TEXT NOT NULL,
    at              TEXT NOT NULL,               -- the last time, if a step was repeated
    PRIMARY KEY (file, state)
) STRICT, WITHOUT ROWID;
INSERT INTO file_states SELECT file, state, at FROM old_states ORDER BY file, state;
DROP TABLE old_states;

CREATE TABLE old_pictures AS SELECT * FROM pictures;
DROP TABLE pictures;
-- A picture in the outbox.
CREATE TABLE pictures (
    grade_id        INTEGER NOT NULL REFERENCES grades (id),
    kind            TEXT NOT NULL CHECK (kind IN ('overlay', 'map')),
    path            TEXT NOT NULL,               -- below the outbox
    sha256          TEXT NOT NULL,
    bytes           INTEGER NOT NULL,
    PRIMARY KEY (grade_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO pictures SELECT grade_id, kind, path, sha256, bytes FROM old_pictures ORDER BY grade_id, kind;
DROP TABLE old_pictures;

-- The day and the week that a time is in, as the views write them: a window of days or weeks is searched, not scanned.
CREATE INDEX grades_by_day ON grades (substr(graded_at, 1, 10));
CREATE INDEX grades_by_week ON grades (date(graded_at, 'weekday 0', '-6 days'));
CREATE INDEX file_ends_by_day ON file_states (substr(at, 1, 10), state)
    WHERE state IN ('published', 'duplicate', 'quarantined', 'withdrawn');
CREATE INDEX file_refusals_by_week ON file_states (date(at, 'weekday 0', '-6 days')) WHERE state = 'quarantined';
CREATE INDEX file_refusals_by_time ON file_states (at) WHERE state IN ('quarantined', 'duplicate', 'withdrawn');
CREATE INDEX grades_to_review ON grades (graded_at) WHERE needs_review = 1;
CREATE INDEX labels_by_digest ON labels (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX labels_by_instance ON labels (instance_uid) WHERE instance_uid IS NOT NULL;
CREATE INDEX labels_by_time ON labels (added_at);
CREATE INDEX radiographs_by_patient ON radiographs (patient) WHERE patient IS NOT NULL;

-- The last state of each file, and since when.
CREATE VIEW file_ends AS
SELECT t.file, t.state, t.at, f.release
FROM file_states t JOIN files f ON f.id = t.file AND f.state = t.state
WHERE t.state IN ('published', 'duplicate', 'quarantined', 'withdrawn');

DROP VIEW report_daily;
CREATE VIEW report_daily AS -- A line a day: what came and what became of it.
WITH unfinished AS (
    SELECT substr(t.at, 1, 10) AS day FROM files f JOIN file_states t ON t.file = f.id AND t.state = f.state
    WHERE f.state IN ('claimed', 'graded')
), days AS (
    SELECT substr(graded_at, 1, 10) AS day, count(*) AS knees, avg(agreement) AS agreement,
           sum(grade = 0) AS kl0, sum(grade = 1) AS kl1, sum(grade = 2) AS kl2, sum(grade = 3) AS kl3, sum(grade = 4) AS kl4
    FROM grades GROUP BY substr(graded_at, 1, 10)
    UNION ALL
    SELECT DISTINCT substr(at, 1, 10), 0, NULL, 0, 0, 0, 0, 0 FROM file_ends
    WHERE NOT EXISTS (SELECT 1 FROM grades WHERE substr(graded_at, 1, 10) = substr(at, 1, 10))
    UNION ALL
    SELECT DISTINCT day, 0, NULL, 0, 0, 0, 0, 0 FROM unfinished
    WHERE NOT EXISTS (SELECT 1 FROM grades WHERE substr(graded_at, 1, 10) = day)
        AND NOT EXISTS (SELECT 1 FROM file_ends WHERE substr(at, 1, 10) = day)
)
SELECT
    day,                                                    -- the date, UTC
    (SELECT count(*) FROM file_ends WHERE substr(at, 1, 10) = days.day AND state = 'published')
        AS published,                                       -- radiographs whose results are in the outbox
    (SELECT count(*) FROM file_ends WHERE substr(at, 1, 10) = days.day AND state = 'duplicate')
        AS duplicates,                                      -- files whose bytes had been graded before
    (SELECT count(*) FROM file_ends WHERE substr(at, 1, 10) = days.day AND state = 'quarantined')
        AS quarantined,                                     -- files that could not be graded
    (SELECT count(*) FROM unfinished WHERE unfinished.day = days.day)
        AS in_work,                                         -- claimed and not finished yet
    knees,                                                  -- knees graded
    kl0,                                                    -- of these, KL 0
    kl1,                                                    -- of these, KL 1
    kl2,                                                    -- of these, KL 2
    kl3,                                                    -- of these, KL 3
    kl4,                                                    -- of these, KL 4
    round(agreement, 3) AS mean_agreement                   -- mean share of members that agreed; null: none graded
FROM days
ORDER BY day DESC;

CREATE VIEW report_times AS -- How long each radiograph took from its arrival to its result, newest first.
SELECT
    substr(e.at, 1, 10) AS day,                             -- the date of its result, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    f.origin,                                               -- inbox or command line
    rel.name AS release,                                    -- the release that graded
    seen.at AS seen_at,                                     -- when it was first seen, UTC
    claimed.at AS claimed_at,                               -- when it was taken into work: it had settled and had its turn
    graded.at AS graded_at,                                 -- when its grades were on record
    e.at AS published_at,                                   -- when its results were in the outbox
    round((julianday(e.at) - julianday(claimed.at)) * 86400, 3)
        AS work_seconds,                                    -- from claim to result
    round((julianday(e.at) - julianday(seen.at)) * 86400, 3)
        AS seconds                                          -- from arrival to result; the rest is settling and waiting
FROM file_ends e
JOIN files f ON f.id = e.file
JOIN radiographs r ON r.id = f.radiograph
JOIN releases rel ON rel.sha256 = f.release
JOIN file_states seen ON seen.file = e.file AND seen.state = 'seen'
JOIN file_states claimed ON claimed.file = e.file AND claimed.state = 'claimed'
JOIN file_states graded ON graded.file = e.file AND graded.state = 'graded'
WHERE e.state = 'published'
ORDER BY day DESC, published_at DESC;

-- Ends that a release answers for: those it published, and what was refused while it was in service.
CREATE VIEW release_ends AS
SELECT date(at, 'weekday 0', '-6 days') AS monday, substr(at, 1, 10) AS day, state,
       coalesce(release, (SELECT s.release FROM service s WHERE s.since <= at ORDER BY s.id DESC LIMIT 1)) AS release
FROM file_ends
WHERE state IN ('published', 'quarantined');

CREATE VIEW report_weeks AS -- A line a week and release: how much was graded, how, how surely, and how much was refused.
WITH weeks AS (
    SELECT date(graded_at, 'weekday 0', '-6 days') AS monday, release, count(*) AS knees,
           sum(grade = 0) AS kl0, sum(grade = 1) AS kl1, sum(grade = 2) AS kl2, sum(grade = 3) AS kl3, sum(grade = 4) AS kl4,
           avg(grade) AS grade, avg(entropy) AS entropy, avg(agreement) AS agreement, sum(needs_review) AS needs_review
    FROM grades GROUP BY date(graded_at, 'weekday 0', '-6 days'), release
    UNION ALL
    -- a week in which all was refused
    SELECT monday, release, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL
    FROM (SELECT DISTINCT monday, release FROM release_ends WHERE state = 'quarantined') quiet
    WHERE NOT EXISTS (
        SELECT 1 FROM grades g
        WHERE date(g.graded_at, 'weekday 0', '-6 days') = quiet.monday AND g.release = quiet.release)
), counted AS (
    SELECT *,
        (SELECT count(*) FROM release_ends e WHERE e.day >= weeks.monday AND e.day < date(weeks.monday, '+7 days')
             AND e.state = 'published' AND e.release IS weeks.release) AS published,
        (SELECT count(*) FROM release_ends e WHERE e.day >= weeks.monday AND e.day < date(weeks.monday, '+7 days')
             AND e.state = 'quarantined' AND e.release IS weeks.release) AS refused
    FROM weeks
)
SELECT
    strftime('%Y', w.monday, '+3 days') || printf('-W%02d', (strftime('%j', w.monday, '+3 days') + 6) / 7)
        AS week,                                            -- the ISO 8601 week, UTC: 2026-W05
    w.monday,                                               -- its first day
    rel.name AS release,                                    -- that graded, or was in service when files were refused;
                                                            -- null: none was
    w.published,                                            -- radiographs whose results are in the outbox
    w.refused,                                              -- files that could not be graded
    round(1.0 * w.refused / nullif(w.refused + w.published, 0), 4)
        AS refusal_rate,                                    -- refused, of refused and published; null: neither
    w.knees,                                                -- knees graded
    w.kl0,                                                  -- of these, KL 0
    w.kl1,                                                  -- of these, KL 1
    w.kl2,                                                  -- of these, KL 2
    w.kl3,                                                  -- of these, KL 3
    w.kl4,                                                  -- of these, KL 4
    round(w.grade, 3) AS mean_grade,                        -- mean grade, 0 to 4; null: none graded
    round(w.entropy, 4) AS mean_entropy,                    -- mean entropy in bits, 0 to 2.32; null: none graded
    round(w.agreement, 4) AS mean_agreement,                -- mean share of members that agreed; null: none graded
    w.needs_review                                          -- knees too doubtful to go without a human's look; null: the
                                                            -- release has no threshold for that
FROM counted w LEFT JOIN releases rel ON rel.sha256 = w.release
ORDER BY w.monday DESC, rel.name;

DROP VIEW report_refused;
CREATE VIEW report_refused AS -- Every file that was not graded, and why, newest first.
SELECT
    t.at,                                                   -- when it was refused, UTC
    r.sha256,                                               -- SHA-256 of its bytes
    f.state,                                                -- quarantined, duplicate or withdrawn
    f.reason_code,                                          -- one stable word
    f.reason,                                               -- one sentence
    r.bytes,                                                -- the file's size
    f.origin,                                               -- inbox or command line
    f.name                                                  -- as it arrived; kept only where identity is plain
FROM file_states t
JOIN files f ON f.id = t.file AND f.state = t.state
JOIN radiographs r ON r.id = f.radiograph
WHERE t.state IN ('quarantined', 'duplicate', 'withdrawn')
ORDER BY t.at DESC, f.id DESC;

-- The last grade of each knee.
CREATE VIEW last_grades AS
SELECT * FROM grades g
WHERE NOT EXISTS (
    SELECT 1 FROM grades later WHERE later.knee = g.knee AND (later.graded_at, later.id) > (g.graded_at, g.id));

-- Knees whose patient and side are known, with the day of the film: its study date, else that of its arrival.
CREATE VIEW filmed_knees AS
SELECT
    k.id AS knee, k.side, r.sha256, r.patient,
    coalesce(r.study_date, (
        SELECT substr(min(t.at), 1, 10) FROM files f JOIN file_states t ON t.file = f.id AND t.state = 'claimed'
        WHERE f.radiograph = r.id)) AS filmed_on
FROM knees k JOIN radiographs r ON r.id = k.radiograph
WHERE r.patient IS NOT NULL AND k.side IN ('left', 'right');

CREATE VIEW report_progression AS -- Each patient's knees over time: every film's grade, and the change since earlier ones.
WITH films AS (
    SELECT
        film.*, g.grade, g.graded_at, g.release,
        (SELECT knee FROM filmed_knees earlier
         WHERE earlier.patient = film.patient AND earlier.side = film.side
             AND (earlier.filmed_on, earlier.knee) < (film.filmed_on, film.knee)
         ORDER BY earlier.filmed_on DESC, earlier.knee DESC LIMIT 1) AS before,
        (SELECT knee FROM filmed_knees earlier
         WHERE earlier.patient = film.patient AND earlier.side = film.side
             AND (earlier.filmed_on, earlier.knee) < (film.filmed_on, film.knee)
         ORDER BY earlier.filmed_on, earlier.knee LIMIT 1) AS first
    FROM last_grades g JOIN filmed_knees film ON film.knee = g.knee
)
SELECT
    film.patient,                                           -- keyed hash or patient ID, as the identity setting said
    film.side,                                              -- the patient's side: left, right
    film.filmed_on,                                         -- the study date, else the day on which the film came
    film.grade,                                             -- the last grade of this film's knee, 0 to 4
    before.grade AS grade_before,                           -- of the film before; null: this is the first
    film.grade - before.grade AS change,                    -- above 0: worse than on the film before; null: the first
    first.grade AS first_grade,                             -- of the first film; null: this is it
    film.grade - first.grade AS change_since_first,         -- above 0: worse than on the first film; null: this is it
    rel.name AS release,                                    -- the release that graded this film
    rel_before.name AS release_before,                      -- and the film before: another one may judge otherwise
    film.sha256,                                            -- SHA-256 of the radiograph's bytes
    film.graded_at                                          -- when it was graded, UTC
FROM films film
JOIN releases rel ON rel.sha256 = film.release
LEFT JOIN last_grades before ON before.knee = film.before
LEFT JOIN releases rel_before ON rel_before.sha256 = before.release
LEFT JOIN last_grades first ON first.knee = film.first
ORDER BY film.patient, film.side, film.filmed_on, film.knee;

-- The labels that count: of each knee the last one that settles or, without one, the last one of each reader.
DROP VIEW standing_labels;
CREATE VIEW standing_labels AS
WITH placed AS MATERIALIZED (
    SELECT *, coalesce('knee ' || knee, coalesce(sha256, instance_uid) || ' ' || side) AS place FROM placed_labels
)
SELECT * FROM placed l
WHERE NOT EXISTS (
    SELECT 1 FROM placed later
    WHERE later.place = l.place AND (later.settles OR later.reader = l.reader)
        -- one that is of several radiographs counts for the first
        AND (later.settles, later.at, later.id, -coalesce(later.radiograph, 0))
            > (l.settles, l.at, l.id, -coalesce(l.radiograph, 0)));

DROP VIEW report_label_conflicts;
CREATE VIEW report_label_conflicts AS -- Knees whose readers contradict each other, the widest apart first.
SELECT
    min(s.sha256) AS sha256,                                -- SHA-256 of the radiograph's bytes; null: named by UID
    min(s.instance_uid) AS instance_uid,                    -- DICOM SOP Instance UID; null: named by SHA-256
    min(s.side) AS side,                                    -- left, right; unknown: the radiograph's only knee
    min(s.grade) AS lowest,                                 -- the lowest grade that stands
    max(s.grade) AS highest,                                -- the highest grade that stands
    count(*) AS readers,                                    -- how many readers there are
    group_concat(s.reader || ': ' || s.grade, '; ') AS said,  -- what each of them says
    max(s.at) AS last_at                                    -- when the last of them said it
FROM (SELECT * FROM standing_labels ORDER BY place, reader) s GROUP BY s.place HAVING min(s.grade) < max(s.grade)
ORDER BY max(s.grade) - min(s.grade) DESC, max(s.at) DESC;

DROP VIEW report_review;
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
FROM last_grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
WHERE g.needs_review = 1
    AND NOT EXISTS (SELECT 1 FROM placed_labels p WHERE p.radiograph = k.radiograph AND p.knee = k.id)
ORDER BY probability;

DROP VIEW report_label_gaps;
CREATE VIEW report_label_gaps AS -- Knees that are labelled and not graded, and those that are graded and not labelled.
SELECT
    iif(s.radiograph IS NULL OR s.knee IS NOT NULL, 'grade', 'knee')
        AS lacks,                                           -- grade; label; or knee: the radiograph shows no such one
    min(s.sha256) AS sha256,                                -- SHA-256 of the radiograph's bytes; null: named by UID
    min(s.instance_uid) AS instance_uid,                    -- DICOM SOP Instance UID, where it is known
    min(s.side) AS side,                                    -- left, right, unknown
    min(s.grade) AS grade,                                  -- what it has: the readers' lowest, or the ensemble's last
    max(s.at) AS since                                      -- when that was said or computed
FROM standing_labels s
WHERE s.knee IS NULL OR NOT EXISTS (SELECT 1 FROM grades g WHERE g.knee = s.knee)
GROUP BY s.place
UNION ALL
SELECT 'label', r.sha256, r.instance_uid, k.side, g.grade, g.graded_at
FROM last_grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
WHERE NOT EXISTS (SELECT 1 FROM placed_labels p WHERE p.radiograph = k.radiograph AND p.knee = k.id);
