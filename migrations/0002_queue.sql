-- The queue: messages, their deliveries, what has to wait, and the nodes that work on it.
--
-- `message` and `delivery` are partitioned by the time in the message's UUIDv7 (see 0007_upkeep.sql). They have no
-- foreign keys, because those cost microseconds on every row.


-- Messages -----------------------------------------------------------------------------------------------------------

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

-- The unique key of `eventId`s. A partitioned table can enforce no key that does not contain its partition key.
CREATE TABLE message_event_id (
    application_id  uuid NOT NULL,
    event_id        text NOT NULL,
    message_id      uuid NOT NULL,
    PRIMARY KEY (application_id, event_id)
);
-- `eventId`s are freed by the age of their message.
CREATE INDEX message_event_id_by_message ON message_event_id (message_id);


-- Deliveries ---------------------------------------------------------------------------------------------------------

-- Its names are those of `DeliveryState` in src/domain/delivery.
CREATE TYPE delivery_state AS ENUM (
    'in_flight',  -- owned by a node, in its memory
    'waiting',    -- has a `pending` row
    'held',       -- has a `pending` row; its endpoint was closed
    'delivered',
    'dead',       -- has a `dead_letter` row
    'cancelled'
);

-- No index names a column that changes, and half of each page is left free, so that updates stay in place (HOT).
CREATE TABLE delivery (
    message_id   uuid NOT NULL,
    endpoint_id  uuid NOT NULL,
    -- The epoch of the node that has it in memory.
    owner        bigint,
    state        delivery_state NOT NULL,
    -- Made in the current round of the schedule. A replay starts a new round at 0.
    attempts     smallint NOT NULL DEFAULT 0,
    last_status  smallint,
    settled_at   timestamptz,
    PRIMARY KEY (message_id, endpoint_id),
    CONSTRAINT delivery_owned_in_flight CHECK ((state = 'in_flight') = (owner IS NOT NULL)),
    CONSTRAINT delivery_settled_at_end CHECK (
        (state IN ('delivered', 'dead', 'cancelled')) = (settled_at IS NOT NULL)),
    CONSTRAINT delivery_attempts_count CHECK (attempts >= 0)
) PARTITION BY RANGE (message_id);
CREATE INDEX delivery_by_endpoint ON delivery (endpoint_id, message_id);


-- What has to wait ---------------------------------------------------------------------------------------------------

-- Why an attempt is made: by the schedule, or by a person (a resend or a replay). Its names are those of `Trigger` in
-- src/domain/delivery.
CREATE TYPE attempt_trigger AS ENUM ('scheduled', 'manual');

-- The only table that is claimed from: retries, deliveries that found no room in memory, held ones and replays. A claimed
-- row has an owner and a `due_at` in the future, which is the end of its lease and the token that proves it.
CREATE TABLE pending (
    message_id      uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    application_id  uuid NOT NULL,
    due_at          timestamptz NOT NULL,
    attempts        smallint NOT NULL,
    trigger         attempt_trigger NOT NULL DEFAULT 'scheduled',
    -- The epoch of the node that claimed it.
    owner           bigint,
    PRIMARY KEY (message_id, endpoint_id)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
-- The queue by endpoint, in the order in which messages were accepted where due times are equal.
--
-- A statement that looks up rows by their key must never take this index, because one endpoint may have a million rows in
-- it; the planner would take it if its plan was made while the queue was empty. The condition is true of every row, and
-- the planner uses the index only for statements that repeat it.
CREATE INDEX pending_due ON pending (endpoint_id, due_at, message_id) WHERE due_at > '-infinity';
CREATE INDEX pending_owned ON pending (owner) WHERE owner IS NOT NULL;


-- Nodes --------------------------------------------------------------------------------------------------------------

-- One row for each running process. `epoch` is new at each start.
CREATE TABLE node (
    epoch       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    version     text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    beat_at     timestamptz NOT NULL DEFAULT now(),
    -- No delivery that the node holds in memory has a smaller message id.
    low_water   uuid NOT NULL,
    -- Host, boot, network and listening address. No two processes can have the same one at a time, so a process that has
    -- it now knows that the one before is gone.
    place       text NOT NULL DEFAULT ''
);

-- Every commit of a node locks its row here. Deleting the row shuts out every commit that the node may still start.
CREATE TABLE node_fence (
    epoch  bigint PRIMARY KEY
);
