-- A database that has been in use for thirty days: 2,000 applications, 50,000 endpoints, and as many attempts as are asked
-- for, with everything that the console reads of them. `seed.rs` runs these statements one by one; `$attempts` is a number.

CREATE FUNCTION seed_id(kind integer, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('01900000-0000-7' || lpad(kind::text, 3, '0') || '-8000-' || lpad(n::text, 12, '0'))::uuid
$$;

CREATE FUNCTION seed_at(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(uuid_at(at)::text, 13) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
$$;

-- As `domain/rollup/histogram.rs` stores a histogram of one bucket.
CREATE FUNCTION seed_histogram(bucket integer, count bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN count > 0 THEN decode(lpad(to_hex(bucket), 2, '0') || CASE
        WHEN count < 128 THEN lpad(to_hex(count), 2, '0')
        WHEN count < 16384 THEN lpad(to_hex(count & 127 | 128), 2, '0') || lpad(to_hex(count >> 7), 2, '0')
        ELSE lpad(to_hex(count & 127 | 128), 2, '0') || lpad(to_hex((count >> 7) & 127 | 128), 2, '0')
             || lpad(to_hex((count >> 14) & 127), 2, '0') END, 'hex') END
$$;

INSERT INTO application (id, environment_id, name)
SELECT seed_id(1, n), 'org_bench', 'Tenant ' || n FROM generate_series(1, 2000) n;

INSERT INTO endpoint (id, application_id, url, event_types, disabled_at, disabled_reason)
SELECT seed_id(2, n), seed_id(1, 1 + n % 2000), 'https://receiver-' || n || '.example/hooks',
       CASE WHEN n % 10 < 7 THEN ARRAY['type.' || n % 200, 'type.' || n % 37] END,
       CASE WHEN n % 1000 = 0 THEN now() - interval '2 days' END, CASE WHEN n % 1000 = 0 THEN 'failing' END
FROM generate_series(1, 50000) n;

INSERT INTO event_type (environment_id, name, description)
SELECT 'org_bench', 'type.' || n, 'Of the benchmark.' FROM generate_series(0, 199) n;

SELECT count(make_partition(t, day, day + interval '1 day'))
FROM unnest(ARRAY['message', 'delivery', 'attempt']) t,
     generate_series(date_trunc('day', now(), 'UTC') - interval '30 days', date_trunc('day', now(), 'UTC'), interval '1 day') day;

-- Five deliveries a message, to five of the application's twenty-five endpoints in turn.
CREATE TABLE seed_message AS
SELECT m, now() - interval '30 days' + m * (interval '30 days' / ($attempts / 5.0)) AS at FROM generate_series(1, $attempts / 5) m;

INSERT INTO message (id, application_id, event_type, payload)
SELECT seed_at(at, m), seed_id(1, 1 + m % 2000), 'type.' || m % 200, '{"seed": true}' FROM seed_message;

CREATE TABLE seed_delivery AS
SELECT seed_at(s.at, s.m) AS message_id, s.m * 5 + j AS number, s.at, 1 + s.m % 2000 AS application,
       CASE WHEN s.m % 2000 + 2000 * ((s.m / 2000 * 5 + j) % 25) = 0 THEN 50000
            ELSE s.m % 2000 + 2000 * ((s.m / 2000 * 5 + j) % 25) END AS endpoint
FROM seed_message s, generate_series(0, 4) j;

INSERT INTO delivery (message_id, endpoint_id, state, attempts, last_status, settled_at)
SELECT message_id, seed_id(2, endpoint), 'delivered', 1, 200, at FROM seed_delivery;

INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, failure, http_status, duration_ms, url)
SELECT seed_at(at, number), message_id, seed_id(2, endpoint), 1, 'scheduled', endpoint % 97 <> 0,
       CASE WHEN endpoint % 97 = 0 THEN 'status' END, CASE WHEN endpoint % 97 = 0 THEN 503 ELSE 200 END, 40, 'https://receiver.example/'
FROM seed_delivery;

CREATE TABLE seed_step AS
SELECT step, date_bin(make_interval(secs => step), at, '2000-01-01 00:00:00Z') AS at, application, endpoint, count(*) AS count,
       count(*) FILTER (WHERE endpoint % 97 = 0) AS failed
FROM seed_delivery, unnest(ARRAY[60, 1800, 10800]) step
WHERE step > 60 OR at > now() - interval '2 days'
GROUP BY 1, 2, 3, 4;

INSERT INTO rollup (scope, step, at, writer, accepted, born, delivered, dead, status_2xx, status_3xx, status_4xx, status_5xx,
                    no_response, own, receiver, end_to_end, last_delivered_at)
SELECT scope, step, at, 0, accepted, count, count - failed, 0, count - failed, 0, 0, failed, 0, seed_histogram(10, count),
       seed_histogram(40, count), seed_histogram(41, count - failed), at
FROM (
    SELECT seed_id(2, endpoint) AS scope, step, at, 0 AS accepted, count, failed FROM seed_step
    UNION ALL
    SELECT seed_id(1, application), step, at, sum(count) / 5, sum(count)::bigint, sum(failed)::bigint FROM seed_step GROUP BY 1, 2, 3
    UNION ALL
    SELECT encode(substring(sha256('org_bench'), 1, 16), 'hex')::uuid, step, at, sum(count) / 5, sum(count)::bigint, sum(failed)::bigint
    FROM seed_step GROUP BY 1, 2, 3
) counted;

INSERT INTO endpoint_hour (endpoint_id, hour, node, application_id, delivered, dead, status_2xx, status_3xx, status_4xx, status_5xx,
                           no_response, duration_ms, last_delivered_at)
SELECT seed_id(2, endpoint), date_trunc('hour', at, 'UTC'), 0, seed_id(1, application), sum(count - failed), 0, sum(count - failed), 0, 0,
       sum(failed), 0, sum(count) * 40, max(at)
FROM seed_step WHERE step = 1800 GROUP BY endpoint, application, date_trunc('hour', at, 'UTC');

INSERT INTO event_type_hour (environment_id, hour, event_type, accepted)
SELECT 'org_bench', date_trunc('hour', at, 'UTC'), 'type.' || m % 200, count(*) FROM seed_message GROUP BY 2, 3;

UPDATE rollup_fold SET folded_until = date_bin('30 minutes', now(), '2000-01-01 00:00:00Z'),
    three_hours_until = date_bin('3 hours', now(), '2000-01-01 00:00:00Z');

-- A thousand endpoints have something waiting, twenty each; those that fail have failed lately.
INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
SELECT message_id, seed_id(2, endpoint), seed_id(1, application), now() + make_interval(days => 1, secs => number % 3600), 1
FROM seed_delivery WHERE endpoint % 50 = 0 AND at > now() - interval '20 days' LIMIT 20000;

INSERT INTO endpoint_health (endpoint_id, application_id, environment_id, failed_in_row, failing_since, last_failed_at, last_status,
                             last_failure, last_error)
SELECT seed_id(2, n), seed_id(1, 1 + n % 2000), 'org_bench', 1 + n % 9, now() - interval '3 hours', now() - make_interval(secs => n % 3000),
       503, 'status', 'out of order' FROM generate_series(1, 50000) n WHERE n % 97 = 0;

INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, payload, reason, last_status,
                         last_failure, attempts, died_at)
SELECT seed_at(at, number), 'org_bench', seed_id(1, application), seed_id(2, endpoint), message_id, 'type.' || number % 200, '{}',
       CASE WHEN number % 7 = 0 THEN 'gone' ELSE 'exhausted' END, 503, 'status', 7, at
FROM seed_delivery WHERE endpoint % 97 = 0 LIMIT 100000;

DROP TABLE seed_message, seed_delivery, seed_step;

ANALYZE;

VACUUM rollup, endpoint_hour, dead_letter, pending, endpoint, application;
