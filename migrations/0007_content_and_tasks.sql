-- Content that goes before its message does, and more kinds of background tasks.

-- Payloads that are to be expunged at a time: because that was asked for with the message, or once more a moment
-- after an expunge, for what was written at the very moment.
CREATE TABLE payload_expiry (
    message_id  uuid PRIMARY KEY,
    expires_at  timestamptz NOT NULL,
    -- Whether it is expunged once more afterwards.
    again       boolean NOT NULL DEFAULT true
);
CREATE INDEX payload_expiry_due ON payload_expiry (expires_at);

ALTER TABLE background_task
    DROP CONSTRAINT background_task_kind_check,
    ADD CONSTRAINT background_task_kind_check CHECK (kind IN (
        'dead_letter.replay', 'dead_letter.discard', 'endpoint.recover', 'endpoint.replay_missing',
        'endpoint.bulk_replay', 'application.purge_content', 'application.usage', 'event_type.usage')),
    DROP CONSTRAINT background_task_state_check,
    ADD CONSTRAINT background_task_state_check CHECK (state IN ('running', 'finished', 'failed', 'cancelled')),
    -- Where it stands besides `position`, in the words of its kind.
    ADD COLUMN place jsonb;

-- What a task found out, in the order in which it did.
CREATE TABLE background_task_part (
    task_id  uuid NOT NULL REFERENCES background_task (id) ON DELETE CASCADE,
    number   bigint GENERATED ALWAYS AS IDENTITY,
    items    jsonb NOT NULL,
    PRIMARY KEY (task_id, number)
);

-- Usage is counted for applications that were deleted since, too.
CREATE INDEX application_by_environment ON application (environment_id, id);
