-- Mail: what people are told, a row first and a mail then. Pictures wait as long as their mail does.

CREATE TABLE mails (
    id              INTEGER PRIMARY KEY,
    created_at      TEXT NOT NULL,
    kind            TEXT NOT NULL,               -- digest, or what an alert is of: disk, inbox, training, ...
    key             TEXT NOT NULL UNIQUE,        -- what it tells: that is told once
    message_id      TEXT NOT NULL UNIQUE,        -- the same at every attempt, so that a copy is seen to be one
    subject         TEXT NOT NULL,
    text            TEXT NOT NULL,
    html            TEXT,                        -- null: it is text alone
    since           TEXT,                        -- of a digest: where what it tells begins
    repeats         INTEGER NOT NULL DEFAULT 0,  -- how often the same has begun again since, to be told with the next
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT NOT NULL,
    last_error      TEXT,
    sent_at         TEXT,
    replaced_at     TEXT                         -- of a digest that waited until the next one, which tells it too
) STRICT;
CREATE INDEX mails_by_kind ON mails (kind, created_at);
CREATE INDEX mails_sent ON mails (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX mails_waiting ON mails (next_attempt_at) WHERE sent_at IS NULL AND replaced_at IS NULL;

CREATE TABLE mail_pictures (
    mail            INTEGER NOT NULL REFERENCES mails (id),
    name            TEXT NOT NULL,               -- its Content-ID
    png             BLOB NOT NULL,
    PRIMARY KEY (mail, name)
) STRICT;

-- From when on things are told: what was before nobody asked for.
CREATE TABLE mail_marks (
    name            TEXT PRIMARY KEY,            -- alerts, or digest
    words           TEXT NOT NULL,               -- of the digest its schedule: with another one, nothing was missed
    at              TEXT NOT NULL
) STRICT;

-- What came of files lately is asked for often.
CREATE INDEX file_states_by_time ON file_states (state, at);

CREATE VIEW report_mail AS -- Every mail, newest first: what waits and what was sent; without what they say.
SELECT
    created_at,                                             -- when it was written, UTC
    kind,                                                   -- digest, or what an alert is of
    iif(sent_at IS NOT NULL, 'sent', iif(replaced_at IS NOT NULL, 'replaced', 'waiting'))
        AS state,                                           -- waiting; sent; replaced: the next digest told it, too
    subject,                                                -- its subject
    attempts,                                               -- how often sending was tried
    sent_at,                                                -- when the server took it, UTC; null: not
    iif(sent_at IS NULL AND replaced_at IS NULL, next_attempt_at, NULL)
        AS next_attempt_at,                                 -- when sending is tried next, UTC; null: never again
    last_error,                                             -- why the last attempt failed; null: none has
    repeats,                                                -- how often the same has begun again since
    message_id                                              -- its Message-ID
FROM mails
ORDER BY created_at DESC, id DESC;
