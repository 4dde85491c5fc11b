-- Labels that the next training can learn from: the film has come and was graded, its readers agree, and one of both, label or
-- grade, is newer than the last run that learns from labels. What a reader has taken back does not count, and a film that came
-- twice counts once.
DROP VIEW unlearnt_labels;
CREATE VIEW unlearnt_labels AS
SELECT l.id, min(l.knee) AS knee, l.grade, l.reader FROM standing_labels l
WHERE l.knee IN (SELECT knee FROM agreed_labels)
    AND max(l.added_at, (SELECT min(graded_at) FROM grades WHERE knee = l.knee))
        > coalesce((SELECT max(begun_at) FROM training_runs WHERE of_labels), '')
GROUP BY l.id;
