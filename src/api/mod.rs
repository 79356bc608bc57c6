//! The HTTP API: one file a resource. It validates, asks `store/` or `ingest/`, and shapes answers.
