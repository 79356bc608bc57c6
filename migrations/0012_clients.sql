-- What clients of the API and receivers expect: names of environments, headers and any text of a message, credentials in
-- URLs, and the ends of deliveries that are called off or not tried again.
--
-- It only widens: a node of the version before goes on working beside it.


-- Environments -------------------------------------------------------------------------------------------------------

-- The callers' own tokens name them, with `-` and `_` in their names.
ALTER TABLE environment DROP CONSTRAINT environment_id_check;
ALTER TABLE environment ADD CONSTRAINT environment_id_check CHECK (id ~ '^org_[A-Za-z0-9_-]{1,64}$');


-- Endpoints ----------------------------------------------------------------------------------------------------------

-- `user:password` of the endpoint's URL, encrypted with the main secret. The URL itself is stored without it.
ALTER TABLE endpoint ADD COLUMN url_credentials_sealed bytea;


-- Messages -----------------------------------------------------------------------------------------------------------

-- Headers that are sent with this message alone, by name; among them the content type of a payload that is no JSON.
ALTER TABLE message ADD COLUMN headers jsonb;
ALTER TABLE dead_letter ADD COLUMN headers jsonb;


-- Deliveries ---------------------------------------------------------------------------------------------------------

-- Where a delivery stands in the words of callers, who take what was tried once and is to be tried again for being sent.
CREATE FUNCTION delivery_standing(state delivery_state, is_claimed boolean, attempts smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN attempts > 0 AND state IN ('waiting', 'held') THEN 'sending'
                ELSE delivery_standing(state, is_claimed) END
$$;

-- What was answered in a way that is final for its endpoint. The rows that are there have one of the reasons from before,
-- so they need not be read for this.
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_reason_check;
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_reason_check CHECK (reason IN (
    'exhausted', 'gone', 'unsendable', 'hold_expired', 'endpoint_deleted', 'unrecordable', 'not_retryable')) NOT VALID;

-- Deliveries that were called off.
ALTER TABLE endpoint_hour ADD COLUMN cancelled bigint NOT NULL DEFAULT 0;

ALTER TABLE background_task DROP CONSTRAINT background_task_kind_check;
ALTER TABLE background_task ADD CONSTRAINT background_task_kind_check CHECK (kind IN (
    'dead_letter.replay', 'dead_letter.discard', 'endpoint.recover', 'endpoint.replay_missing',
    'endpoint.bulk_replay', 'endpoint.cancel_waiting', 'application.purge_content', 'application.usage',
    'event_type.usage'));
