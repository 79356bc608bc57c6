-- Background tasks: long operations with their progress.

-- A task whose owner is gone is taken up by another node.
CREATE TABLE background_task (
    id               uuid PRIMARY KEY,
    environment_id   text NOT NULL,
    application_id   uuid,
    kind             text NOT NULL CHECK (kind IN (
        'dead_letter.replay', 'dead_letter.discard', 'endpoint.recover', 'endpoint.replay_missing',
        'endpoint.bulk_replay', 'application.purge_content', 'application.usage', 'event_type.usage')),
    state            text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'failed', 'cancelled')),
    -- What was asked for: the filter, as the API takes it.
    filter           jsonb NOT NULL,
    rate_per_second  integer CHECK (rate_per_second > 0),
    total            bigint NOT NULL CHECK (total >= 0),
    done             bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    -- The id of the last row that it dealt with. It continues after it.
    position         uuid,
    -- What else it needs to continue, as its kind defines it.
    place            jsonb,
    error            text,
    -- The epoch of the node that runs it.
    owner            bigint,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX background_task_by_environment ON background_task (environment_id, id);
CREATE INDEX background_task_running ON background_task (owner) WHERE state = 'running';
CREATE INDEX background_task_ended ON background_task (updated_at) WHERE state <> 'running';

-- What a task found out, in the order in which it did.
CREATE TABLE background_task_part (
    task_id  uuid NOT NULL REFERENCES background_task (id) ON DELETE CASCADE,
    number   bigint GENERATED ALWAYS AS IDENTITY,
    items    jsonb NOT NULL,
    PRIMARY KEY (task_id, number)
);
