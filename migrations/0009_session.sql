-- The console: people who sign in, their sessions, and links that sign in once.

-- People, as their identity provider names them (OpenID Connect). The role is the one of their last sign-in.
CREATE TABLE person (
    id              uuid PRIMARY KEY,
    issuer          text NOT NULL,
    subject         text NOT NULL,
    name            text,
    email           text,
    role            text NOT NULL CHECK (role IN ('operator', 'environment')),
    environment_id  text REFERENCES environment (id),
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    -- To the minute.
    last_seen_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT person_subject UNIQUE (issuer, subject),
    CONSTRAINT person_environment CHECK ((role = 'operator') = (environment_id IS NULL))
);
CREATE INDEX person_by_last_seen ON person (last_seen_at, id);

CREATE TABLE session (
    -- SHA-256 of the cookie, which has 256 random bits and is kept nowhere.
    hash            bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    -- Names the session in the audit log.
    id              uuid NOT NULL UNIQUE,
    kind            text NOT NULL CHECK (kind IN ('person', 'api_key', 'token', 'link')),
    role            text NOT NULL CHECK (role IN ('operator', 'environment')),
    environment_id  text REFERENCES environment (id),
    -- For people.
    name            text NOT NULL,
    -- Who the audit log names: as for the credential itself.
    actor_id        text NOT NULL,
    person_id       uuid REFERENCES person (id) ON DELETE CASCADE,
    api_key_id      uuid REFERENCES api_key (id) ON DELETE CASCADE,
    -- SHA-256 of what the token's signature covers.
    token_hash      bytea CHECK (octet_length(token_hash) = 32),
    -- SHA-256 of what vouched for it: the key that verified the token, or the identity provider with its roles. The
    -- session holds as long as the settings still say the same.
    authority       bytea CHECK (octet_length(authority) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- To the minute.
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    -- From then on it does not hold, however much it is used.
    ends_at         timestamptz NOT NULL,
    CONSTRAINT session_environment CHECK ((role = 'operator') = (environment_id IS NULL)),
    CONSTRAINT session_person CHECK ((kind = 'person') = (person_id IS NOT NULL)),
    CONSTRAINT session_api_key CHECK ((kind = 'api_key') = (api_key_id IS NOT NULL)),
    CONSTRAINT session_token CHECK ((kind = 'token') = (token_hash IS NOT NULL)),
    CONSTRAINT session_authority CHECK ((kind IN ('person', 'token')) = (authority IS NOT NULL))
);
CREATE INDEX session_by_person ON session (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX session_by_api_key ON session (api_key_id) WHERE api_key_id IS NOT NULL;
CREATE INDEX session_by_token ON session (token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX session_by_link ON session (hash) WHERE kind = 'link';
CREATE INDEX session_unused ON session (last_used_at);
CREATE INDEX session_ended ON session (ends_at);

-- Links that sign an operator in, once. The newest one stays: it says that there has been one.
CREATE TABLE sign_in_link (
    hash            bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX sign_in_link_expired ON sign_in_link (expires_at);

-- People act by a session, and so may others.
ALTER TABLE audit_log
    DROP CONSTRAINT audit_log_actor_kind_check,
    ADD CONSTRAINT audit_log_actor_kind_check
        CHECK (actor_kind IN ('token', 'api_key', 'person', 'link', 'cli', 'system')),
    ADD COLUMN session_id uuid;
