-- The way of a message. `message`, `delivery` and `attempt` are partitioned by the time in their UUIDv7 key
-- (see 0004_partitions.sql); they have no foreign keys, because those cost microseconds on every row.

CREATE TABLE message (
    id              uuid NOT NULL PRIMARY KEY,
    application_id  uuid NOT NULL,
    event_type      text NOT NULL,
    event_id        text,
    channels        text[],
    tags            text[],
    -- The JSON text as it was posted, byte for byte. NULL once its content was expunged.
    payload         bytea
) PARTITION BY RANGE (id);
CREATE INDEX message_by_application ON message (application_id, id);

-- state: 1 in flight (owned by a node, in its memory) · 2 waiting (has a `pending` row) · 3 held (has a
-- `pending` row; its endpoint was closed) · 4 delivered · 5 dead (has a `dead_letter` row) · 6 cancelled.
-- No index names a column that changes, so that updates stay in place (HOT).
CREATE TABLE delivery (
    message_id   uuid NOT NULL,
    endpoint_id  uuid NOT NULL,
    owner        bigint,
    state        smallint NOT NULL,
    -- Made in the current round of the schedule; a replay starts a new round at 0.
    attempts     smallint NOT NULL DEFAULT 0,
    last_status  smallint,
    settled_at   timestamptz,
    PRIMARY KEY (message_id, endpoint_id),
    CONSTRAINT delivery_state_known CHECK (state BETWEEN 1 AND 6),
    CONSTRAINT delivery_owned_in_flight CHECK ((state = 1) = (owner IS NOT NULL)),
    CONSTRAINT delivery_settled_at_end CHECK ((state >= 4) = (settled_at IS NOT NULL)),
    CONSTRAINT delivery_attempts_count CHECK (attempts >= 0)
) PARTITION BY RANGE (message_id);
CREATE INDEX delivery_by_endpoint ON delivery (endpoint_id, message_id);

-- The small mutable queue: what must wait. The only table that is claimed from. A claimed row has an owner
-- and a `due_at` in the future, which is both the end of its lease and the token that proves it.
CREATE TABLE pending (
    message_id      uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    application_id  uuid NOT NULL,
    due_at          timestamptz NOT NULL,
    attempts        smallint NOT NULL,
    -- 0 scheduled · 1 manual (a resend or a replay)
    trigger         smallint NOT NULL DEFAULT 0 CHECK (trigger IN (0, 1)),
    owner           bigint,
    PRIMARY KEY (message_id, endpoint_id)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX pending_due ON pending (endpoint_id, due_at);
CREATE INDEX pending_owned ON pending (owner) WHERE owner IS NOT NULL;

CREATE TABLE attempt (
    id                uuid NOT NULL,
    message_id        uuid NOT NULL,
    endpoint_id       uuid NOT NULL,
    -- 1 for the first request of a round.
    number            smallint NOT NULL CHECK (number > 0),
    trigger           smallint NOT NULL CHECK (trigger IN (0, 1)),
    delivered         boolean NOT NULL,
    -- NULL when it was delivered; otherwise what went wrong (`status`, `timeout`, `connection`, …).
    failure           text CHECK (delivered = (failure IS NULL)),
    http_status       smallint,
    response_headers  jsonb,
    -- The first 16 KiB.
    response_body     bytea,
    duration_ms       integer NOT NULL,
    url               text NOT NULL,
    PRIMARY KEY (message_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX attempt_by_endpoint ON attempt (endpoint_id, id);

-- A partition cannot enforce a key that is unique for ever, so `eventId` has a table of its own.
CREATE TABLE message_event_id (
    application_id  uuid NOT NULL,
    event_id        text NOT NULL,
    message_id      uuid NOT NULL,
    PRIMARY KEY (application_id, event_id)
);

-- Answered POSTs, for 12 hours. Partitioned by slots of six hours, so that expiry is a DROP. A message's
-- answer is rebuilt from the message; any other answer is kept whole.
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

-- One row a running process. `epoch` is new at each start; deleting the fence row shuts out every commit
-- that the node might still have under way.
CREATE TABLE node (
    epoch       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    version     text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    beat_at     timestamptz NOT NULL DEFAULT now(),
    -- No delivery that the node holds in memory has a smaller message id.
    low_water   uuid NOT NULL
);
CREATE TABLE node_fence (
    epoch  bigint PRIMARY KEY
);
