-- What a file's name says before a side, as 9001695 in 9001695L.png: with many collections, the patient. A keyed hash, or the
-- word itself where identity is plain; never where it is none. It deals knees to folds, and is told nowhere else.
ALTER TABLE files ADD COLUMN patient_by_name TEXT;
