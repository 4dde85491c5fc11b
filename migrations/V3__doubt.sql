-- How far to trust a grade: how undecided the ensemble was, and which of its members did not vote.

ALTER TABLE starts ADD COLUMN missing TEXT CHECK (missing <> '');  -- members that could not be loaded, with semicolons
                                                                   -- between them; null: none, or not noted yet
ALTER TABLE grades ADD COLUMN entropy REAL CHECK (entropy >= 0);   -- of p0 to p4, in bits
ALTER TABLE grades ADD COLUMN missing TEXT CHECK (missing <> '');  -- members that did not vote, as in starts

-- SQLite as it is built here has no logarithm: entropy() is the program's own, lent to this connection.
UPDATE grades SET entropy = entropy(p0, p1, p2, p3, p4);

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
    g.missing                                               -- members that could not be loaded and did not vote,
                                                            -- with semicolons between them; null: all voted
FROM grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
JOIN starts s ON s.id = g.start
ORDER BY g.graded_at DESC, g.id DESC;
