//! A private Postgres for people who have none.
