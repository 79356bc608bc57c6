//! A round of evaluation: the rules of all environments, some at a time. What they are compared with is measured, their new
//! state is written, and with it what is sent.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::alert::NoticeKind;
use crate::domain::alert::condition::Measurements;
use crate::domain::alert::rule_state::RuleTimings;
use crate::store::{AlertRule, AlertStore, EvaluationRound, RollupStore, StoreError};
use crate::telemetry::metrics;

use super::measure::measure;

/// At least so long from one round to the next.
const EVERY: Duration = Duration::from_secs(15);
/// After a round there is a rest of so many times as long as it took.
const REST: u32 = 10;
/// A round that has not ended by then is taken anew, by whichever node asks.
const ROUND_LIMIT: Duration = Duration::from_secs(120);
/// Rules that are read, and measured for, together.
const RULES_PER_PAGE: i64 = 200;

/// Evaluates rules.
pub(super) struct Evaluator {
    pub(super) alerts: AlertStore,
    pub(super) rollups: RollupStore,
}

impl Evaluator {
    /// Takes a round, if one is due and no other node is at it.
    pub(super) async fn evaluate_if_due(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        let Some(round) = self.alerts.begin_evaluation(ROUND_LIMIT).await? else { return Ok(()) };
        let evaluated = self.evaluate_all(round).await;
        self.alerts.end_evaluation(round, EVERY.max(began.elapsed() * REST)).await?;
        evaluated
    }

    async fn evaluate_all(&self, round: EvaluationRound) -> Result<(), StoreError> {
        let mut after = Some(Uuid::nil());
        while let Some(place) = after {
            let page = self.alerts.enabled_rules(place, RULES_PER_PAGE).await?;
            if page.unreadable > 0 {
                tracing::warn!(rules = page.unreadable, "alert rules of a later version are left out");
            }
            let measured = measure(&self.alerts, &self.rollups, &page.rules, round.now).await?;
            for (rule, found) in page.rules.iter().zip(&measured) {
                match self.evaluate(rule, found, round).await {
                    Err(error @ StoreError::Unavailable(_)) => return Err(error),
                    // It keeps no other rule from being evaluated.
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, rule = %rule.id, "an alert rule could not be evaluated");
                    }
                    Ok(()) => {}
                }
            }
            after = page.next;
        }
        Ok(())
    }

    async fn evaluate(
        &self,
        rule: &AlertRule,
        found: &Measurements,
        round: EvaluationRound,
    ) -> Result<(), StoreError> {
        let settings = &rule.settings;
        let met = settings.condition.met_by(found);
        let timings = RuleTimings { suppress: settings.suppress, recover: settings.recover };
        let (state, notice) = rule.state.after(met.is_some(), round.now, timings);
        if state == rule.state {
            return Ok(());
        }
        let body = match notice {
            Some(NoticeKind::Recovered) => recovery(rule),
            Some(NoticeKind::Fired | NoticeKind::Test) | None => met.unwrap_or_default(),
        };
        let changed = self.alerts.change_rule_state(rule, state, notice.map(|kind| (kind, &*body))).await?;
        if changed && notice.is_none() && state.is_firing() && !rule.state.is_firing() {
            metrics::current().alerts_suppressed.increment(1);
        }
        if let Some(kind) = notice.filter(|_| changed) {
            tracing::info!(
                environment = %rule.environment,
                rule = %rule.id,
                alert = kind.name(),
                severity = settings.severity.name(),
                found = body,
                "an alert rule changed its state"
            );
        }
        Ok(())
    }
}

/// What a recovery says.
fn recovery(rule: &AlertRule) -> String {
    let firing = rule.state.firing_since.zip(rule.state.last_met_at);
    match firing.map(|(since, until)| (until - since).num_minutes()) {
        Some(1) => "It is over after 1 minute.".to_owned(),
        Some(minutes) if minutes > 1 => format!("It is over after {minutes} minutes."),
        Some(_) | None => "It is over.".to_owned(),
    }
}
