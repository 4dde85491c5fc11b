-- A fit is shown as it was at the epoch that is kept: the best one, or the last where its recipe keeps that.
DROP VIEW report_fits;
CREATE VIEW report_fits AS -- Every network and fold that was fitted, newest run first.
SELECT
    f.run,                                                  -- the run
    f.network,                                              -- the network
    f.fold,                                                 -- the fold that it did not see, from 1
    f.state,                                                -- fitting, fitted, failed
    (SELECT max(epoch) FROM training_epochs e WHERE (e.run, e.network, e.fold) = (f.run, f.network, f.fold))
        AS epochs,                                          -- epochs that are over
    e.epoch AS kept_epoch,                                  -- the epoch that is kept, as far as it has come
    round(e.loss, 4) AS loss,                               -- -ln p of the truth on the left-out fold, kept epoch
    round(e.accuracy, 4) AS accuracy,                       -- share of the left-out fold graded right, kept epoch
    round(e.quadratic_kappa, 4) AS quadratic_kappa,         -- of the left-out fold, kept epoch
    f.begun_at,                                             -- when it began, UTC
    f.ended_at,                                             -- when it ended, UTC
    f.reason                                                -- why it failed
FROM training_fits f
JOIN training_runs r ON r.name = f.run
LEFT JOIN training_epochs e ON (e.run, e.network, e.fold) = (f.run, f.network, f.fold) AND e.epoch = (
    SELECT max(epoch) FROM training_epochs k WHERE (k.run, k.network, k.fold) = (f.run, f.network, f.fold)
        AND (k.is_best OR r.plan LIKE '%keep = "last"%'))
ORDER BY f.begun_at DESC, f.network, f.fold;
