-- What was kept for its time and is gone since.

CREATE TABLE removals (
    file            INTEGER NOT NULL REFERENCES files (id),
    what            TEXT NOT NULL CHECK (what IN ('original', 'result')),
    at              TEXT NOT NULL,
    PRIMARY KEY (file, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX removals_by_time ON removals (at);

CREATE VIEW report_removed AS -- Originals and results that were removed after their time, newest first.
SELECT
    m.at,                                                   -- when it was removed, UTC
    r.sha256,                                               -- SHA-256 of the radiograph's bytes
    m.what,                                                 -- original (from archive or quarantine) or result (from the outbox)
    t.state,                                                -- what had become of the file: published or quarantined
    t.at AS state_at                                        -- and when
FROM removals m
JOIN files f ON f.id = m.file
JOIN file_states t ON t.file = f.id AND t.state = f.state
JOIN radiographs r ON r.id = f.radiograph
ORDER BY m.at DESC, m.file DESC;
