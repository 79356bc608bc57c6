-- Access: API keys, what ends a token early, answers kept for repeated requests, and the audit log.


-- API keys -----------------------------------------------------------------------------------------------------------

CREATE TABLE api_key (
    id              uuid PRIMARY KEY,
    -- SHA-256 of the key. The key itself is kept nowhere. It has 256 random bits, so no slower hash is needed.
    hash            bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    -- The last characters of the key, for people to tell one from another.
    hint            text NOT NULL,
    role            text NOT NULL CHECK (role IN ('operator', 'environment', 'application')),
    environment_id  text REFERENCES environment (id),
    application_id  uuid REFERENCES application (id),
    name            text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    -- To the minute.
    last_used_at    timestamptz,
    revoked_at      timestamptz,
    CONSTRAINT api_key_environment CHECK ((role = 'operator') = (environment_id IS NULL)),
    CONSTRAINT api_key_application CHECK ((role = 'application') = (application_id IS NOT NULL))
);
CREATE INDEX api_key_by_environment ON api_key (environment_id, id);
CREATE INDEX api_key_by_application ON api_key (application_id) WHERE application_id IS NOT NULL;
CREATE INDEX api_key_ended ON api_key (least(revoked_at, expires_at))
    WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL;


-- Tokens that end early ----------------------------------------------------------------------------------------------

-- From `effective_at` on, an application's tokens that were issued up to `issued_until` are refused.
CREATE TABLE token_cutoff (
    id              uuid PRIMARY KEY,
    application_id  uuid NOT NULL REFERENCES application (id),
    -- Only those of this session; NULL for all.
    session_id      text,
    issued_until    timestamptz NOT NULL,
    effective_at    timestamptz NOT NULL
);
CREATE INDEX token_cutoff_by_application ON token_cutoff (application_id, effective_at);

-- Single tokens that were logged out, until they would have expired.
CREATE TABLE token_logout (
    -- SHA-256 of what the token's signature covers.
    hash            bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    application_id  uuid NOT NULL REFERENCES application (id),
    -- NULL for a token that does not expire.
    expires_at      timestamptz
);
CREATE INDEX token_logout_by_application ON token_logout (application_id);
CREATE INDEX token_logout_expired ON token_logout (expires_at) WHERE expires_at IS NOT NULL;


-- Idempotency --------------------------------------------------------------------------------------------------------

-- Answered POSTs, for 12 hours. Partitioned by slots of six hours, so that they expire by DROP TABLE. A message's answer
-- is rebuilt from the message; any other answer is kept whole.
CREATE TABLE idempotency_key (
    slot          timestamptz NOT NULL,
    key_hash      bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    request_hash  bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    created_at    timestamptz NOT NULL DEFAULT now(),
    message_id    uuid,
    status        smallint,
    body          bytea,
    PRIMARY KEY (key_hash, slot)
) PARTITION BY RANGE (slot);


-- The audit log ------------------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
    -- UUIDv7, so that the log is in order of time.
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT now(),
    -- NULL for what concerns no environment.
    environment_id  text,
    application_id  uuid,
    actor_kind      text NOT NULL CHECK (actor_kind IN ('token', 'api_key', 'cli', 'system')),
    actor_id        text NOT NULL,
    actor_role      text CHECK (actor_role IN ('operator', 'environment', 'application')),
    -- Where the request came from; NULL for what no request asked for.
    address         text,
    -- `object.verb`, as in `endpoint.updated`.
    action          text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    object_kind     text NOT NULL,
    object_id       text NOT NULL,
    -- The names of the fields that changed, or how much was asked for. Never a value that could be a secret.
    details         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_environment ON audit_log (environment_id, id);
CREATE INDEX audit_log_by_application ON audit_log (application_id, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_by_object ON audit_log (object_id, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);

-- Entries are only ever added. Changing or removing one fails, except for retention, which may delete after it said so:
-- `SET LOCAL postrider.audit_retention = 'on'`.
CREATE FUNCTION audit_log_stays() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('postrider.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_stays();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stays();
