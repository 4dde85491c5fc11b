-- What a file's name says before a side, as 9001695 in 9001695L.png: with many collections, the patient. A keyed hash, or the
-- words themselves where identity is plain; never where it is none. Training and evaluation ask for it, and no view shows it.
ALTER TABLE files ADD COLUMN patient_by_name TEXT;
