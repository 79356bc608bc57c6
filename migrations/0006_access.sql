-- Who did what. Only ever added to: changing or removing an entry fails, except for retention, which says so
-- (`SET LOCAL postrider.audit_retention = 'on'`) and may only delete.

CREATE TABLE audit_log (
    -- UUIDv7, so that the log is in order of time.
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT now(),
    -- NULL for what concerns no environment.
    environment_id  text,
    application_id  uuid,
    actor_kind      text NOT NULL CHECK (actor_kind IN ('token', 'api_key', 'cli', 'system')),
    actor_id        text NOT NULL,
    actor_role      text CHECK (actor_role IN ('operator', 'environment', 'application')),
    -- Where the request came from; NULL for what no request asked for.
    address         text,
    -- `object.verb`, as in `endpoint.updated`.
    action          text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    object_kind     text NOT NULL,
    object_id       text NOT NULL,
    -- The names of the fields that changed, or how much was asked for. Never a value that could be a secret.
    details         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_environment ON audit_log (environment_id, id);
CREATE INDEX audit_log_by_application ON audit_log (application_id, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_by_object ON audit_log (object_id, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);

CREATE FUNCTION audit_log_stays() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('postrider.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_stays();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stays();
