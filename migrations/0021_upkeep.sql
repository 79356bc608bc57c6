-- Everything that grows has an end: what maintenance deletes, it finds by an index, a bounded number at a time.

-- When the last round of each kind that was done began, so that a round that was missed is made up for.
CREATE TABLE maintenance_round (
    name      text PRIMARY KEY,
    begun_at  timestamptz NOT NULL
);

-- `eventId`s are freed by the age of their message.
CREATE INDEX message_event_id_by_message ON message_event_id (message_id);

-- Dead letters that somebody decided on, by when that was.
CREATE INDEX dead_letter_decided ON dead_letter (coalesce(replayed_at, discarded_at))
    WHERE replayed_at IS NOT NULL OR discarded_at IS NOT NULL;

CREATE INDEX background_task_ended ON background_task (updated_at) WHERE state <> 'running';

-- A deleted endpoint loses its secrets and headers soon, and its row when nothing names it any more.
ALTER TABLE endpoint ADD COLUMN emptied_at timestamptz;
CREATE INDEX endpoint_to_empty ON endpoint (deleted_at) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;
CREATE INDEX endpoint_deleted ON endpoint (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX endpoint_by_application ON endpoint (application_id);
CREATE INDEX application_deleted ON application (id) WHERE deleted_at IS NOT NULL;

CREATE INDEX endpoint_secret_expired ON endpoint_secret (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_key_ended ON api_key (least(revoked_at, expires_at))
    WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL;
CREATE INDEX api_key_by_application ON api_key (application_id) WHERE application_id IS NOT NULL;
CREATE INDEX token_logout_expired ON token_logout (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX operational_notice_by_age ON operational_notice (noted_at);

-- Hours that are over stand in rows of node 0; a BRIN index finds no thousand oldest.
DROP INDEX endpoint_hour_by_age;
CREATE INDEX endpoint_hour_folded ON endpoint_hour (hour) WHERE node = 0;

-- Attempts that no day was made for.
CREATE INDEX attempt_default_by_age ON attempt_default (id);
