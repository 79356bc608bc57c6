-- Where deliveries end that ran out of attempts or can never succeed. One row a delivery: a replay marks it,
-- and a replay that fails opens the same row again. It owns a copy of the message, so it outlives retention.
CREATE TABLE dead_letter (
    id              uuid PRIMARY KEY,
    environment_id  text NOT NULL,
    application_id  uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    message_id      uuid NOT NULL,
    event_type      text NOT NULL,
    event_id        text,
    channels        text[],
    tags            text[],
    payload         bytea,
    reason          text NOT NULL CHECK (reason IN ('exhausted', 'gone', 'unsendable', 'hold_expired', 'endpoint_deleted')),
    last_status     smallint,
    last_failure    text,
    attempts        smallint NOT NULL,
    died_at         timestamptz NOT NULL DEFAULT now(),
    replayed_at     timestamptz,
    discarded_at    timestamptz,
    UNIQUE (message_id, endpoint_id),
    CONSTRAINT dead_letter_one_end CHECK (replayed_at IS NULL OR discarded_at IS NULL)
);
CREATE INDEX dead_letter_by_environment ON dead_letter (environment_id, id);
CREATE INDEX dead_letter_by_application ON dead_letter (application_id, id);
CREATE INDEX dead_letter_by_endpoint ON dead_letter (endpoint_id, id);

-- Long operations with their progress. A task whose owner is gone is taken up by another node.
CREATE TABLE background_task (
    id              uuid PRIMARY KEY,
    environment_id  text NOT NULL,
    application_id  uuid,
    kind            text NOT NULL CHECK (kind IN ('dead_letter.replay', 'dead_letter.discard')),
    state           text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'failed')),
    -- What was asked: the filter, as the API takes it.
    filter          jsonb NOT NULL,
    rate_per_second integer CHECK (rate_per_second > 0),
    total           bigint NOT NULL CHECK (total >= 0),
    done            bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    -- The last dead letter that it dealt with; it goes on after it.
    position        uuid,
    error           text,
    owner           bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX background_task_by_environment ON background_task (environment_id, id);
CREATE INDEX background_task_running ON background_task (owner) WHERE state = 'running';
