-- History: what happened to deliveries. Attempts, dead letters, hourly counts, and content that is to be erased.


-- Attempts -----------------------------------------------------------------------------------------------------------

-- Partitioned by the time in the attempt's own UUIDv7 (see 0007_upkeep.sql).
CREATE TABLE attempt (
    id                uuid NOT NULL,
    message_id        uuid NOT NULL,
    endpoint_id       uuid NOT NULL,
    -- 1 for the first request of a round.
    number            smallint NOT NULL CHECK (number > 0),
    trigger           attempt_trigger NOT NULL,
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

-- Where a delivery stands in the words of callers. Its names are those of `Standing` in src/domain/delivery.
CREATE FUNCTION delivery_standing(state delivery_state, is_claimed boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN state = 'delivered' THEN 'success'
        WHEN state = 'dead' THEN 'fail'
        WHEN state = 'cancelled' THEN 'canceled'
        WHEN state = 'in_flight' OR is_claimed THEN 'sending'
        ELSE 'pending' END
$$;


-- Dead letters -------------------------------------------------------------------------------------------------------

-- Where deliveries end that ran out of attempts or can never succeed. There is one row for a delivery: a replay marks it,
-- and a replay that fails opens the same row again. It owns a copy of the message, so it outlives the message's retention.
CREATE TABLE dead_letter (
    id              uuid PRIMARY KEY,
    environment_id  text NOT NULL,
    application_id  uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    message_id      uuid NOT NULL,
    event_type      text NOT NULL,
    event_id        text,
    channels        text[],
    tags            text[],
    payload         bytea,
    reason          text NOT NULL CHECK (reason IN (
        'exhausted', 'gone', 'unsendable', 'hold_expired', 'endpoint_deleted', 'unrecordable')),
    last_status     smallint,
    last_failure    text,
    attempts        smallint NOT NULL,
    died_at         timestamptz NOT NULL DEFAULT now(),
    replayed_at     timestamptz,
    discarded_at    timestamptz,
    UNIQUE (message_id, endpoint_id),
    CONSTRAINT dead_letter_one_end CHECK (replayed_at IS NULL OR discarded_at IS NULL)
);
CREATE INDEX dead_letter_by_environment ON dead_letter (environment_id, id);
CREATE INDEX dead_letter_by_application ON dead_letter (application_id, id);
CREATE INDEX dead_letter_by_endpoint ON dead_letter (endpoint_id, id);
-- Dead letters that somebody replayed or discarded, by when that was.
CREATE INDEX dead_letter_decided ON dead_letter (coalesce(replayed_at, discarded_at))
    WHERE replayed_at IS NOT NULL OR discarded_at IS NOT NULL;


-- Hourly counts ------------------------------------------------------------------------------------------------------

-- What statistics read: deliveries that ended and attempts that were made, by endpoint, hour and node. Each node raises
-- rows of its own in the statement that records the outcomes, so nodes never wait for one another and the counts are
-- exactly what was recorded. They are summed on reading. The rows of past hours are folded into one, of node 0.
--
-- No index names a column that changes, so that updates stay in place (HOT).
CREATE TABLE endpoint_hour (
    endpoint_id        uuid NOT NULL,
    hour               timestamptz NOT NULL,
    node               bigint NOT NULL,
    application_id     uuid NOT NULL,
    -- Deliveries that ended.
    delivered          bigint NOT NULL,
    dead               bigint NOT NULL,
    -- Attempts, by what was answered.
    status_2xx         bigint NOT NULL,
    status_3xx         bigint NOT NULL,
    status_4xx         bigint NOT NULL,
    status_5xx         bigint NOT NULL,
    no_response        bigint NOT NULL,
    duration_ms        bigint NOT NULL,
    last_delivered_at  timestamptz,
    first_failed_at    timestamptz,
    last_failed_at     timestamptz,
    PRIMARY KEY (endpoint_id, hour, node)
) WITH (fillfactor = 50);
CREATE INDEX endpoint_hour_by_application ON endpoint_hour (application_id, hour);
CREATE INDEX endpoint_hour_unfolded ON endpoint_hour (hour) WHERE node <> 0;
CREATE INDEX endpoint_hour_folded ON endpoint_hour (hour) WHERE node = 0;


-- Content with an end of its own -------------------------------------------------------------------------------------

-- Payloads that are to be expunged at a time: because that was asked for with the message, or for the second time, a
-- moment after an expunge, for what was written while the first was under way.
CREATE TABLE payload_expiry (
    message_id  uuid PRIMARY KEY,
    expires_at  timestamptz NOT NULL,
    -- Whether it is expunged a second time afterwards.
    again       boolean NOT NULL DEFAULT true
);
CREATE INDEX payload_expiry_due ON payload_expiry (expires_at);
