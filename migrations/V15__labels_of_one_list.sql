-- What a reader says of a knee in one list, at one time, has no order: two grades are a contradiction, as those of two readers are.

-- The labels that count: of each knee the last one that settles or, without one, the last one of each reader.
DROP VIEW standing_labels;
CREATE VIEW standing_labels AS
WITH placed AS MATERIALIZED (
    SELECT *, coalesce('knee ' || knee, coalesce(sha256, instance_uid) || ' ' || side) AS place FROM placed_labels
)
SELECT * FROM placed l
WHERE NOT EXISTS (
    SELECT 1 FROM placed later
    WHERE later.place = l.place AND (later.settles OR later.reader = l.reader)
        AND ((later.settles, later.at, later.added_at) > (l.settles, l.at, l.added_at)
            -- said twice, or one that is of several radiographs: it counts once, for the first
            OR (later.settles, later.at, later.added_at, later.grade) = (l.settles, l.at, l.added_at, l.grade)
                AND (later.id, -coalesce(later.radiograph, 0)) > (l.id, -coalesce(l.radiograph, 0))));

DROP VIEW report_label_conflicts;
CREATE VIEW report_label_conflicts AS -- Knees of which readers contradict each other, or one reader itself, the widest apart first.
SELECT
    min(s.sha256) AS sha256,                                -- SHA-256 of the radiograph's bytes; null: named by UID
    min(s.instance_uid) AS instance_uid,                    -- DICOM SOP Instance UID; null: named by SHA-256
    min(s.side) AS side,                                    -- left, right; unknown: the radiograph's only knee
    min(s.grade) AS lowest,                                 -- the lowest grade that stands
    max(s.grade) AS highest,                                -- the highest grade that stands
    count(DISTINCT s.reader) AS readers,                    -- how many readers there are; 1: of two minds in one list
    group_concat(s.reader || ': ' || s.grade, '; ') AS said,  -- what each of them says
    max(s.at) AS last_at                                    -- when the last of them said it
FROM (SELECT * FROM standing_labels ORDER BY place, reader, grade) s GROUP BY s.place HAVING min(s.grade) < max(s.grade)
ORDER BY max(s.grade) - min(s.grade) DESC, max(s.at) DESC;
