-- What the views of the console read, so that none of them reads messages, deliveries or attempts.

-- What happened in a step of time (a minute, or half an hour) to an endpoint, an application or an environment, as one
-- process counted it in memory. A process writes the whole step each time, so a write that is repeated counts nothing
-- twice. `scope` is the id of an endpoint or an application; of an environment, the first 16 bytes of the SHA-256 of its
-- id. A crash loses a few seconds; what has to be exact is counted in `endpoint_hour`.
CREATE TABLE rollup (
    scope              uuid NOT NULL,
    step               integer NOT NULL CHECK (step IN (60, 1800)),
    at                 timestamptz NOT NULL,
    -- The epoch that the process began with; 0 for what was folded.
    writer             bigint NOT NULL,
    -- Messages; of an endpoint, nothing.
    accepted           integer NOT NULL,
    -- Deliveries that were made of them.
    born               integer NOT NULL,
    -- Deliveries that ended.
    delivered          integer NOT NULL,
    dead               integer NOT NULL,
    -- Attempts, by what was answered.
    status_2xx         integer NOT NULL,
    status_3xx         integer NOT NULL,
    status_4xx         integer NOT NULL,
    status_5xx         integer NOT NULL,
    no_response        integer NOT NULL,
    -- Histograms (`domain/rollup/histogram.rs`); NULL for an empty one.
    own                bytea,
    receiver           bytea,
    end_to_end         bytea,
    last_delivered_at  timestamptz,
    PRIMARY KEY (scope, step, at, writer)
) WITH (fillfactor = 70);
CREATE INDEX rollup_by_age ON rollup (step, at);

-- Up to here minutes were added up into half hours; later half hours are read from their minutes.
CREATE TABLE rollup_fold (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    folded_until  timestamptz NOT NULL
);
INSERT INTO rollup_fold (folded_until) VALUES (date_bin('30 minutes', now(), '2000-01-01 00:00:00Z'));

-- Messages that were accepted, by event type and hour.
CREATE TABLE event_type_hour (
    environment_id  text NOT NULL,
    hour            timestamptz NOT NULL,
    event_type      text NOT NULL,
    accepted        bigint NOT NULL,
    PRIMARY KEY (environment_id, hour, event_type)
) WITH (fillfactor = 50);
CREATE INDEX event_type_hour_by_age ON event_type_hour (hour);

-- What waited at a moment of each step; the last look of a step stays. An endpoint or an application has a row only for
-- steps in which something waited.
CREATE TABLE rollup_gauge (
    scope      uuid NOT NULL,
    step       integer NOT NULL CHECK (step IN (60, 1800)),
    at         timestamptz NOT NULL,
    waiting    integer NOT NULL,
    held       integer NOT NULL,
    -- Of an environment alone.
    dead_open  integer,
    PRIMARY KEY (scope, step, at)
) WITH (fillfactor = 70);
CREATE INDEX rollup_gauge_by_age ON rollup_gauge (step, at);

-- What waits for each endpoint, as the last look at the whole queue found it. One node at a time looks.
CREATE TABLE queue_sample (
    endpoint_id         uuid PRIMARY KEY,
    application_id      uuid NOT NULL,
    environment_id      text NOT NULL,
    -- The look that found it.
    round               bigint NOT NULL,
    -- Why nothing goes out, if so.
    closed              text CHECK (closed IN ('disabled', 'paused')),
    -- Up to a thousand each.
    due                 integer NOT NULL,
    later               integer NOT NULL,
    -- Of the one that is due first.
    oldest_accepted_at  timestamptz NOT NULL,
    first_due_at        timestamptz NOT NULL,
    next_due_at         timestamptz
) WITH (fillfactor = 50);
CREATE INDEX queue_sample_by_environment ON queue_sample (environment_id);
CREATE INDEX queue_sample_by_application ON queue_sample (application_id);
CREATE TABLE queue_sampling (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    round      bigint NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO queue_sampling DEFAULT VALUES;

-- How an endpoint has answered lately. Endpoints that never failed have no row.
CREATE TABLE endpoint_health (
    endpoint_id        uuid PRIMARY KEY,
    application_id     uuid NOT NULL,
    environment_id     text NOT NULL,
    -- Failed attempts since the last success.
    failed_in_row      integer NOT NULL,
    failing_since      timestamptz,
    last_failed_at     timestamptz NOT NULL,
    last_status        smallint,
    last_failure       text NOT NULL,
    last_error         text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX endpoint_health_failed ON endpoint_health (environment_id, last_failed_at);
CREATE INDEX endpoint_health_by_age ON endpoint_health (last_failed_at);

-- Processes that ran lately, as they say it themselves every few seconds.
CREATE TABLE node_presence (
    writer           bigint PRIMARY KEY,
    epoch            bigint NOT NULL,
    name             text NOT NULL,
    version          text NOT NULL,
    roles            text[] NOT NULL,
    started_at       timestamptz NOT NULL DEFAULT now(),
    seen_at          timestamptz NOT NULL DEFAULT now(),
    in_flight        integer NOT NULL,
    -- By environment.
    in_flight_of     jsonb NOT NULL,
    sent_per_second  double precision NOT NULL,
    -- It stopped by itself.
    left_at          timestamptz,
    taken_over_at    timestamptz,
    taken_over_by    text
);

CREATE INDEX node_presence_by_age ON node_presence (seen_at);

-- Somebody knows of an incident. The id has its beginning in it, so a new start is a new incident.
CREATE TABLE incident_acknowledgement (
    environment_id  text NOT NULL,
    incident_id     text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    by_name         text NOT NULL,
    PRIMARY KEY (environment_id, incident_id)
);
CREATE INDEX incident_acknowledgement_by_age ON incident_acknowledgement (at);

CREATE INDEX dead_letter_open ON dead_letter (environment_id, endpoint_id, reason, id)
    WHERE replayed_at IS NULL AND discarded_at IS NULL;
CREATE INDEX endpoint_disabled_by_answers ON endpoint (disabled_at)
    WHERE disabled_reason IN ('gone', 'failing') AND deleted_at IS NULL;
-- Who asks for an event type.
CREATE INDEX endpoint_event_types ON endpoint USING gin (event_types) WHERE deleted_at IS NULL;
CREATE INDEX endpoint_of_everything ON endpoint (id) WHERE event_types IS NULL AND deleted_at IS NULL;
CREATE INDEX background_task_under_way ON background_task (environment_id) WHERE state = 'running';
