-- Where a node runs: host, boot, network and the address that it listens on. Two processes cannot have one such place at
-- a time, so whoever has it now knows that the one before is gone.
ALTER TABLE node ADD COLUMN place text NOT NULL DEFAULT '';

-- What waits for an endpoint and is due at one moment goes out in the order in which it was accepted.
DROP INDEX pending_due;
CREATE INDEX pending_due ON pending (endpoint_id, due_at, message_id) WHERE due_at > '-infinity';

-- A delivery whose outcome the database refuses ends as a dead letter, too.
ALTER TABLE dead_letter
    DROP CONSTRAINT dead_letter_reason_check,
    ADD CONSTRAINT dead_letter_reason_check CHECK (reason IN (
        'exhausted', 'gone', 'unsendable', 'hold_expired', 'endpoint_deleted', 'unrecordable'));

-- A deleted application is erased in the background; its row stays, because usage and the audit log name it.
ALTER TABLE application ADD COLUMN erased_at timestamptz;
CREATE INDEX application_to_erase ON application (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
