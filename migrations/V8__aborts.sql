-- A file that takes the process down is known again at the next start.

ALTER TABLE files ADD COLUMN aborts INTEGER NOT NULL DEFAULT 0;    -- how often the process was aborted while it was graded:
                                                                   -- the first time maybe among others, then alone
