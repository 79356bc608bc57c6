-- What the portal needs besides the API: how it looks in each environment, and test inboxes, which are places on Postrider
-- itself that keep what is posted to them for a day.


-- The look of the portal ---------------------------------------------------------------------------------------------

CREATE TABLE portal_look (
    environment_id  text PRIMARY KEY REFERENCES environment (id),
    name            text,
    accent_light    text CHECK (accent_light ~ '^#[0-9a-f]{6}$'),
    accent_dark     text CHECK (accent_dark ~ '^#[0-9a-f]{6}$'),
    support_url     text,
    refresh_url     text,
    -- Pages of these origins may show the portal in a frame.
    embed_origins   text[] NOT NULL DEFAULT '{}' CHECK (cardinality(embed_origins) <= 20),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE portal_logo (
    environment_id  text PRIMARY KEY REFERENCES environment (id),
    -- It is given out under this name without a credential, and never changes: another logo has another name.
    name            text NOT NULL UNIQUE CHECK (name ~ '^[0-9a-z]{32}$'),
    kind            text NOT NULL CHECK (kind IN ('png', 'jpeg', 'webp')),
    bytes           bytea NOT NULL CHECK (octet_length(bytes) <= 65536)
);


-- Test inboxes -------------------------------------------------------------------------------------------------------

CREATE TABLE inbox (
    id              uuid PRIMARY KEY,
    -- The last part of its URL. Who knows it may post to it.
    name            text NOT NULL UNIQUE CHECK (name ~ '^[0-9a-z]{32}$'),
    environment_id  text NOT NULL REFERENCES environment (id),
    -- Whose it is; NULL for the environment's own. No foreign key: an inbox ends within a day, and keeps no application.
    application_id  uuid,
    answer_status   smallint NOT NULL CHECK (answer_status BETWEEN 200 AND 599),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '1 day'
);
CREATE INDEX inbox_by_environment ON inbox (environment_id, expires_at);
CREATE INDEX inbox_by_application ON inbox (application_id, expires_at) WHERE application_id IS NOT NULL;
CREATE INDEX inbox_expired ON inbox (expires_at);

-- What inboxes got, a hundred requests each at most.
CREATE TABLE inbox_request (
    -- UUIDv7, so that they are in order of time.
    id              uuid PRIMARY KEY,
    inbox_id        uuid NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
    at              timestamptz NOT NULL DEFAULT now(),
    method          text NOT NULL,
    -- Pairs of a name and a value; no value where it is a secret.
    headers         jsonb NOT NULL,
    body            bytea NOT NULL CHECK (octet_length(body) <= 65536),
    -- Whether a signature holds by the secrets of an endpoint that has this URL; NULL when there is no such endpoint.
    is_verified     boolean
);
CREATE INDEX inbox_request_of_inbox ON inbox_request (inbox_id, id);

-- The endpoints whose requests go to inboxes are looked up by their URLs.
CREATE INDEX endpoint_at_inbox ON endpoint (url) WHERE url ~ '/in/[0-9a-z]{32}$' AND deleted_at IS NULL;
