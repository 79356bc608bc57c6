-- What opens the API besides signed tokens, and what shuts it again.

CREATE TABLE api_key (
    id              uuid PRIMARY KEY,
    -- SHA-256 of the key. The key has 256 random bits, so nothing slower is needed, and it is kept nowhere.
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

-- Tokens of an application that were issued up to a moment hold no longer, from another moment on.
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
    -- NULL for a token without an end.
    expires_at      timestamptz
);
CREATE INDEX token_logout_by_application ON token_logout (application_id);
