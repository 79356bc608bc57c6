-- Half hours are added up into three hours, so that a view of thirty days reads a sixth as many rows.
--
-- It only widens: a node of the version before goes on working beside it.

ALTER TABLE rollup DROP CONSTRAINT rollup_step_check,
    ADD CONSTRAINT rollup_step_check CHECK (step IN (60, 1800, 10800)) NOT VALID;
ALTER TABLE rollup VALIDATE CONSTRAINT rollup_step_check;

-- Up to here half hours were added up, three hours at a time. Those that are there already are added up at the next rounds of
-- maintenance.
ALTER TABLE rollup_fold ADD COLUMN three_hours_until timestamptz NOT NULL
    DEFAULT date_bin('3 hours', now(), '2000-01-01 00:00:00Z');
UPDATE rollup_fold SET three_hours_until = date_bin('3 hours',
    coalesce((SELECT min(at) FROM rollup WHERE step = 1800), folded_until), '2000-01-01 00:00:00Z');
