-- What people look for and look at: texts of the configuration by an index, how long the steps of an attempt took, and what
-- somebody noted on a background task.


-- Attempts -----------------------------------------------------------------------------------------------------------

-- How long each step took, in microseconds. NULL for a step that was not needed, not reached, or not measured yet.
ALTER TABLE attempt
    ADD COLUMN resolve_us     integer,
    ADD COLUMN connect_us     integer,
    ADD COLUMN tls_us         integer,
    ADD COLUMN first_byte_us  integer;
