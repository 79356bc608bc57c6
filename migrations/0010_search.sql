-- What people look for and look at: texts of the configuration by an index, how long the steps of an attempt took, and what
-- somebody noted on a background task.


-- Attempts -----------------------------------------------------------------------------------------------------------

-- How long each step took, in microseconds. NULL for a step that was not needed, not reached, or not measured yet.
ALTER TABLE attempt
    ADD COLUMN resolve_us     integer,
    ADD COLUMN connect_us     integer,
    ADD COLUMN tls_us         integer,
    ADD COLUMN first_byte_us  integer;


-- Background tasks ---------------------------------------------------------------------------------------------------

-- What the one who asked for it noted.
ALTER TABLE background_task ADD COLUMN note text CHECK (length(note) <= 500);


-- Search -------------------------------------------------------------------------------------------------------------

-- What texts are found by: every three characters in a row, in lower case, and the beginnings of words, which stand behind
-- spaces. Of each text the first 500 characters count. (The extension `pg_trgm` does this, but it is not installed
-- everywhere.)
CREATE FUNCTION search_grams(texts text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
DECLARE
    content  text;
    word     text;
    grams    text[] := '{}';
BEGIN
    FOREACH content IN ARRAY texts LOOP
        CONTINUE WHEN content IS NULL;
        content := lower(left(content, 500));
        FOR place IN 1 .. length(content) - 2 LOOP
            grams := array_append(grams, substr(content, place, 3));
        END LOOP;
        FOREACH word IN ARRAY regexp_split_to_array(content, '[^[:alnum:]]+') LOOP
            CONTINUE WHEN word = '';
            grams := array_append(grams, lpad(left(word, 1), 3));
            grams := array_append(grams, lpad(left(word, 2), 3));
        END LOOP;
    END LOOP;
    RETURN grams;
END
$$;

-- What must be among the grams of texts that have `asked` in them; of one or two characters, in which a word begins so.
CREATE FUNCTION asked_grams(asked text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(asked) < 3 THEN ARRAY[lpad(lower(asked), 3)] ELSE (
        SELECT array_agg(DISTINCT substr(lower(asked), place, 3)) FROM generate_series(1, length(asked) - 2) AS place
    ) END
$$;

-- Whether one of the texts has `asked` in it, in whatever case.
CREATE FUNCTION has_text(texts text[], asked text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    content  text;
BEGIN
    FOREACH content IN ARRAY texts LOOP
        IF strpos(lower(left(content, 500)), lower(asked)) > 0 THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

CREATE INDEX application_search ON application USING gin (search_grams(ARRAY[name, uid])) WHERE deleted_at IS NULL;
CREATE INDEX endpoint_search ON endpoint USING gin (search_grams(ARRAY[url, description, uid])) WHERE deleted_at IS NULL;
CREATE INDEX event_type_search ON event_type USING gin (search_grams(ARRAY[name, description]));
