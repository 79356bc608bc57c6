-- Erasing what deleted applications left, in turn; and finding the cutoffs of tokens by session.
--
-- It only widens: a node of the version before goes on working beside it. The indexes `application_to_erase`,
-- `endpoint_by_application` and `token_cutoff_by_application` are used by it alone, and go with a later release.


-- Erasing ------------------------------------------------------------------------------------------------------------

-- Where the erasing of a deleted application stands, as `Place` in src/store/upkeep/erase has it; NULL before it began.
ALTER TABLE application ADD COLUMN erasing jsonb;
-- When its next chunk is due. What waits for longest comes first, so that applications come in turn.
ALTER TABLE application ADD COLUMN erase_due_at timestamptz NOT NULL DEFAULT '-infinity';
CREATE INDEX application_erase_due ON application (erase_due_at, id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
-- Endpoints of an application are gone through in the order of their ids.
CREATE INDEX endpoint_of_application ON endpoint (application_id, id);


-- Cutoffs of tokens --------------------------------------------------------------------------------------------------

-- A cutoff is compared with those of the same session, and with those of all.
CREATE INDEX token_cutoff_by_session ON token_cutoff (application_id, session_id, issued_until, id);
