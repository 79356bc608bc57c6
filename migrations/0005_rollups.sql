-- What statistics read: deliveries that ended and attempts that were made, by endpoint, hour and node. Each node
-- bumps rows of its own in the statement that records the outcomes, so nodes never wait for one another and the
-- counts are exactly what was recorded; they are summed on reading. Past hours are folded into one row, of node 0.
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
CREATE INDEX endpoint_hour_by_age ON endpoint_hour USING brin (hour);
