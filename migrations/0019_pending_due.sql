-- The queue by endpoint, for those alone who ask by it: a statement that looks rows up by their key must never take this
-- index, whatever the planner thinks of a queue that was empty when it last looked; one endpoint may have a million
-- rows in it. Whoever wants it says `due_at > '-infinity'`, which is true of every row.
DROP INDEX pending_due;
CREATE INDEX pending_due ON pending (endpoint_id, due_at) WHERE due_at > '-infinity';
