-- What is followed after it was done: what became of deliveries that a replay put back to work, and since when an
-- environment's policy is what it is.
--
-- It only widens: a node of the version before goes on working beside it.


-- Replays ------------------------------------------------------------------------------------------------------------

-- What a step of a replay put back to work, and what has become of it as of the last look. Deliveries that have ended leave
-- the lists, and are counted.
CREATE TABLE replay_part (
    task_id    uuid NOT NULL REFERENCES background_task (id) ON DELETE CASCADE,
    number     bigint GENERATED ALWAYS AS IDENTITY,
    -- The deliveries that have not ended: each message with the endpoint at the same place of the other list.
    messages   uuid[] NOT NULL,
    endpoints  uuid[] NOT NULL,
    delivered  integer NOT NULL DEFAULT 0,
    -- Dead letters again.
    died       integer NOT NULL DEFAULT 0,
    -- Of those that have not ended: tried since, without success.
    failing    integer NOT NULL DEFAULT 0,
    looked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task_id, number),
    CONSTRAINT replay_part_of_pairs CHECK (cardinality(messages) = cardinality(endpoints))
);
CREATE INDEX replay_part_unended ON replay_part (task_id, looked_at) WHERE messages <> '{}';


-- Environments -------------------------------------------------------------------------------------------------------

ALTER TABLE environment ADD COLUMN policy_changed_at timestamptz;
