-- Operational webhooks: what an environment is told about its endpoints.

ALTER TABLE application
    -- NULL for a tenant. The one that carries an environment's operational webhooks is hidden from everybody.
    ADD COLUMN purpose text CHECK (purpose = 'operational');
CREATE UNIQUE INDEX application_operational ON application (environment_id) WHERE purpose = 'operational';
-- The hidden application, while it has an endpoint; NULL when nobody listens, so that nothing is noted then.
ALTER TABLE environment ADD COLUMN operational_application_id uuid;

-- What operational webhooks are made from, written in the transaction of what they tell of. An open notice stands
-- for a part of what happened to an endpoint; those of one kind and endpoint are sealed into one when the window
-- since the first of them is over. A sealed notice becomes one message, whose `eventId` is its id.
CREATE TABLE operational_notice (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    environment_id  text NOT NULL,
    application_id  uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN (
        'endpoint.created', 'endpoint.updated', 'endpoint.deleted', 'endpoint.disabled', 'message.attempt.failing',
        'message.attempt.exhausted', 'message.attempt.recovered', 'dead_letter.created')),
    noted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- How many it stands for, and the first hundred of them: messages, or dead letters.
    number          bigint NOT NULL DEFAULT 1 CHECK (number > 0),
    subjects        uuid[] NOT NULL DEFAULT '{}',
    details         jsonb NOT NULL DEFAULT '{}',
    sealed          boolean NOT NULL DEFAULT false,
    -- A node is posting it until then.
    taken_until     timestamptz
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000
);
CREATE INDEX operational_notice_open ON operational_notice (endpoint_id, kind) WHERE NOT sealed;
CREATE INDEX operational_notice_sealed ON operational_notice (noted_at) WHERE sealed;
