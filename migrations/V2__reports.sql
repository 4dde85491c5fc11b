-- The report_* views are a public contract: columns are added, never renamed or removed.

CREATE VIEW report_grades AS -- Every grade, newest first, with all that made it.
SELECT
    g.graded_at,                                            -- when it was graded, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    k.side,                                                 -- the patient's side: left, right, unknown
    g.grade,                                                -- Kellgren-Lawrence grade, 0 to 4
    round(g.agreement, 4) AS agreement,                     -- share of the members that voted for the grade, 0 to 1
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
    rel.sha256 AS release_sha256                            -- digest of the release
FROM grades g
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
JOIN starts s ON s.id = g.start
ORDER BY g.graded_at DESC, g.id DESC;

CREATE VIEW report_votes AS -- Every member's vote, newest grade first.
SELECT
    g.graded_at,                                            -- when the knee was graded, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    k.side,                                                 -- the patient's side
    v.member,                                               -- the network that voted
    v.grade,                                                -- its vote
    round(v.p0, 6) AS p0,                                   -- its probability of grade 0; the five sum to 1
    round(v.p1, 6) AS p1,                                   -- its probability of grade 1
    round(v.p2, 6) AS p2,                                   -- its probability of grade 2
    round(v.p3, 6) AS p3,                                   -- its probability of grade 3
    round(v.p4, 6) AS p4,                                   -- its probability of grade 4
    g.grade AS ensemble_grade,                              -- what the ensemble answered
    rel.name AS release                                     -- the release that graded
FROM votes v
JOIN grades g ON g.id = v.grade_id
JOIN knees k ON k.id = g.knee
JOIN radiographs r ON r.id = k.radiograph
JOIN releases rel ON rel.sha256 = g.release
ORDER BY g.graded_at DESC, g.id DESC, v.member;

CREATE VIEW report_daily AS -- A line a day: what came and what became of it.
WITH ended AS (
    SELECT substr(max(t.at), 1, 10) AS day, f.id, f.state
    FROM files f JOIN file_states t ON t.file = f.id AND t.state = f.state
    GROUP BY f.id
), graded AS (
    SELECT substr(graded_at, 1, 10) AS day, count(*) AS knees, avg(agreement) AS agreement,
           sum(grade = 0) AS kl0, sum(grade = 1) AS kl1, sum(grade = 2) AS kl2, sum(grade = 3) AS kl3, sum(grade = 4) AS kl4
    FROM grades GROUP BY 1
), counted AS (
    SELECT day, sum(state = 'published') AS published, sum(state = 'duplicate') AS duplicates,
           sum(state = 'quarantined') AS quarantined, sum(state IN ('claimed', 'graded')) AS in_work
    FROM ended GROUP BY day
)
SELECT
    days.day,                                               -- the date, UTC
    coalesce(published, 0) AS published,                    -- radiographs whose results are in the outbox
    coalesce(duplicates, 0) AS duplicates,                  -- files whose bytes had been graded before
    coalesce(quarantined, 0) AS quarantined,                -- files that could not be graded
    coalesce(in_work, 0) AS in_work,                        -- claimed and not finished yet
    coalesce(knees, 0) AS knees,                            -- knees graded
    coalesce(kl0, 0) AS kl0,                                -- of these, KL 0
    coalesce(kl1, 0) AS kl1,                                -- of these, KL 1
    coalesce(kl2, 0) AS kl2,                                -- of these, KL 2
    coalesce(kl3, 0) AS kl3,                                -- of these, KL 3
    coalesce(kl4, 0) AS kl4,                                -- of these, KL 4
    round(agreement, 3) AS mean_agreement                   -- mean share of members that agreed; null: none graded
FROM (SELECT day FROM counted UNION SELECT day FROM graded) days
LEFT JOIN counted USING (day)
LEFT JOIN graded USING (day)
ORDER BY days.day DESC;

CREATE VIEW report_refused AS -- Every file that was not graded, and why, newest first.
SELECT
    (SELECT max(at) FROM file_states t WHERE t.file = f.id AND t.state = f.state)
        AS at,                                              -- when it was refused, UTC
    r.sha256,                                               -- SHA-256 of its bytes
    f.state,                                                -- quarantined, duplicate or withdrawn
    f.reason_code,                                          -- one stable word
    f.reason,                                               -- one sentence
    r.bytes,                                                -- the file's size
    f.origin,                                               -- inbox or command line
    f.name                                                  -- as it arrived; kept only where identity is plain
FROM files f JOIN radiographs r ON r.id = f.radiograph
WHERE f.state IN ('quarantined', 'duplicate', 'withdrawn')
ORDER BY at DESC, f.id DESC;

CREATE VIEW report_releases AS -- Every release that was in service or graded, newest first.
SELECT
    rel.name,                                               -- the release's name
    rel.sha256,                                             -- digest of its release.toml
    rel.vote,                                               -- hard, soft or mix
    rel.members,                                            -- how many networks vote
    rel.first_seen_at,                                      -- since when the ledger knows it, UTC
    (SELECT max(since) FROM service s WHERE s.release = rel.sha256)
        AS put_in_service_at,                               -- last put into service; null: never
    (SELECT who FROM service s WHERE s.release = rel.sha256 ORDER BY id DESC LIMIT 1)
        AS put_in_service_by,                               -- who did that
    (SELECT why FROM service s WHERE s.release = rel.sha256 ORDER BY id DESC LIMIT 1)
        AS why,                                             -- and the reason given
    rel.sha256 = (SELECT release FROM service ORDER BY id DESC LIMIT 1)
        AS in_service,                                      -- 1 for the one in service
    (SELECT count(*) FROM grades g WHERE g.release = rel.sha256)
        AS knees                                            -- knees it has graded
FROM releases rel
ORDER BY rel.first_seen_at DESC;
