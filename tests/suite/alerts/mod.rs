//! Alerts: their rules and channels, that a storm is one alert, and that no notice is lost.

mod channels;
mod chat;
mod conditions;
mod crash;
mod operate;
mod smtp;
mod storm;

/// Has the rules evaluated now, and what could not be sent tried again.
const NOW: &str = "
    UPDATE alert_evaluation SET next_at = now();
    UPDATE alert_notice SET due_at = now() WHERE error IS NOT NULL AND due_at IS NOT NULL";
/// What was met a moment ago was met an hour ago, so that what is not met any more has recovered.
const AN_HOUR_LATER: &str = "
    UPDATE alert_rule SET firing_since = firing_since - interval '1 hour', last_met_at = last_met_at - interval '1 hour'
        WHERE firing_since IS NOT NULL AND last_met_at > now() - interval '30 minutes'";
