-- What a film that came twice is said of is told once; a film that was refused lacks a grade, not a knee; a film that was published in
-- a week in which its release graded nothing counts in that week.

DROP INDEX file_refusals_by_week;
CREATE INDEX file_ends_by_week ON file_states (date(at, 'weekday 0', '-6 days')) WHERE state IN ('published', 'quarantined');

DROP VIEW report_weeks;
CREATE VIEW report_weeks AS -- A line a week and release: how much was graded, how, how surely, and how much was refused.
WITH weeks AS (
    SELECT date(graded_at, 'weekday 0', '-6 days') AS monday, release, count(*) AS knees,
           sum(grade = 0) AS kl0, sum(grade = 1) AS kl1, sum(grade = 2) AS kl2, sum(grade = 3) AS kl3, sum(grade = 4) AS kl4,
           avg(grade) AS grade, avg(entropy) AS entropy, avg(agreement) AS agreement, sum(needs_review) AS needs_review
    FROM grades GROUP BY date(graded_at, 'weekday 0', '-6 days'), release
    UNION ALL
    -- a week in which nothing was graded: all was refused, or graded the week before
    SELECT monday, release, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL
    FROM (SELECT DISTINCT monday, release FROM release_ends) quiet
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
    w.published,                                            -- files whose results were put into the outbox
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

DROP VIEW report_label_conflicts;
CREATE VIEW report_label_conflicts AS -- Knees of which readers contradict each other, or one reader itself, the widest apart first.
WITH conflicts AS MATERIALIZED (
    -- a film that came again in other bytes has two places and, where it is named by its UID, one row
    SELECT DISTINCT
        min(s.sha256) AS sha256, min(s.instance_uid) AS instance_uid, min(s.side) AS side,
        min(s.grade) AS lowest, max(s.grade) AS highest, count(DISTINCT s.reader) AS readers,
        group_concat(s.reader || ': ' || s.grade, '; ') AS said, max(s.at) AS last_at
    FROM (SELECT * FROM standing_labels ORDER BY place, reader, grade) s
    GROUP BY s.place HAVING min(s.grade) < max(s.grade)
)
SELECT
    sha256,                                                 -- SHA-256 of the radiograph's bytes; null: named by UID
    instance_uid,                                           -- DICOM SOP Instance UID; null: named by SHA-256
    side,                                                   -- left, right; unknown: the radiograph's only knee
    lowest,                                                 -- the lowest grade that stands
    highest,                                                -- the highest grade that stands
    readers,                                                -- how many readers there are; 1: of two minds in one list
    said,                                                   -- what each of them says
    last_at                                                 -- when the last of them said it
FROM conflicts c
WHERE sha256 IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM conflicts other
    WHERE other.sha256 IS NOT NULL AND other.instance_uid = c.instance_uid AND other.side = c.side)
ORDER BY highest - lowest DESC, last_at DESC;

DROP VIEW report_review;
CREATE VIEW report_review AS -- Grades that a human should look at and that no reader has graded, least sure first.
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
    -- of a film that was refused, or is in work, no knee is known
    iif(s.knee IS NULL AND EXISTS (SELECT 1 FROM knees k WHERE k.radiograph = s.radiograph), 'knee', 'grade')
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

-- A run that began while the clock was ahead says nothing of what is new.
DROP VIEW unlearnt_labels;
CREATE VIEW unlearnt_labels AS
SELECT l.id, min(l.knee) AS knee, l.grade, l.reader FROM standing_labels l
WHERE l.knee IN (SELECT knee FROM agreed_labels)
    AND max(l.added_at, (SELECT min(graded_at) FROM grades WHERE knee = l.knee))
        > coalesce((SELECT max(begun_at) FROM training_runs
                    WHERE of_labels AND begun_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), '')
GROUP BY l.id;
