-- A run that failed has taught nothing: its labels are still to be learnt from. And one that began while the clock was ahead says nothing
-- of what is new.
DROP VIEW unlearnt_labels;
CREATE VIEW unlearnt_labels AS
SELECT l.id, min(l.knee) AS knee, l.grade, l.reader FROM standing_labels l
WHERE l.knee IN (SELECT knee FROM agreed_labels)
    AND max(l.added_at, (SELECT min(graded_at) FROM grades WHERE knee = l.knee))
        > coalesce((SELECT max(begun_at) FROM training_runs
                    WHERE of_labels AND outcome IS NOT 'failed' AND begun_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), '')
GROUP BY l.id;
