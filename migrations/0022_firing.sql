-- Rules that fire are counted for metrics, of all environments at once.
CREATE INDEX alert_rule_firing ON alert_rule (severity) WHERE firing_since IS NOT NULL;
