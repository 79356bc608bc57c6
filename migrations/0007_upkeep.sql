-- Upkeep: partitions, and the rounds of maintenance.


-- Partitions ---------------------------------------------------------------------------------------------------------

-- Maintenance makes partitions ahead of time. Each table has a default partition, so that a missing one never loses a
-- write; when the missing one is made, its rows move there from the default partition.
CREATE TABLE message_default PARTITION OF message DEFAULT;
CREATE TABLE delivery_default PARTITION OF delivery DEFAULT WITH (fillfactor = 45);
CREATE TABLE attempt_default PARTITION OF attempt DEFAULT;
CREATE TABLE idempotency_key_default PARTITION OF idempotency_key DEFAULT;

-- Attempts whose partition was never made are deleted by age.
CREATE INDEX attempt_default_by_age ON attempt_default (id);

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION uuid_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- The moment in a UUIDv7.
CREATE FUNCTION uuid_moment(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;

-- Makes `parent`'s partition for [from_at, to_at) unless it is there. Its name ends in the UTC start.
-- Returns true when it was made.
CREATE FUNCTION make_partition(parent text, from_at timestamptz, to_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    by_uuid  boolean := parent <> 'idempotency_key';
    key      text := CASE parent WHEN 'delivery' THEN 'message_id' WHEN 'idempotency_key' THEN 'slot' ELSE 'id' END;
    child    text := parent || '_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYYMMDD"t"HH24');
    low      text := CASE WHEN by_uuid THEN uuid_at(from_at)::text ELSE from_at::text END;
    high     text := CASE WHEN by_uuid THEN uuid_at(to_at)::text ELSE to_at::text END;
    storage  text := CASE parent WHEN 'delivery' THEN ' WITH (fillfactor = 45)' ELSE '' END;
BEGIN
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)%s', child, parent, storage);
    EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        parent || '_default', key, low, key, high, child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, low, high);
    RETURN true;
END
$$;


-- Rounds -------------------------------------------------------------------------------------------------------------

-- When the last completed round of each kind began, so that a round that was missed is made up for.
CREATE TABLE maintenance_round (
    name      text PRIMARY KEY,
    begun_at  timestamptz NOT NULL
);
