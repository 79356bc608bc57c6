-- Operational webhooks: what an environment is told about its endpoints.

-- Notices are written in the transaction of what they report. An open notice stands for a part of what happened to an
-- endpoint; those of one kind and endpoint are sealed into one when the window since the first of them is over. A sealed
-- notice becomes one message, whose `eventId` is the notice's id.
CREATE TABLE operational_notice (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    environment_id  text NOT NULL,
    application_id  uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN (
        'endpoint.created', 'endpoint.updated', 'endpoint.deleted', 'endpoint.disabled', 'message.attempt.failing',
        'message.attempt.exhausted', 'message.attempt.recovered', 'dead_letter.created')),
    noted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- How many occurrences it stands for, and the first hundred of them: messages, or dead letters.
    number          bigint NOT NULL DEFAULT 1 CHECK (number > 0),
    subjects        uuid[] NOT NULL DEFAULT '{}',
    details         jsonb NOT NULL DEFAULT '{}',
    sealed          boolean NOT NULL DEFAULT false,
    -- The end of the lease of the node that posts it.
    taken_until     timestamptz
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000
);
CREATE INDEX operational_notice_open ON operational_notice (endpoint_id, kind) WHERE NOT sealed;
CREATE INDEX operational_notice_sealed ON operational_notice (noted_at) WHERE sealed;
CREATE INDEX operational_notice_by_age ON operational_notice (noted_at);
