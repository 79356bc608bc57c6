//! What a run has come to: a line of a table for people, and one of JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

/// The figures of one run of a kind.
#[derive(Debug, Default)]
pub struct Figures {
    pub kind: &'static str,
    pub seed: u64,
    pub faults: usize,
    pub pairs: usize,
    pub once: usize,
    pub more: usize,
    pub allowed: i64,
    pub dead: usize,
    pub queued: usize,
    pub stuck: usize,
    pub missing: usize,
    pub wrong_tenant: usize,
    pub bad_bodies: usize,
    pub bad_signatures: usize,
    /// Posts that were never accepted.
    pub unanswered: usize,
    /// Stored without having been answered 202, or twice because nothing kept a repeated post from it.
    pub extra_messages: usize,
    /// How often a post was repeated, because it had no answer or one that leaves its fate open.
    pub repeated: u32,
    /// An `eventId` that was said to be taken although every earlier try was answered, or there was none.
    pub surprising_conflicts: usize,
    /// Nodes that ended by themselves and were started again.
    pub node_restarts: usize,
    pub recoveries: Vec<Option<f64>>,
    pub violations: Vec<String>,
    pub notes: Vec<String>,
    /// How many pairs are stuck or missing, by why.
    pub causes: BTreeMap<String, usize>,
    pub examples: Vec<String>,
    pub seconds: f64,
}

pub const HEADER: &str = "kind                               pairs     once  more/allowed   dead  queued  stuck missing \
                          tenant body sign unansw. faults recovery p50/max";

impl Figures {
    /// Whether a promise was broken.
    pub fn is_broken(&self) -> bool {
        let defects = [self.stuck, self.missing, self.wrong_tenant, self.bad_bodies, self.bad_signatures];
        let never_recovered = self.recoveries.iter().any(Option::is_none);
        defects.iter().any(|pairs| *pairs > 0)
            || self.unanswered > 0
            || never_recovered
            || !self.violations.is_empty()
    }

    /// Half of the recoveries took no longer than the first, all no longer than the second, in seconds; `None`: one
    /// of them never ended.
    pub fn recovery(&self) -> (Option<f64>, Option<f64>) {
        let never = f64::INFINITY;
        let mut all: Vec<f64> = self.recoveries.iter().map(|seconds| seconds.unwrap_or(never)).collect();
        all.sort_by(f64::total_cmp);
        let at = |place: usize| all.get(place).copied().filter(|seconds| seconds.is_finite());
        (at(all.len().saturating_sub(1) / 2), at(all.len().saturating_sub(1)))
    }

    /// A line of the table.
    pub fn line(&self) -> String {
        let (half, most) = self.recovery();
        let shown = |seconds: Option<f64>| match seconds {
            Some(seconds) => format!("{seconds:.1} s"),
            None if self.recoveries.is_empty() => "-".to_owned(),
            None => "never".to_owned(),
        };
        let over = if i64::try_from(self.more).unwrap() > self.allowed { "!" } else { "" };
        format!(
            "{:<32} {:>7} {:>8} {:>6}/{:<6}{over:1} {:>6} {:>7} {:>6} {:>7} {:>6} {:>4} {:>4} {:>7} {:>6} {} / {}",
            self.kind,
            self.pairs,
            self.once,
            self.more,
            self.allowed,
            self.dead,
            self.queued,
            self.stuck,
            self.missing,
            self.wrong_tenant,
            self.bad_bodies,
            self.bad_signatures,
            self.unanswered,
            self.faults,
            shown(half),
            shown(most),
        )
    }

    /// Everything that a reader needs who wants to know why.
    pub fn details(&self) -> String {
        let mut text = String::new();
        let Self { kind, seed, seconds, repeated, .. } = self;
        writeln!(text, "{kind} with seed {seed} took {seconds:.0} s; posts were repeated {repeated} times")
            .unwrap();
        if self.extra_messages + self.surprising_conflicts + self.node_restarts > 0 {
            writeln!(
                text,
                "  {} messages without a 202 of their own; {} eventIds taken unexpectedly; {} nodes ended by themselves",
                self.extra_messages, self.surprising_conflicts, self.node_restarts
            )
            .unwrap();
        }
        let causes = self.causes.iter().map(|(cause, pairs)| format!("{pairs} × {cause}"));
        for line in
            causes.chain(self.violations.clone()).chain(self.notes.clone()).chain(self.examples.clone())
        {
            writeln!(text, "  {line}").unwrap();
        }
        text
    }

    pub fn json(&self) -> String {
        let (half, most) = self.recovery();
        json!({
            "kind": self.kind, "seed": self.seed, "faults": self.faults, "pairs": self.pairs, "once": self.once,
            "more_than_once": self.more, "allowed_more_than_once": self.allowed, "dead": self.dead,
            "queued": self.queued, "stuck": self.stuck, "missing": self.missing, "wrong_tenant": self.wrong_tenant,
            "bad_body": self.bad_bodies, "bad_signature": self.bad_signatures, "unanswered": self.unanswered,
            "repeated_posts": self.repeated, "extra_messages": self.extra_messages, "surprising_conflicts": self.surprising_conflicts,
            "node_restarts": self.node_restarts, "recovery_p50_s": half, "recovery_max_s": most,
            "never_recovered": self.recoveries.iter().filter(|seconds| seconds.is_none()).count(),
            "violations": self.violations, "causes": self.causes, "notes": self.notes, "seconds": self.seconds,
        })
        .to_string()
    }
}
