-- What operators and tenants set up: environments, applications, endpoints with their secrets, event types.
-- These tables are small and read through caches, so they may have foreign keys. Deleted applications and
-- endpoints stay as rows (`deleted_at`), because attempts and dead letters name them.

CREATE TABLE environment (
    id          text PRIMARY KEY CHECK (id ~ '^org_[A-Za-z0-9]{1,64}$'),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE application (
    id                 uuid PRIMARY KEY,
    environment_id     text NOT NULL REFERENCES environment (id),
    uid                text,
    name               text NOT NULL,
    rate_limit         integer CHECK (rate_limit > 0),
    retry_schedule_ms  bigint[],
    metadata           jsonb NOT NULL DEFAULT '{}',
    -- Raised by every change that a fan-out or a dispatch must see; ingest refuses a stale one.
    config_version     bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz
);
CREATE UNIQUE INDEX application_uid ON application (environment_id, uid) WHERE uid IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX application_listed ON application (environment_id, id) WHERE deleted_at IS NULL;

CREATE TABLE event_type (
    environment_id  text NOT NULL REFERENCES environment (id),
    name            text NOT NULL,
    description     text NOT NULL,
    group_name      text,
    schemas         jsonb,
    feature_flags   text[],
    archived        boolean NOT NULL DEFAULT false,
    deprecated      boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment_id, name)
);

CREATE TABLE endpoint (
    id                 uuid PRIMARY KEY,
    application_id     uuid NOT NULL REFERENCES application (id),
    uid                text,
    url                text NOT NULL,
    description        text NOT NULL DEFAULT '',
    version            integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- NULL means everything.
    event_types        text[] CHECK (cardinality(event_types) > 0),
    channels           text[] CHECK (cardinality(channels) > 0),
    rate_limit         integer CHECK (rate_limit > 0),
    max_in_flight      integer CHECK (max_in_flight BETWEEN 1 AND 1000),
    retry_schedule_ms  bigint[],
    metadata           jsonb NOT NULL DEFAULT '{}',
    -- A JSON object of the endpoint's own headers, sealed: they often carry credentials.
    headers_sealed     bytea,
    disabled_at        timestamptz,
    disabled_reason    text CHECK (disabled_reason IN ('request', 'gone')),
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);
CREATE UNIQUE INDEX endpoint_uid ON endpoint (application_id, uid) WHERE uid IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX endpoint_listed ON endpoint (application_id, id) WHERE deleted_at IS NULL;

CREATE TABLE endpoint_secret (
    id           uuid PRIMARY KEY,
    endpoint_id  uuid NOT NULL REFERENCES endpoint (id),
    -- The secret in its text form (`whsec_…` or `whsk_…`), sealed with the main secret.
    sealed       bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- NULL for the current secret; a rotated one signs along until then.
    expires_at   timestamptz
);
CREATE UNIQUE INDEX endpoint_secret_current ON endpoint_secret (endpoint_id) WHERE expires_at IS NULL;
CREATE INDEX endpoint_secret_live ON endpoint_secret (endpoint_id, expires_at);
