-- The pace of endpoints: which node alone sends to those that have a limit or asked for less, and what was learned of them.
--
-- It only widens: a node of the version before goes on working beside it, with limits of its own.


-- Who sends ----------------------------------------------------------------------------------------------------------

-- The node that alone sends to a lane whose limits hold for all nodes together. It is that node's until it gives it back,
-- leaves, or has written no heartbeat for a while.
CREATE TABLE lane_home (
    -- An endpoint; or an application, if all its endpoints share a rate.
    subject  uuid PRIMARY KEY,
    epoch    bigint NOT NULL
);
CREATE INDEX lane_home_by_epoch ON lane_home (epoch);

-- Tells every node that these have no home any more. A notice has room for two hundred; none named means any.
CREATE FUNCTION announce_freed_homes(subjects uuid[]) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('postrider_pace', CASE
        WHEN cardinality(subjects) > 200 THEN 'freed' ELSE 'freed ' || array_to_string(subjects, ',') END)
$$;


-- What receivers asked for -------------------------------------------------------------------------------------------

-- Endpoints whose receivers said not long ago that they were asked too often (429, or 503 with a `Retry-After`).
CREATE TABLE endpoint_throttle (
    endpoint_id      uuid PRIMARY KEY,
    throttled_since  timestamptz NOT NULL,
    -- Nothing is sent before this.
    closed_until     timestamptz NOT NULL,
    -- Requests a second.
    learned_rate     double precision NOT NULL CHECK (learned_rate > 0),
    -- What was learned holds no longer after this, unless the receiver refuses again.
    kept_until       timestamptz NOT NULL
);
CREATE INDEX endpoint_throttle_by_end ON endpoint_throttle (kept_until);

-- What callers are told of it: since when, until when nothing is sent at all, and the rate.
CREATE FUNCTION endpoint_throttle_of(endpoint uuid) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_object('since', t.throttled_since,
        'until', CASE WHEN t.closed_until > now() THEN t.closed_until END, 'rate', round(t.learned_rate::numeric, 2))
    FROM endpoint_throttle t WHERE t.endpoint_id = endpoint AND t.kept_until > now()
$$;


-- What waits ---------------------------------------------------------------------------------------------------------

-- Of `attempts`, those that were refused as too fast; they do not count in the schedule.
ALTER TABLE pending ADD COLUMN refusals smallint NOT NULL DEFAULT 0;
