-- Which main secret seals what is kept. What is sealed begins with the id of its key, as the first eight bytes of its nonce;
-- what an earlier version sealed has random bytes there, and is opened by trying.
--
-- It only widens: a node of the version before goes on working beside it, as long as the main secret stays the same.

-- One row. Whoever seals reads it FOR SHARE in the transaction that writes, so that from the commit that changes the key on
-- nothing more is written under the one before.
CREATE TABLE sealing (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- NULL until the first start remembers its main secret.
    key_id       bytea CHECK (octet_length(key_id) = 8),
    -- While everything is moved under `key_id`: the key that what is left was sealed with.
    moving_from  bytea CHECK (octet_length(moving_from) = 8 AND moving_from <> key_id),
    changed_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (moving_from IS NULL OR key_id IS NOT NULL)
);
INSERT INTO sealing DEFAULT VALUES;

-- The ids of the keys that a node has. NULL for a node of the version before, of which that is not known.
ALTER TABLE node ADD COLUMN sealing_keys bytea[];
