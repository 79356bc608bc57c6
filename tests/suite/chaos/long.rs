//! The long run of all kinds, one after the other: what `make chaos` is.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::report::HEADER;
use super::run::{self, Size};
use super::{KINDS, SHORT};
use crate::support::wanted::is_wanted;

const DEFAULT_SEED: u64 = 1;
/// Posts of a kind are spread over so long, so that several faults strike.
const POSTING: Duration = Duration::from_secs(16);
const AT_ONCE: usize = 128;

/// What times and choices are drawn from.
pub fn seed() -> u64 {
    variable("SEED").map_or(DEFAULT_SEED, |seed| seed.parse().expect("POSTRIDER_CHAOS_SEED is a number"))
}

/// How many pairs each kind has.
pub fn pairs() -> Option<usize> {
    variable("PAIRS").map(|pairs| pairs.parse().expect("POSTRIDER_CHAOS_PAIRS is a number"))
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(format!("POSTRIDER_CHAOS_{name}"))?;
    Some(value.into_string().unwrap()).filter(|value| !value.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes long: `make chaos` runs it"]
async fn every_kind_at_length() {
    let size = Size { pairs: pairs().unwrap_or(SHORT.pairs), posting: POSTING, at_once: AT_ONCE };
    let mut report = variable("REPORT").map(|path| std::fs::File::create(path).unwrap());
    let (mut broken, mut pairs) = (Vec::new(), 0);
    println!("seed {}\n{HEADER}", seed());
    for kind in KINDS.iter().filter(|kind| is_wanted(kind.name)) {
        // A run that panics is one that is broken, and the others go on.
        let figures = match AssertUnwindSafe(run::run(kind, size, seed())).catch_unwind().await {
            Ok(Ok(figures)) => figures,
            Ok(Err(reason)) => {
                println!("{:<32} skipped: {reason}", kind.name);
                continue;
            }
            Err(_) => {
                println!("{:<32} failed: it panicked", kind.name);
                broken.push(kind.name);
                continue;
            }
        };
        println!("{}", figures.line());
        println!("{}", figures.details());
        if figures.is_broken() {
            broken.push(kind.name);
        }
        pairs += figures.pairs;
        if let Some(report) = &mut report {
            writeln!(report, "{}", figures.json()).unwrap();
        }
    }
    println!("{pairs} pairs; promises broken by: {broken:?}");
    assert!(broken.is_empty(), "promises were broken by {broken:?}");
}
