-- What is said of a knee is what the release in service says, if it has graded it: another one may have been tried, or rolled back. Of
-- others it is what was noted last, whatever the clock said.
DROP VIEW last_grades;
CREATE VIEW last_grades AS
SELECT * FROM grades g
WHERE NOT EXISTS (
    SELECT 1 FROM grades other
    WHERE other.knee = g.knee AND (other.release IS (SELECT release FROM service WHERE id = (SELECT max(id) FROM service)), other.id)
        > (g.release IS (SELECT release FROM service WHERE id = (SELECT max(id) FROM service)), g.id));

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
    g.needs_review,                                         -- 1: too doubtful to go without a human's look; 0: not;
                                                            -- null: the release has no threshold for that
    EXISTS (SELECT 1 FROM last_grades last WHERE last.id = g.id)
        AS is_last                                          -- 1: of the knee's grades the one by the release in
                                                            -- service, or else the last; 0: another one is
FROM grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
JOIN starts s ON s.id = g.start
ORDER BY g.graded_at DESC, g.id DESC;

-- A run that somebody began by hand and gave up has taught nothing either: its labels are still to be learnt from.
DROP VIEW unlearnt_labels;
CREATE VIEW unlearnt_labels AS
SELECT l.id, min(l.knee) AS knee, l.grade, l.reader FROM standing_labels l
WHERE l.knee IN (SELECT knee FROM agreed_labels)
    AND max(l.added_at, (SELECT min(graded_at) FROM grades WHERE knee = l.knee))
        > coalesce((SELECT max(begun_at) FROM training_runs
                    WHERE of_labels AND (outcome IN ('promoted', 'kept') OR outcome IS NULL AND origin = 'schedule')
                        AND begun_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), '')
GROUP BY l.id;
