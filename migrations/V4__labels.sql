-- Readers' grades. Rows are only added: what a reader said stays, whatever is said later.

CREATE TABLE labels (
    id              INTEGER PRIMARY KEY,
    sha256          TEXT,                        -- of the radiograph's bytes, or
    instance_uid    TEXT,                        -- its DICOM SOP Instance UID: one of the two
    side            TEXT NOT NULL CHECK (side IN ('left', 'right', 'unknown')),  -- unknown: its only knee
    grade           INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 4),
    reader          TEXT NOT NULL CHECK (reader <> ''),
    read_at         TEXT,                        -- date or time of the reading; null: the list does not tell
    settles         INTEGER NOT NULL CHECK (settles IN (0, 1)),  -- 1: it stands for all readers of the knee
    origin          TEXT NOT NULL,               -- SHA-256 of the list it came in, or: command line
    added_at        TEXT NOT NULL,
    CHECK ((sha256 IS NULL) <> (instance_uid IS NULL))
) STRICT;
-- The same list may come twice.
CREATE UNIQUE INDEX labels_once
    ON labels (coalesce(sha256, instance_uid), side, reader, grade, coalesce(read_at, ''), settles);

-- Every label with the knees it is of; null while no such radiograph, or no such knee on it, is known. A film that was sent
-- again in other bytes has the same UID, and so the same labels.
--
-- A date counts as its end, and nothing was read after it came. A lone knee of unknown side is the one that the label names,
-- unless others name the other one.
CREATE VIEW placed_labels AS
SELECT
    l.*,
    min(CASE length(l.read_at) WHEN 10 THEN l.read_at || 'T23:59:59.999Z' ELSE coalesce(l.read_at, l.added_at) END,
        l.added_at) AS at,
    r.id AS radiograph,
    (SELECT k.id FROM knees k
     WHERE k.radiograph = r.id AND (k.side = l.side OR 'unknown' IN (k.side, l.side)
         AND (SELECT count(*) FROM knees other WHERE other.radiograph = r.id) = 1
         AND NOT EXISTS (
             SELECT 1 FROM labels other
             WHERE coalesce(other.sha256, other.instance_uid) = coalesce(l.sha256, l.instance_uid)
                 AND l.side <> 'unknown' AND other.side NOT IN (l.side, 'unknown')))) AS knee
FROM labels l LEFT JOIN radiographs r ON r.sha256 = l.sha256 OR r.instance_uid = l.instance_uid;

-- The labels that count: of each knee the last one that settles or, without one, the last one of each reader.
CREATE VIEW standing_labels AS
WITH keyed AS (
    SELECT *, coalesce('knee ' || knee, coalesce(sha256, instance_uid) || ' ' || side) AS place FROM placed_labels
), ranked AS (
    SELECT *,
        row_number() OVER (PARTITION BY place, reader ORDER BY at DESC, id DESC) AS by_reader,
        row_number() OVER (PARTITION BY place ORDER BY settles DESC, at DESC, id DESC) AS by_settling,
        max(settles) OVER (PARTITION BY place) AS settled
    FROM keyed
)
SELECT * FROM ranked WHERE CASE settled WHEN 1 THEN by_settling = 1 ELSE by_reader = 1 END;

-- One grade a knee, where its readers agree.
CREATE VIEW agreed_labels AS
SELECT place, min(knee) AS knee, min(radiograph) AS radiograph, min(grade) AS grade, max(at) AS at,
       min(sha256) AS sha256, min(instance_uid) AS instance_uid, min(side) AS side
FROM standing_labels GROUP BY place HAVING min(grade) = max(grade);

CREATE VIEW report_labels AS -- Every reader's grade, newest first.
SELECT
    l.added_at,                                             -- when it came, UTC
    l.sha256,                                               -- SHA-256 of the radiograph's bytes; null: named by UID
    l.instance_uid,                                         -- DICOM SOP Instance UID; null: named by SHA-256
    l.side,                                                 -- left, right; unknown: the radiograph's only knee
    l.grade,                                                -- the reader's grade, 0 to 4
    l.reader,                                               -- who said so
    l.read_at,                                              -- when, as the list says; null: it does not
    l.settles,                                              -- 1: it was given to end a contradiction
    l.id IN (SELECT id FROM standing_labels) AS stands,     -- 1: it counts; 0: something later took its place
    EXISTS (SELECT 1 FROM placed_labels p WHERE p.id = l.id AND p.knee IS NOT NULL)
        AS placed,                                          -- 1: the knee has come; 0: no such knee yet
    l.origin                                                -- SHA-256 of the list it came in, or: command line
FROM labels l
ORDER BY l.added_at DESC, l.id DESC;

CREATE VIEW report_label_list AS -- Every label in the columns that `kellgrend labels import` takes, in the order they came.
SELECT
    sha256,                                                 -- SHA-256 of the radiograph's bytes
    instance_uid,                                           -- DICOM SOP Instance UID; one of the two is null
    side,                                                   -- left, right, unknown
    grade,                                                  -- 0 to 4
    reader,                                                 -- who said so
    coalesce(read_at, added_at) AS date,                    -- when, as the list said, or else when it came
    settles                                                 -- 1: it stands for all readers of the knee
FROM labels ORDER BY id;

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
FROM standing_labels s GROUP BY s.place HAVING min(s.grade) < max(s.grade)
ORDER BY max(s.grade) - min(s.grade) DESC, max(s.at) DESC;

CREATE VIEW report_label_gaps AS -- Knees that are labelled and not graded, and those that are graded and not labelled.
SELECT
    iif(s.radiograph IS NULL OR s.knee IS NOT NULL, 'grade', 'knee')
        AS lacks,                                           -- grade; label; or knee: the radiograph shows no such one
    s.sha256,                                               -- SHA-256 of the radiograph's bytes; null: named by UID
    s.instance_uid,                                         -- DICOM SOP Instance UID, where it is known
    s.side,                                                 -- left, right, unknown
    min(s.grade) AS grade,                                  -- what it has: the readers' lowest, or the ensemble's last
    max(s.at) AS since                                      -- when that was said or computed
FROM standing_labels s
WHERE s.knee IS NULL OR NOT EXISTS (SELECT 1 FROM grades g WHERE g.knee = s.knee)
GROUP BY s.place
UNION ALL
SELECT 'label', r.sha256, r.instance_uid, k.side, g.grade, g.graded_at
FROM knees k
JOIN radiographs r ON r.id = k.radiograph
JOIN grades g ON g.id = (SELECT id FROM grades last WHERE last.knee = k.id ORDER BY last.graded_at DESC, last.id DESC LIMIT 1)
WHERE k.id NOT IN (SELECT knee FROM placed_labels WHERE knee IS NOT NULL);

CREATE VIEW report_agreement AS -- Ensemble and readers, by month of grading and release; readers who agree, one label a knee.
WITH pairs AS (
    SELECT substr(g.graded_at, 1, 7) AS month, g.release, l.grade AS reader, g.grade AS ensemble
    FROM grades g JOIN agreed_labels l ON l.knee = g.knee
)
SELECT
    p.month,                                                -- year and month of grading, UTC
    rel.name AS release,                                    -- the release that graded
    count(*) AS knees,                                      -- knees that were graded and labelled
    round(avg(reader = ensemble), 4) AS accuracy,           -- share that was graded as the readers say
    round(1.0 - count(*) * sum((reader - ensemble) * (reader - ensemble)) / nullif(1.0 * count(*) * (sum(reader * reader)
        + sum(ensemble * ensemble)) - 2.0 * sum(reader) * sum(ensemble), 0), 4)
        AS quadratic_kappa,                                 -- Cohen's kappa, quadratic weights; null: all of one grade
    round(avg(ensemble - reader), 4) AS mean_difference,    -- above 0: the ensemble grades higher than the readers
    sum(reader = 0 AND ensemble = 0) AS r0_e0,              -- knees that readers called 0 and the ensemble 0
    sum(reader = 0 AND ensemble = 1) AS r0_e1,              -- readers 0, ensemble 1
    sum(reader = 0 AND ensemble = 2) AS r0_e2,              -- readers 0, ensemble 2
    sum(reader = 0 AND ensemble = 3) AS r0_e3,              -- readers 0, ensemble 3
    sum(reader = 0 AND ensemble = 4) AS r0_e4,              -- readers 0, ensemble 4
    sum(reader = 1 AND ensemble = 0) AS r1_e0,              -- readers 1, ensemble 0
    sum(reader = 1 AND ensemble = 1) AS r1_e1,              -- readers 1, ensemble 1
    sum(reader = 1 AND ensemble = 2) AS r1_e2,              -- readers 1, ensemble 2
    sum(reader = 1 AND ensemble = 3) AS r1_e3,              -- readers 1, ensemble 3
    sum(reader = 1 AND ensemble = 4) AS r1_e4,              -- readers 1, ensemble 4
    sum(reader = 2 AND ensemble = 0) AS r2_e0,              -- readers 2, ensemble 0
    sum(reader = 2 AND ensemble = 1) AS r2_e1,              -- readers 2, ensemble 1
    sum(reader = 2 AND ensemble = 2) AS r2_e2,              -- readers 2, ensemble 2
    sum(reader = 2 AND ensemble = 3) AS r2_e3,              -- readers 2, ensemble 3
    sum(reader = 2 AND ensemble = 4) AS r2_e4,              -- readers 2, ensemble 4
    sum(reader = 3 AND ensemble = 0) AS r3_e0,              -- readers 3, ensemble 0
    sum(reader = 3 AND ensemble = 1) AS r3_e1,              -- readers 3, ensemble 1
    sum(reader = 3 AND ensemble = 2) AS r3_e2,              -- readers 3, ensemble 2
    sum(reader = 3 AND ensemble = 3) AS r3_e3,              -- readers 3, ensemble 3
    sum(reader = 3 AND ensemble = 4) AS r3_e4,              -- readers 3, ensemble 4
    sum(reader = 4 AND ensemble = 0) AS r4_e0,              -- readers 4, ensemble 0
    sum(reader = 4 AND ensemble = 1) AS r4_e1,              -- readers 4, ensemble 1
    sum(reader = 4 AND ensemble = 2) AS r4_e2,              -- readers 4, ensemble 2
    sum(reader = 4 AND ensemble = 3) AS r4_e3,              -- readers 4, ensemble 3
    sum(reader = 4 AND ensemble = 4) AS r4_e4               -- readers 4, ensemble 4
FROM pairs p JOIN releases rel ON rel.sha256 = p.release
GROUP BY p.month, p.release
ORDER BY p.month DESC, rel.name;
