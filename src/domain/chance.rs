//! Random numbers. Decisions take a number as an argument, so that tests can fix it; only their callers at the edge
//! draw it here.

use rand::RngExt;

/// A number in `[0, 1)`.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws random numbers")]
pub fn fraction() -> f64 {
    rand::rng().random()
}

/// Random bytes for keys and nonces, from the thread's cryptographic generator.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws random numbers")]
pub fn bytes<const N: usize>() -> [u8; N] {
    rand::rng().random()
}
