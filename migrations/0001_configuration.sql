-- Configuration: what operators and tenants set up. Environments contain applications and event types, applications
-- contain endpoints, endpoints have signing secrets; and the switch that pauses all dispatching.
--
-- These tables are small and read through caches, so they have foreign keys. A deleted application or endpoint stays as
-- a row (`deleted_at`), because attempts, dead letters and the audit log name it.


-- Environments -------------------------------------------------------------------------------------------------------

CREATE TABLE environment (
    id                          text PRIMARY KEY CHECK (id ~ '^org_[A-Za-z0-9]{1,64}$'),
    created_at                  timestamptz NOT NULL DEFAULT now(),
    -- How deliveries are treated where neither the endpoint nor its application sets it.
    policy                      jsonb NOT NULL DEFAULT '{"version": 1}' CHECK (policy ? 'version'),
    -- The hidden application that carries this environment's operational webhooks, while it has an endpoint. NULL when
    -- nobody listens: then no notice is written.
    operational_application_id  uuid
);


-- Applications -------------------------------------------------------------------------------------------------------

CREATE TABLE application (
    id                 uuid PRIMARY KEY,
    environment_id     text NOT NULL REFERENCES environment (id),
    uid                text,
    name               text NOT NULL,
    metadata           jsonb NOT NULL DEFAULT '{}',
    -- How the deliveries of its endpoints are treated: the fields that it sets, and the version of their form.
    policy             jsonb NOT NULL DEFAULT '{"version": 1}' CHECK (policy ? 'version'),
    -- NULL for a tenant. The application that carries an environment's operational webhooks is hidden from the API.
    purpose            text CHECK (purpose = 'operational'),
    -- Raised by every change that a fan-out or a dispatch must see. Ingest refuses a message that was fanned out with an
    -- older version.
    config_version     bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    -- When the content of a deleted application was erased, which happens in the background.
    erased_at          timestamptz,
    -- A paused application accepts messages and holds their deliveries.
    paused_at          timestamptz,
    -- When it was last resumed.
    opened_at          timestamptz
);
CREATE UNIQUE INDEX application_uid ON application (environment_id, uid) WHERE uid IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX application_operational ON application (environment_id) WHERE purpose = 'operational';
CREATE INDEX application_listed ON application (environment_id, id) WHERE deleted_at IS NULL;
-- Usage is counted for deleted applications, too.
CREATE INDEX application_by_environment ON application (environment_id, id);
-- Claims look here for each endpoint that has something due. The index holds nothing but what is paused.
CREATE INDEX application_paused ON application (id) WHERE paused_at IS NOT NULL;
CREATE INDEX application_to_erase ON application (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX application_deleted ON application (id) WHERE deleted_at IS NOT NULL;


-- Event types --------------------------------------------------------------------------------------------------------

CREATE TABLE event_type (
    environment_id  text NOT NULL REFERENCES environment (id),
    name            text NOT NULL,
    description     text NOT NULL,
    group_name      text,
    -- JSON Schemas by version.
    schemas         jsonb,
    feature_flags   text[],
    archived        boolean NOT NULL DEFAULT false,
    deprecated      boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment_id, name)
);


-- Endpoints ----------------------------------------------------------------------------------------------------------

CREATE TABLE endpoint (
    id                 uuid PRIMARY KEY,
    application_id     uuid NOT NULL REFERENCES application (id),
    uid                text,
    url                text NOT NULL,
    description        text NOT NULL DEFAULT '',
    version            integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The filters: NULL means everything.
    event_types        text[] CHECK (cardinality(event_types) > 0),
    channels           text[] CHECK (cardinality(channels) > 0),
    metadata           jsonb NOT NULL DEFAULT '{}',
    -- How its deliveries are treated: the fields that it sets, and the version of their form.
    policy             jsonb NOT NULL DEFAULT '{"version": 1}' CHECK (policy ? 'version'),
    -- The endpoint's own headers as a JSON object, encrypted with the main secret: they often carry credentials.
    headers_sealed     bytea,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    -- When a deleted endpoint lost its secrets and headers. Its row goes when nothing names it any more.
    emptied_at         timestamptz,
    disabled_at        timestamptz,
    disabled_reason    text CHECK (disabled_reason IN ('request', 'gone', 'failing')),
    -- A paused endpoint accepts messages and holds their deliveries.
    paused_at          timestamptz,
    -- When it was last enabled or resumed: its lane starts slowly then, and failures before it do not count.
    opened_at          timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);
CREATE UNIQUE INDEX endpoint_uid ON endpoint (application_id, uid) WHERE uid IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX endpoint_listed ON endpoint (application_id, id) WHERE deleted_at IS NULL;
CREATE INDEX endpoint_by_application ON endpoint (application_id);
CREATE INDEX endpoint_paused ON endpoint (id) WHERE paused_at IS NOT NULL;
CREATE INDEX endpoint_to_empty ON endpoint (deleted_at) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;
CREATE INDEX endpoint_deleted ON endpoint (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE endpoint_secret (
    id           uuid PRIMARY KEY,
    endpoint_id  uuid NOT NULL REFERENCES endpoint (id),
    -- The secret in its text form (`whsec_…` or `whsk_…`), encrypted with the main secret.
    sealed       bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- NULL for the current secret. A rotated one signs as well until this moment.
    expires_at   timestamptz
);
CREATE UNIQUE INDEX endpoint_secret_current ON endpoint_secret (endpoint_id) WHERE expires_at IS NULL;
CREATE INDEX endpoint_secret_live ON endpoint_secret (endpoint_id, expires_at);
CREATE INDEX endpoint_secret_expired ON endpoint_secret (expires_at) WHERE expires_at IS NOT NULL;


-- Dispatching as a whole ---------------------------------------------------------------------------------------------

-- One row, which pauses the dispatching of every node.
CREATE TABLE dispatching (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    paused_at   timestamptz,
    resumed_at  timestamptz
);
INSERT INTO dispatching DEFAULT VALUES;
