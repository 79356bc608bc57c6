-- Traces: a message remembers the trace that it was accepted in, if that is sampled, so that each of its attempts belongs to it.
--
-- It only widens: a node of the version before goes on working beside it, and its attempts are not traced.

-- 16 bytes of the trace's id, and 8 of the span's that accepted the message.
ALTER TABLE message ADD COLUMN trace bytea;
