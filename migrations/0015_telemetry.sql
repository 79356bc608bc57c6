-- What the last look at the queue found in all, so that metrics read one row.
ALTER TABLE queue_sampling
    ADD COLUMN ended_at       timestamptz,
    ADD COLUMN due            bigint NOT NULL DEFAULT 0,
    ADD COLUMN later          bigint NOT NULL DEFAULT 0,
    ADD COLUMN paused         bigint NOT NULL DEFAULT 0,
    ADD COLUMN disabled       bigint NOT NULL DEFAULT 0,
    ADD COLUMN dead_open      bigint NOT NULL DEFAULT 0,
    ADD COLUMN oldest_due_at  timestamptz;
