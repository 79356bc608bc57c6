//! The integration suite: the real binary, a real Postgres, real sockets, real client libraries.
//!
//! Each test has a database of its own and starts the server that it needs. Run it under
//! `scripts/with-test-postgres`, so that all tests share one Postgres; without it each process starts one.
//! Tests wait for signals and for facts, with generous deadlines that only keep a failure from hanging. None
//! asserts how long something takes.

#![expect(unreachable_pub, reason = "this crate exports nothing; `pub` says what a module offers the others")]

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod api_walk;
#[cfg(test)]
mod attempted;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod bytes;
#[cfg(test)]
mod changelog;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod compatibility;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dead_letter;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod disable;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod event_type_import;
#[cfg(test)]
mod example;
#[cfg(test)]
mod expunge;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod javascript;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod operational;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod python;
#[cfg(test)]
mod recover;
#[cfg(test)]
mod reliability;
#[cfg(test)]
mod rollups;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod token_matrix;
#[cfg(test)]
mod two_nodes;
#[cfg(test)]
mod upkeep;
