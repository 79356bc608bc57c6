//! What was counted in the minute under way, and in those before it that are not written yet.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use chrono::{DateTime, Utc};

use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::message::Message;
use crate::domain::rollup::health::{HealthChange, LastFailure};
use crate::domain::rollup::tally::{AttemptSeen, Tally};

/// Endpoints, and applications, that are counted in one minute, and endpoints whose answers are kept; some 300 bytes each.
const MOST_COUNTED: usize = 65_536;
/// Pairs of an application and an event type that wait to be written.
const MOST_EVENT_TYPES: usize = 65_536;
/// Minutes that wait to be written while the database is away. It takes no outcomes either then.
const MOST_MINUTES: usize = 3;

/// Counts with whether they changed since they were last written.
#[derive(Default)]
struct Counted {
    tally: Tally,
    changed: bool,
}

/// One minute.
struct Minute {
    at: DateTime<Utc>,
    endpoints: HashMap<EndpointId, Counted>,
    applications: HashMap<ApplicationId, Counted>,
}

/// How endpoints have answered, each with its application.
pub(super) type Health = HashMap<EndpointId, (ApplicationId, HealthChange)>;

/// Messages by application and event type.
pub(super) type EventTypes = HashMap<ApplicationId, HashMap<String, u64>>;

/// What is to be written of a minute.
pub(super) struct ChangedMinute {
    pub(super) at: DateTime<Utc>,
    pub(super) endpoints: Vec<(EndpointId, Tally)>,
    /// All of the minute's, because environments are the sums of them.
    pub(super) applications: Vec<(ApplicationId, Tally, bool)>,
}

/// What is to be written.
pub(super) struct Changes {
    pub(super) minutes: Vec<ChangedMinute>,
    pub(super) health: Health,
    pub(super) event_types: EventTypes,
    /// Attempts in the last whole minute.
    pub(super) attempts_a_minute: u64,
    /// What found no room since the last time.
    pub(super) left_out: u64,
}

pub(super) struct Memory {
    current: Minute,
    before: VecDeque<Minute>,
    /// Since it was last written. It knows no minutes: an endpoint that fails at their turn fails on.
    health: Health,
    event_types: EventTypes,
    event_types_known: usize,
    attempts: u64,
    attempts_a_minute: u64,
    left_out: u64,
}

impl Minute {
    fn new(at: DateTime<Utc>) -> Self {
        Self { at, endpoints: HashMap::new(), applications: HashMap::new() }
    }
}

fn minute_of(moment: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = moment.timestamp().div_euclid(60) * 60;
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The counts of `key`, changed; `None` when there is no room for more.
fn counted<'a, K: Eq + Hash>(
    all: &'a mut HashMap<K, Counted>,
    key: K,
    left_out: &mut u64,
) -> Option<&'a mut Counted> {
    if all.len() >= MOST_COUNTED && !all.contains_key(&key) {
        *left_out += 1;
        return None;
    }
    let counted = all.entry(key).or_default();
    counted.changed = true;
    Some(counted)
}

/// How `endpoint` has answered; `None` when there is no room for more. Its counts were left out then, too.
fn health_of(
    all: &mut Health,
    application: ApplicationId,
    endpoint: EndpointId,
) -> Option<&mut HealthChange> {
    if all.len() >= MOST_COUNTED && !all.contains_key(&endpoint) {
        return None;
    }
    let (_, health) = all.entry(endpoint).or_insert_with(|| (application, HealthChange::default()));
    Some(health)
}

impl Memory {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            current: Minute::new(minute_of(now)),
            before: VecDeque::new(),
            health: HashMap::new(),
            event_types: HashMap::new(),
            event_types_known: 0,
            attempts: 0,
            attempts_a_minute: 0,
            left_out: 0,
        }
    }

    /// Begins a new minute when it is time. A clock that goes back does not.
    fn turn_to(&mut self, now: DateTime<Utc>) {
        let minute = minute_of(now);
        if minute <= self.current.at {
            return;
        }
        let follows = (minute - self.current.at).num_seconds() == 60;
        self.attempts_a_minute = if follows { self.attempts } else { 0 };
        self.attempts = 0;
        let over = std::mem::replace(&mut self.current, Minute::new(minute));
        self.before.push_back(over);
        while self.before.len() > MOST_MINUTES {
            self.before.pop_front();
        }
    }

    pub(super) fn accept(
        &mut self,
        message: &Message,
        endpoints: impl Iterator<Item = EndpointId>,
        now: DateTime<Utc>,
    ) {
        self.turn_to(now);
        let mut born = 0;
        for endpoint in endpoints {
            born += 1;
            if let Some(counted) = counted(&mut self.current.endpoints, endpoint, &mut self.left_out) {
                counted.tally.born = counted.tally.born.saturating_add(1);
            }
        }
        let application = message.application_id;
        if let Some(counted) = counted(&mut self.current.applications, application, &mut self.left_out) {
            counted.tally.accepted = counted.tally.accepted.saturating_add(1);
            counted.tally.accepted_bytes =
                counted.tally.accepted_bytes.saturating_add(message.payload.len() as u64);
            counted.tally.born = counted.tally.born.saturating_add(born);
        }
        self.add_event_type(application, &message.event_type, 1);
    }

    fn add_event_type(&mut self, application: ApplicationId, event_type: &str, count: u64) {
        let of_application = self.event_types.entry(application).or_default();
        if let Some(known) = of_application.get_mut(event_type) {
            *known += count;
        } else if self.event_types_known < MOST_EVENT_TYPES {
            self.event_types_known += 1;
            of_application.insert(event_type.to_owned(), count);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn record(
        &mut self,
        application: ApplicationId,
        endpoint: EndpointId,
        seen: &AttemptSeen,
        failed: Option<LastFailure>,
        now: DateTime<Utc>,
    ) {
        self.turn_to(now);
        self.attempts += 1;
        if let Some(counted) = counted(&mut self.current.applications, application, &mut self.left_out) {
            counted.tally.count(seen, now);
        }
        if let Some(counted) = counted(&mut self.current.endpoints, endpoint, &mut self.left_out) {
            counted.tally.count(seen, now);
        }
        if let Some(health) = health_of(&mut self.health, application, endpoint) {
            match failed {
                None => health.succeed(),
                Some(failure) => health.fail(failure),
            }
        }
    }

    /// Takes what changed since the last time.
    pub(super) fn take_changes(&mut self, now: DateTime<Utc>) -> Changes {
        self.turn_to(now);
        self.event_types_known = 0;
        Changes {
            minutes: self.before.iter_mut().chain([&mut self.current]).filter_map(Minute::changed).collect(),
            health: std::mem::take(&mut self.health),
            event_types: std::mem::take(&mut self.event_types),
            attempts_a_minute: self.attempts_a_minute,
            left_out: std::mem::take(&mut self.left_out),
        }
    }

    /// Forgets the minutes that are over, once they are written.
    pub(super) fn forget_written(&mut self) {
        self.before.retain(Minute::is_changed);
    }

    /// Has these minutes written again.
    pub(super) fn put_back_minutes(&mut self, minutes: &[ChangedMinute]) {
        for minute in self.before.iter_mut().chain([&mut self.current]) {
            let Some(unwritten) = minutes.iter().find(|unwritten| unwritten.at == minute.at) else {
                continue;
            };
            for (id, _) in &unwritten.endpoints {
                minute.endpoints.entry(*id).or_default().changed = true;
            }
            for (id, _, changed) in &unwritten.applications {
                minute.applications.entry(*id).or_default().changed |= changed;
            }
        }
    }

    /// Puts what was not written in front of what has happened since.
    pub(super) fn put_back_health(&mut self, health: Health) {
        for (endpoint, (application, before)) in health {
            if let Some(since) = health_of(&mut self.health, application, endpoint) {
                since.follow(before);
            }
        }
    }

    /// Has these written again.
    pub(super) fn put_back_event_types(&mut self, event_types: EventTypes) {
        for (application, counts) in event_types {
            for (event_type, count) in counts {
                self.add_event_type(application, &event_type, count);
            }
        }
    }
}

impl Minute {
    fn is_changed(&self) -> bool {
        let mut all = self.applications.values().chain(self.endpoints.values());
        all.any(|counted| counted.changed)
    }

    /// Takes what is to be written of it, if anything changed.
    fn changed(&mut self) -> Option<ChangedMinute> {
        if !self.is_changed() {
            return None;
        }
        let endpoints = self.endpoints.iter_mut().filter(|(_, counted)| counted.changed);
        let endpoints = endpoints.map(|(id, counted)| {
            counted.changed = false;
            (*id, counted.tally.clone())
        });
        let applications = self.applications.iter_mut();
        let applications = applications
            .map(|(id, counted)| (*id, counted.tally.clone(), std::mem::take(&mut counted.changed)));
        Some(ChangedMinute {
            at: self.at,
            endpoints: endpoints.collect(),
            applications: applications.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const OK: AttemptSeen = AttemptSeen {
        status: Some(200),
        delivered: true,
        died: false,
        own: None,
        receiver: None,
        end_to_end: None,
    };

    fn ids() -> (ApplicationId, EndpointId, DateTime<Utc>) {
        (
            ApplicationId::generate(),
            EndpointId::generate(),
            DateTime::from_timestamp(1_770_000_030, 0).unwrap(),
        )
    }

    #[test]
    fn a_minute_is_written_whole_each_time_it_changed() {
        let (application, endpoint, now) = ids();
        let mut memory = Memory::new(now);
        memory.record(application, endpoint, &OK, None, now);
        let first = memory.take_changes(now);
        assert_eq!((first.minutes.len(), first.minutes[0].endpoints[0].1.delivered), (1, 1));
        assert_eq!(first.health.len(), 1);
        assert!(memory.take_changes(now).minutes.is_empty(), "nothing changed since");
        memory.record(application, endpoint, &OK, None, now);
        assert_eq!(memory.take_changes(now).minutes[0].endpoints[0].1.delivered, 2);
    }

    #[test]
    fn what_could_not_be_written_is_written_later_also_when_its_minute_is_over() {
        let (application, endpoint, now) = ids();
        let mut memory = Memory::new(now);
        let failure = LastFailure { at: now, status: None, failure: "dns", error: String::new() };
        memory.record(application, endpoint, &AttemptSeen::default(), Some(failure), now);
        let lost = memory.take_changes(now);
        memory.put_back_minutes(&lost.minutes);
        memory.put_back_health(lost.health);
        let later = now + TimeDelta::seconds(60);
        memory.record(application, endpoint, &OK, None, later);
        let again = memory.take_changes(later);
        let counts: Vec<_> = again.minutes.iter().map(|minute| minute.endpoints[0].1.attempts()).collect();
        assert_eq!((counts, again.attempts_a_minute), (vec![1, 1], 1));
        let (_, change) = &again.health[&endpoint];
        assert_eq!((change.succeeded, change.failures, change.last.is_some()), (true, 0, true));
        memory.forget_written();
        assert_eq!(memory.before.len(), 0);
    }

    #[test]
    fn an_endpoint_that_fails_at_the_turn_of_a_minute_is_written_once() {
        let (application, endpoint, now) = ids();
        let mut memory = Memory::new(now);
        let later = now + TimeDelta::seconds(60);
        for at in [now, later] {
            let failure = LastFailure { at, status: None, failure: "dns", error: String::new() };
            memory.record(application, endpoint, &AttemptSeen::default(), Some(failure), at);
        }
        let changes = memory.take_changes(later);
        assert_eq!((changes.minutes.len(), changes.health.len()), (2, 1));
        let (_, change) = &changes.health[&endpoint];
        assert_eq!((change.failures, change.failing_since), (2, Some(now)));
    }

    #[test]
    fn memory_is_bounded_in_endpoints_and_in_minutes() {
        let (application, _, now) = ids();
        let mut memory = Memory::new(now);
        for _ in 0..MOST_COUNTED + 5 {
            memory.record(application, EndpointId::generate(), &OK, None, now);
        }
        let changes = memory.take_changes(now);
        assert_eq!((changes.left_out, changes.minutes[0].endpoints.len()), (5, MOST_COUNTED));
        let (_, tally, _) = &changes.minutes[0].applications[0];
        assert_eq!(tally.delivered as usize, MOST_COUNTED + 5, "its application has all of them");
        for minute in 1..10 {
            memory.record(application, EndpointId::generate(), &OK, None, now + TimeDelta::minutes(minute));
        }
        assert_eq!(memory.before.len(), MOST_MINUTES);
    }
}
