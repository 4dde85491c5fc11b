-- A picture's digest as its 32 bytes: a knee takes 64 bytes less, and one of eight members stays under 2 KiB.

CREATE TABLE old_pictures AS SELECT * FROM pictures;
DROP TABLE pictures;
-- A picture in the outbox.
CREATE TABLE pictures (
    grade_id        INTEGER NOT NULL REFERENCES grades (id),
    kind            TEXT NOT NULL CHECK (kind IN ('overlay', 'map')),
    path            TEXT NOT NULL,               -- below the outbox
    sha256          BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes           INTEGER NOT NULL,
    PRIMARY KEY (grade_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO pictures SELECT grade_id, kind, path, unhex(sha256), bytes FROM old_pictures ORDER BY grade_id, kind;
DROP TABLE old_pictures;
