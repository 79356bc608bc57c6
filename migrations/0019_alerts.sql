-- Alerts: the rules of an environment, the channels that they are sent over, and what is sent.
--
-- It only widens: a node of the version before goes on working beside it, and sends no alerts.


-- Channels -----------------------------------------------------------------------------------------------------------

CREATE TABLE alert_channel (
    id              uuid PRIMARY KEY,
    environment_id  text NOT NULL REFERENCES environment ON DELETE CASCADE,
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('operational', 'slack', 'teams', 'email')),
    -- A URL with a secret in it, or addresses: sealed under the main secret.
    target          bytea NOT NULL,
    -- What is less severe is not sent over it.
    min_severity    text NOT NULL CHECK (min_severity IN ('info', 'warning', 'critical')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- How it works: the last success, the last failure, and why that failed if nothing was sent since.
    last_sent_at    timestamptz,
    last_failed_at  timestamptz,
    last_error      text
);
CREATE INDEX alert_channel_by_environment ON alert_channel (environment_id, id);


-- Rules --------------------------------------------------------------------------------------------------------------

-- A rule, and its state. An alert is sent once when its condition begins to be met, and a recovery once when it has not been
-- met for a while.
CREATE TABLE alert_rule (
    id                uuid PRIMARY KEY,
    environment_id    text NOT NULL REFERENCES environment ON DELETE CASCADE,
    name              text NOT NULL,
    condition         jsonb NOT NULL,
    severity          text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    enabled           boolean NOT NULL DEFAULT true,
    -- No second alert within this time, however often the condition begins to be met.
    suppress_seconds  integer NOT NULL CHECK (suppress_seconds >= 0),
    -- It has recovered when the condition was not met for this time.
    recover_seconds   integer NOT NULL CHECK (recover_seconds > 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- When it was last changed; nothing before that counts.
    watched_since     timestamptz NOT NULL DEFAULT now(),
    firing_since      timestamptz,
    last_met_at       timestamptz,
    -- When an alert was last sent, and whether that was the one of `firing_since`.
    alerted_at        timestamptz,
    is_alerted        boolean NOT NULL DEFAULT false,
    CONSTRAINT alert_rule_alerted_while_firing CHECK (NOT is_alerted OR (firing_since IS NOT NULL AND alerted_at IS NOT NULL))
);
CREATE INDEX alert_rule_by_environment ON alert_rule (environment_id, created_at, id);

-- One node at a time evaluates the rules, now and then.
CREATE TABLE alert_evaluation (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    round      bigint NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO alert_evaluation DEFAULT VALUES;


-- Notices ------------------------------------------------------------------------------------------------------------

-- What is sent, a row for each channel, written in the commit that changes the rule's state.
CREATE TABLE alert_notice (
    id              uuid PRIMARY KEY,
    environment_id  text NOT NULL REFERENCES environment ON DELETE CASCADE,
    -- NULL for one that tries a channel out.
    rule_id         uuid REFERENCES alert_rule ON DELETE CASCADE,
    channel_id      uuid NOT NULL REFERENCES alert_channel ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind IN ('fired', 'recovered', 'test')),
    severity        text NOT NULL,
    title           text NOT NULL,
    body            text NOT NULL,
    noted_at        timestamptz NOT NULL DEFAULT now(),
    attempts        smallint NOT NULL DEFAULT 0,
    -- When it is tried next, which is also the end of the lease of the node that tries it. NULL when it was sent or given up.
    due_at          timestamptz DEFAULT now(),
    sent_at         timestamptz,
    error           text
);
CREATE INDEX alert_notice_due ON alert_notice (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_notice_by_age ON alert_notice (noted_at);
CREATE INDEX alert_notice_by_rule ON alert_notice (rule_id);
CREATE INDEX alert_notice_by_channel ON alert_notice (channel_id, rule_id, noted_at);


-- Rules that are there from the start --------------------------------------------------------------------------------

CREATE FUNCTION create_first_alert_rules(environment text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO alert_rule (id, environment_id, name, condition, severity, suppress_seconds, recover_seconds) VALUES
        (gen_random_uuid(), environment, 'Dead letters',
         '{"kind": "dead_letters", "count": 1, "minutes": 5}', 'critical', 0, 300),
        (gen_random_uuid(), environment, 'Many attempts fail',
         '{"kind": "failure_share", "percent": 10, "minutes": 10, "attempts": 20}', 'warning', 0, 300)
$$;
-- A trigger, so that environments which a node of the version before creates have them, too.
CREATE FUNCTION create_first_alert_rules_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM create_first_alert_rules(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER create_first_alert_rules AFTER INSERT ON environment
    FOR EACH ROW EXECUTE FUNCTION create_first_alert_rules_of_new();
SELECT create_first_alert_rules(id) FROM environment;
