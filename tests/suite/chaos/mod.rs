//! The reliability laboratory: a ledger posts known numbers through the real program while faults strike, and accounts in
//! the end for every accepted message at every endpoint of its tenant.
//!
//! Each kind of fault is a short test here. `make chaos` runs all of them at length; see `docs/reliability.md`.
//!
//! | variable | meaning |
//! |---|---|
//! | `POSTRIDER_CHAOS_SEED` | what times and choices are drawn from; 1 where it is not set |
//! | `POSTRIDER_CHAOS_PAIRS` | message × endpoint pairs of each kind |
//! | `POSTRIDER_CHAOS_KINDS` | the kinds of a long run, by parts of their names, joined by commas; all where it is not set |
//! | `POSTRIDER_CHAOS_REPORT` | a file for the figures of a long run, a line of JSON for each kind |
//! | `POSTRIDER_CHAOS_PROGRAM` | the build of the program to try |

mod account;
mod chance;
mod faults;
mod home;
mod invariants;
mod kinds;
mod laboratory;
mod ledger;
mod long;
mod moving;
mod nodes;
mod payload;
mod posting;
mod receiver;
mod report;
mod run;
mod self_test;
mod state;

use std::time::Duration;

use home::Needed;
use kinds::{clock, connection, disk, locks, operators, overload, postgres, process, receivers};
use laboratory::Needs;
use run::{Kind, Size};

const SHORT: Size = Size { pairs: 2_000, posting: Duration::from_secs(4), at_once: 32 };

const fn nodes(nodes: usize) -> Needs {
    Needs { database: Needed::Shared, nodes, settings: &[], clock: false }
}

const fn on(database: Needed, nodes: usize) -> Needs {
    Needs { database, nodes, settings: &[], clock: false }
}

const fn set(needs: Needs, settings: &'static [(&'static str, &'static str)]) -> Needs {
    Needs { settings, ..needs }
}

/// What a run of `make test` shows of a kind, and fails on.
async fn briefly(name: &str) {
    let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
    let size = Size { pairs: long::pairs().unwrap_or(SHORT.pairs), ..SHORT };
    match run::run(kind, size, long::seed()).await {
        Err(reason) => eprintln!("skipped: {reason}"),
        Ok(figures) => {
            eprintln!("{}\n{}", report::HEADER, figures.line());
            assert!(!figures.is_broken(), "{}\n{}", figures.line(), figures.details());
        }
    }
}

/// The table of kinds, and a test of each.
macro_rules! kinds {
    ($($(#[$attribute:meta])* $name:ident: $needs:expr, $round:path $(, repeats: $repeats:literal)? ;)*) => {
        const KINDS: &[Kind] = &[$(Kind {
            name: stringify!($name),
            needs: $needs,
            round: |lab, chance| Box::pin($round(lab, chance)),
            repeats: true $(&& $repeats)?,
        }),*];
        $(
            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                briefly(stringify!($name)).await;
            }
        )*
    };
}

kinds! {
    kill_one_node: nodes(2), process::kill_one;
    kill_all_nodes: nodes(2), process::kill_all;
    kill_a_node_while_it_starts: nodes(2), process::kill_while_it_starts;
    kill_one_node_for_long: nodes(2), process::kill_one_for_long;
    freeze_one_node_beyond_its_lease: nodes(2), process::freeze_one;
    freeze_all_nodes_for_a_moment: nodes(2), process::freeze_all_for_a_moment;
    freeze_all_nodes_beyond_their_lease: nodes(2), process::freeze_all_for_long;
    run_a_twin_of_a_node: nodes(2), process::run_a_twin;
    terminate_all_nodes: nodes(2), process::terminate_all;
    terminate_one_node: nodes(2), process::terminate_one;
    roll_three_nodes: nodes(3), process::roll;

    kill_the_postmaster: on(Needed::Own, 2), postgres::kill_postmaster;
    stop_postgres_immediately: on(Needed::Own, 2), postgres::stop_immediately;
    stop_postgres_for_seconds: on(Needed::Own, 2), postgres::stop_for_seconds;
    stop_postgres_around_the_lease: on(Needed::Own, 2), postgres::stop_around_the_lease;
    terminate_a_node_without_postgres: on(Needed::Own, 2), postgres::terminate_while_it_is_away;
    end_single_backends: nodes(2), postgres::end_backends;
    refuse_logins: on(Needed::Own, 2), postgres::refuse_logins;
    fill_the_disk: on(Needed::SmallDisk, 2), disk::fill;

    lose_answers_of_ingest: on(Needed::Proxied, 2), connection::lose_answers_of_ingest;
    lose_answers_and_questions: on(Needed::Proxied, 2), connection::lose_answers_and_questions;
    lose_answers_of_outcomes: on(Needed::Proxied, 2), connection::lose_answers_of_outcomes;
    lose_answers_of_claims: on(Needed::Proxied, 2), connection::lose_answers_of_claims;
    lose_answers_of_heartbeats: on(Needed::Proxied, 2), connection::lose_answers_of_heartbeats;
    cut_connections_at_statements: on(Needed::Proxied, 2), connection::cut_at_statements;
    cut_a_statement_while_it_runs: on(Needed::Proxied, 2), connection::cut_while_it_runs;
    cut_all_connections: on(Needed::Proxied, 2), connection::cut_all;
    refuse_connections: on(Needed::Proxied, 2), connection::refuse;
    delay_the_database: on(Needed::Proxied, 2), connection::delay;
    hold_all_traffic: on(Needed::Proxied, 2), connection::hold;
    blackhole: on(Needed::Proxied, 2), connection::blackhole;
    blackhole_beyond_the_lease: on(Needed::Proxied, 2), connection::blackhole_for_long;
    forgotten_connections: on(Needed::Proxied, 2), connection::forget_connections;
    half_open_connections: on(Needed::Proxied, 2), connection::half_open;
    silence_single_connections: on(Needed::Proxied, 2), connection::silence_single_connections;

    lock_tables: nodes(2), locks::lock_tables;
    hold_a_foreign_snapshot: nodes(2), locks::hold_a_snapshot;
    step_the_clock: Needs { clock: true, ..nodes(2) }, clock::step;

    receivers_with_every_vice: set(nodes(2), &[("REQUEST_TIMEOUT", "2s")]), receivers::have_every_vice;
    receivers_that_fail_for_a_while: nodes(2), receivers::fail_for_a_while;
    pause_and_resume: nodes(2), operators::pause_and_resume;
    disable_and_enable_endpoints: nodes(2), operators::disable_and_enable;
    rotate_secrets: nodes(2), operators::rotate_secrets;
    delete_endpoints: nodes(2), operators::delete_endpoints, repeats: false;
    replay_dead_letters: set(nodes(2), &[("RETRY_SCHEDULE", "100ms,100ms")]), operators::replay_dead_letters,
        repeats: false;
    move_a_uid: nodes(2), operators::move_a_uid;
    overload: nodes(2), overload::flood;
}
