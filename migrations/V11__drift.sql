-- Whether what a release says has changed: the last word of each release, which the daemon puts here once a day.

CREATE TABLE drift (
    release         TEXT NOT NULL REFERENCES releases (sha256),
    what            TEXT NOT NULL,
    against         TEXT NOT NULL,
    reference       TEXT NOT NULL,
    recent          TEXT NOT NULL,
    test            TEXT NOT NULL,
    statistic       REAL,
    p               REAL,
    p_adjusted      REAL,
    size            REAL,
    magnitude       TEXT,
    verdict         TEXT NOT NULL,
    reference_from  TEXT NOT NULL,
    reference_until TEXT NOT NULL,
    recent_from     TEXT NOT NULL,
    recent_until    TEXT NOT NULL,
    reference_knees INTEGER NOT NULL,
    recent_knees    INTEGER NOT NULL,
    place           INTEGER NOT NULL,
    PRIMARY KEY (release, place)
) STRICT, WITHOUT ROWID;

CREATE VIEW report_drift AS -- Whether the last four weeks of a release differ from its first ones, or from the months before.
SELECT
    d.recent_until AS day,                                  -- the day of this word, UTC; it is the first that does not count
    r.name AS release,                                      -- the release
    d.what,                                                 -- grades, entropy, agreement or refusals
    d.against,                                              -- what the last weeks are held against
    d.reference,                                            -- how it was then, in words
    d.recent,                                               -- and in the last weeks
    d.test,                                                 -- chi-squared or Mann-Whitney
    d.statistic,                                            -- its statistic
    d.p,                                                    -- how often chance alone makes a difference as large
    d.p_adjusted,                                           -- the same for four looks, by Holm's correction
    d.size,                                                 -- Cramer's V, or the rank-biserial correlation
    d.magnitude,                                            -- the size in a word
    d.verdict,                                              -- changed, as before, or too little to tell
    d.reference_from,                                       -- the first day of what it is held against, UTC
    d.reference_until,                                      -- and the day after the last
    d.recent_from,                                          -- the first day of the last weeks
    d.reference_knees,                                      -- knees graded then
    d.recent_knees                                          -- and in the last weeks
FROM drift d
JOIN releases r ON r.sha256 = d.release
ORDER BY d.recent_until DESC, r.name, d.place;
