-- The ledger: all durable state. Times are RFC 3339 in UTC; digests are SHA-256 in hex.

-- A start of the program: what made the rows that name it.
CREATE TABLE starts (
    id              INTEGER PRIMARY KEY,
    version         TEXT NOT NULL,
    command         TEXT NOT NULL,               -- run, grade
    device          TEXT NOT NULL,               -- as settled at start
    settings        TEXT NOT NULL,               -- the settings in force, TOML
    settings_sha256 TEXT NOT NULL,
    started_at      TEXT NOT NULL
) STRICT;

-- Every release that was ever put into service or graded with.
CREATE TABLE releases (
    sha256          TEXT PRIMARY KEY,            -- of release.toml, which holds the hash of every weight file
    name            TEXT NOT NULL,
    vote            TEXT NOT NULL,
    members         INTEGER NOT NULL,
    manifest        TEXT NOT NULL,               -- release.toml itself
    first_seen_at   TEXT NOT NULL
) STRICT;

-- Which release is in service: the newest row. Never changed, only added to.
CREATE TABLE service (
    id              INTEGER PRIMARY KEY,
    release         TEXT NOT NULL REFERENCES releases (sha256),
    since           TEXT NOT NULL,
    who             TEXT NOT NULL,
    why             TEXT NOT NULL
) STRICT;

-- A radiograph: bytes, known by their digest, and what could be read from them.
CREATE TABLE radiographs (
    id              INTEGER PRIMARY KEY,
    sha256          TEXT NOT NULL UNIQUE,
    bytes           INTEGER NOT NULL,
    format          TEXT,                        -- DICOM, PNG, JPEG, TIFF; null while not decoded
    coding          TEXT,                        -- how its pixels were coded
    width           INTEGER,
    height          INTEGER,
    modality        TEXT,
    body_part       TEXT,
    view            TEXT,
    study_uid       TEXT,
    series_uid      TEXT,
    instance_uid    TEXT,
    study_date      TEXT,
    spacing_row_mm  REAL,                        -- between rows; at the detector where the file says no more
    spacing_col_mm  REAL,
    identity        TEXT CHECK (identity IN ('none', 'pseudonym', 'plain')),
    patient         TEXT,                        -- keyed hash or patient ID, as `identity` says
    patient_name    TEXT,                        -- only where identity is plain; so are the next two
    patient_birth   TEXT,
    patient_sex     TEXT
) STRICT;
CREATE INDEX radiographs_by_instance ON radiographs (instance_uid) WHERE instance_uid IS NOT NULL;

-- A file that arrived. The same bytes may arrive twice: two files, one radiograph.
CREATE TABLE files (
    id              INTEGER PRIMARY KEY,
    radiograph      INTEGER NOT NULL REFERENCES radiographs (id),
    start           INTEGER NOT NULL REFERENCES starts (id),
    origin          TEXT NOT NULL CHECK (origin IN ('inbox', 'command line')),
    name            TEXT,                        -- as it arrived; only where identity is plain
    side_by_name    TEXT NOT NULL CHECK (side_by_name IN ('left', 'right', 'unknown')),
    state           TEXT NOT NULL CHECK (state IN
                        ('claimed', 'graded', 'published', 'duplicate', 'quarantined', 'withdrawn')),
    release         TEXT REFERENCES releases (sha256),  -- whose results were published
    reason_code     TEXT,                        -- one stable word: truncated, blank, too-large, ...
    reason          TEXT                         -- one sentence
) STRICT;
CREATE INDEX files_by_radiograph ON files (radiograph);
CREATE INDEX files_unfinished ON files (state) WHERE state IN ('claimed', 'graded');

-- Every state a file has been in, and since when; seen and settled come before its claim.
CREATE TABLE file_states (
    file            INTEGER NOT NULL REFERENCES files (id),
    state           TEXT NOT NULL,
    at              TEXT NOT NULL,               -- the last time, if a step was repeated
    PRIMARY KEY (file, state)
) STRICT;

-- A knee on a radiograph.
CREATE TABLE knees (
    id              INTEGER PRIMARY KEY,
    radiograph      INTEGER NOT NULL REFERENCES radiographs (id),
    position        INTEGER NOT NULL,            -- 0 for the first or only one, from the picture's left
    side            TEXT NOT NULL CHECK (side IN ('left', 'right', 'unknown')),
    UNIQUE (radiograph, position)
) STRICT;

-- The ensemble's answer for a knee: once for each release.
CREATE TABLE grades (
    id              INTEGER PRIMARY KEY,
    knee            INTEGER NOT NULL REFERENCES knees (id),
    release         TEXT NOT NULL REFERENCES releases (sha256),
    start           INTEGER NOT NULL REFERENCES starts (id),
    grade           INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 4),
    p0 REAL NOT NULL, p1 REAL NOT NULL, p2 REAL NOT NULL, p3 REAL NOT NULL, p4 REAL NOT NULL,
    agreement       REAL NOT NULL CHECK (agreement BETWEEN 0 AND 1),
    graded_at       TEXT NOT NULL,
    UNIQUE (knee, release)
) STRICT;
CREATE INDEX grades_by_time ON grades (graded_at);

-- One member's answer for a knee.
CREATE TABLE votes (
    grade_id        INTEGER NOT NULL REFERENCES grades (id),
    member          TEXT NOT NULL,
    grade           INTEGER NOT NULL CHECK (grade BETWEEN 0 AND 4),
    p0 REAL NOT NULL, p1 REAL NOT NULL, p2 REAL NOT NULL, p3 REAL NOT NULL, p4 REAL NOT NULL,
    PRIMARY KEY (grade_id, member)
) STRICT;

-- A picture in the outbox.
CREATE TABLE pictures (
    grade_id        INTEGER NOT NULL REFERENCES grades (id),
    kind            TEXT NOT NULL CHECK (kind IN ('overlay', 'map')),
    path            TEXT NOT NULL,               -- below the outbox
    sha256          TEXT NOT NULL,
    bytes           INTEGER NOT NULL,
    PRIMARY KEY (grade_id, kind)
) STRICT;
