-- How long things are kept, by environment and application; finding what has a tag; and how large what was accepted is.
--
-- It only widens: a node of the version before goes on working beside it. While there is one, what it deletes by retention
-- goes by the server's settings alone. The indexes `dead_letter_decided` and `attempt_default_by_age` are used by it alone, and
-- go with a later release.


-- Retention ----------------------------------------------------------------------------------------------------------

-- In days, by name, as `RetentionSettings` in src/domain/retention.rs has them. What is not there is left to the next level.
ALTER TABLE environment ADD COLUMN retention jsonb NOT NULL DEFAULT '{}';
ALTER TABLE application ADD COLUMN retention jsonb NOT NULL DEFAULT '{}';

-- For how long an application keeps something, by what it says or else its environment; NULL where neither says it.
CREATE FUNCTION kept_for(of_application jsonb, of_environment jsonb, what text) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT make_interval(hours => 24 * coalesce((of_application ->> what)::integer, (of_environment ->> what)::integer))
$$;

-- The shortest and the longest time that messages are kept is asked for each hour.
CREATE INDEX environment_message_days ON environment (((retention ->> 'messageRetentionDays')::integer))
    WHERE retention <> '{}';
CREATE INDEX application_message_days ON application (((retention ->> 'messageRetentionDays')::integer))
    WHERE retention <> '{}';


-- Tags ---------------------------------------------------------------------------------------------------------------

-- By which everything with a tag is found, to be erased. A message without tags costs it nothing. The parent's index stands
-- alone, so that this migration does not read, or lock, days that are full: partitions that are made from now on have it,
-- and the days before are read in the order of `message_by_application` until they are over.
CREATE INDEX message_tagged ON ONLY message USING gin (tags) WITH (gin_pending_list_limit = 256) WHERE tags IS NOT NULL;
CREATE INDEX message_default_tagged ON message_default USING gin (tags) WITH (gin_pending_list_limit = 256)
    WHERE tags IS NOT NULL;
ALTER INDEX message_tagged ATTACH PARTITION message_default_tagged;


-- Erasure ------------------------------------------------------------------------------------------------------------

ALTER TABLE background_task DROP CONSTRAINT background_task_kind_check;
ALTER TABLE background_task ADD CONSTRAINT background_task_kind_check CHECK (kind IN (
    'dead_letter.replay', 'dead_letter.discard', 'endpoint.recover', 'endpoint.replay_missing',
    'endpoint.bulk_replay', 'endpoint.cancel_waiting', 'application.purge_content', 'application.usage',
    'event_type.usage', 'application.erase', 'message.erase', 'tag.erase'));


-- Usage --------------------------------------------------------------------------------------------------------------

-- Of `accepted`: the bytes of their payloads.
ALTER TABLE rollup ADD COLUMN accepted_bytes bigint NOT NULL DEFAULT 0;
