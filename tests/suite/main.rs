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
mod alerts;
#[cfg(test)]
mod api;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod console;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod pace;
#[cfg(test)]
mod program;
#[cfg(test)]
mod reliability;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod telemetry;
