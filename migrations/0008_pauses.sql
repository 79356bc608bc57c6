-- What operators do to a running system: pauses; and endpoints that are disabled because they only fail.

-- A paused application or endpoint accepts messages and holds them. `opened_at` is when it was last enabled or
-- resumed: its lane begins slowly then, and failures before it are forgotten.
ALTER TABLE application
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN opened_at timestamptz;
ALTER TABLE endpoint
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN opened_at timestamptz;
-- Claims look here for each endpoint that has something due, so it holds nothing but what is paused.
CREATE INDEX application_paused ON application (id) WHERE paused_at IS NOT NULL;
CREATE INDEX endpoint_paused ON endpoint (id) WHERE paused_at IS NOT NULL;

-- The one row of what holds for all nodes.
CREATE TABLE dispatching (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    paused_at  timestamptz,
    resumed_at timestamptz
);
INSERT INTO dispatching DEFAULT VALUES;

ALTER TABLE endpoint DROP CONSTRAINT endpoint_disabled_reason_check;
ALTER TABLE endpoint ADD CONSTRAINT endpoint_disabled_reason_check
    CHECK (disabled_reason IN ('request', 'gone', 'failing'));
