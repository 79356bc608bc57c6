//! What happened since it was last told, of those who are watched. Memory is bounded in scopes, in what is kept of each, and
//! in applications whose environment is not known yet.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::chance;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::live::report::{AttemptSeen, MessageSeen, Report};
use crate::domain::live::sample::Sample;
use crate::domain::live::scope::Scope;

/// What is not asked for anew within this time is told no longer.
const WATCHED_FOR: Duration = Duration::from_secs(6);
/// No more scopes are watched at a time.
const MAX_SCOPES: usize = 1_024;
/// Messages, and attempts, of a scope that are told one by one each time.
const MAX_TOLD: usize = 8;
/// Applications whose environment is remembered, or is to be found out.
const MAX_APPLICATIONS: usize = 10_000;

/// What happened to one.
#[derive(Clone)]
struct Happened {
    messages: Sample<MessageSeen>,
    attempts: Sample<AttemptSeen>,
    delivered: u64,
}

impl Default for Happened {
    fn default() -> Self {
        Self { messages: Sample::of_at_most(MAX_TOLD), attempts: Sample::of_at_most(MAX_TOLD), delivered: 0 }
    }
}

impl Happened {
    fn merge(&mut self, other: Self) {
        self.messages.merge(other.messages);
        self.attempts.merge(other.attempts);
        self.delivered += other.delivered;
    }

    /// What is to be told of it; `None` when nothing happened.
    fn report(self, scope: Scope) -> Option<Report> {
        let (accepted, attempts) = (self.messages.seen(), self.attempts.seen());
        if accepted + attempts == 0 {
            return None;
        }
        let mut report = Report {
            accepted,
            delivered: self.delivered,
            failed: attempts.saturating_sub(self.delivered),
            messages: self.messages.into_kept(),
            attempts: self.attempts.into_kept(),
            ..Report::empty(scope)
        };
        report.messages.sort_by_key(|message| message.id);
        report.attempts.sort_by_key(|attempt| attempt.id);
        Some(report)
    }
}

struct Watched {
    until: Instant,
    happened: Happened,
}

/// What happened since it was last told.
#[derive(Default)]
pub(super) struct Tap {
    watched: HashMap<Scope, Watched>,
    /// How many of those are environments.
    environments_watched: usize,
    /// `None` for an application that is nobody's tenant.
    environments: HashMap<ApplicationId, Option<EnvironmentId>>,
    /// Of applications whose environment is to be found out.
    unplaced: HashMap<ApplicationId, Happened>,
}

impl Tap {
    pub(super) fn watch(&mut self, scopes: Vec<Scope>, now: Instant) {
        for scope in scopes {
            if self.watched.len() < MAX_SCOPES || self.watched.contains_key(&scope) {
                let watched = Watched { until: now, happened: Happened::default() };
                self.watched.entry(scope).or_insert(watched).until = now + WATCHED_FOR;
            }
        }
        self.count_environments();
    }

    fn count_environments(&mut self) {
        let environments = self.watched.keys().filter(|scope| matches!(scope, Scope::Environment(_)));
        self.environments_watched = environments.count();
    }

    pub(super) fn accept(
        &mut self,
        application: ApplicationId,
        endpoints: impl Iterator<Item = EndpointId>,
        seen: impl Fn() -> MessageSeen,
    ) {
        let mut note = |happened: &mut Happened| happened.messages.offer(chance::fraction(), &seen);
        self.of_owner(application, &mut note);
        for endpoint in endpoints {
            if let Some(watched) = self.watched.get_mut(&Scope::Endpoint(endpoint)) {
                note(&mut watched.happened);
            }
        }
    }

    pub(super) fn record(
        &mut self,
        application: ApplicationId,
        endpoint: EndpointId,
        delivered: bool,
        seen: impl Fn() -> AttemptSeen,
    ) {
        let mut note = |happened: &mut Happened| {
            happened.attempts.offer(chance::fraction(), &seen);
            happened.delivered += u64::from(delivered);
        };
        self.of_owner(application, &mut note);
        if let Some(watched) = self.watched.get_mut(&Scope::Endpoint(endpoint)) {
            note(&mut watched.happened);
        }
    }

    /// Notes something of an application and of its environment, as far as they are watched.
    fn of_owner(&mut self, application: ApplicationId, note: &mut impl FnMut(&mut Happened)) {
        if let Some(watched) = self.watched.get_mut(&Scope::Application(application)) {
            note(&mut watched.happened);
        }
        if self.environments_watched == 0 {
            return;
        }
        match self.environments.get(&application) {
            Some(Some(environment)) => {
                if let Some(watched) = self.watched.get_mut(&Scope::Environment(environment.clone())) {
                    note(&mut watched.happened);
                }
            }
            None if self.unplaced.len() < MAX_APPLICATIONS || self.unplaced.contains_key(&application) => {
                note(self.unplaced.entry(application).or_default());
            }
            // Nobody's tenant, or one more than are remembered.
            Some(None) | None => {}
        }
    }

    /// The applications whose environment is to be found out.
    pub(super) fn unplaced(&self) -> Vec<ApplicationId> {
        self.unplaced.keys().copied().collect()
    }

    /// The environments of these applications are known now.
    pub(super) fn place(&mut self, asked: &[ApplicationId], found: &HashMap<ApplicationId, EnvironmentId>) {
        if self.environments.len() > MAX_APPLICATIONS {
            self.environments.clear();
        }
        for application in asked {
            let environment = found.get(application).cloned();
            if let (Some(happened), Some(environment)) = (self.unplaced.remove(application), &environment)
                && let Some(watched) = self.watched.get_mut(&Scope::Environment(environment.clone()))
            {
                watched.happened.merge(happened);
            }
            self.environments.insert(*application, environment);
        }
    }

    /// Takes what is to be told. Whether somebody still watches.
    pub(super) fn take(&mut self, now: Instant) -> (Vec<Report>, bool) {
        self.watched.retain(|_, watched| watched.until > now);
        self.count_environments();
        if self.environments_watched == 0 {
            self.unplaced.clear();
        }
        let reports = self
            .watched
            .iter_mut()
            .filter_map(|(scope, watched)| std::mem::take(&mut watched.happened).report(scope.clone()))
            .collect();
        (reports, !self.watched.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AttemptId, MessageId};

    fn message(application: ApplicationId) -> MessageSeen {
        MessageSeen {
            id: MessageId::generate(),
            application,
            event_type: "a.b".to_owned(),
            event_id: None,
            channels: Vec::new(),
            tags: Vec::new(),
            size_bytes: 2,
            in_flight: 1,
            waiting: 0,
            held: 0,
        }
    }

    fn attempt(application: ApplicationId, endpoint: EndpointId) -> AttemptSeen {
        AttemptSeen {
            id: AttemptId::generate(),
            message: MessageId::generate(),
            application,
            endpoint,
            event_type: "a.b".to_owned(),
            number: 1,
            status: Some(200),
            failure: None,
            duration_ms: 3,
            state: "delivered".to_owned(),
        }
    }

    #[test]
    fn what_is_watched_is_told_and_nothing_else() {
        let (application, other) = (ApplicationId::generate(), ApplicationId::generate());
        let (endpoint, beside) = (EndpointId::generate(), EndpointId::generate());
        let (mut tap, now) = (Tap::default(), Instant::now());
        tap.watch(vec![Scope::Application(application), Scope::Endpoint(endpoint)], now);
        tap.accept(application, [endpoint, beside].into_iter(), || message(application));
        tap.accept(other, [].into_iter(), || message(other));
        tap.record(application, endpoint, true, || attempt(application, endpoint));
        tap.record(application, beside, false, || attempt(application, beside));
        let (mut reports, watched) = tap.take(now);
        reports.sort_by(|one, next| one.scope.cmp(&next.scope));
        let told: Vec<_> = reports
            .iter()
            .map(|it| (it.accepted, it.delivered, it.failed, it.messages.len(), it.attempts.len()))
            .collect();
        assert_eq!((told, watched), (vec![(1, 1, 1, 1, 2), (1, 1, 0, 1, 1)], true));
        assert_eq!(tap.take(now).0, [], "it is told once");
        assert!(!tap.take(now + WATCHED_FOR).1, "nobody asked again");
    }

    #[test]
    fn what_belongs_to_an_environment_is_told_once_that_is_known() {
        let (own, hidden) = (ApplicationId::generate(), ApplicationId::generate());
        let environment: EnvironmentId = "org_a".parse().unwrap();
        let (mut tap, now) = (Tap::default(), Instant::now());
        tap.watch(vec![Scope::Environment(environment.clone())], now);
        for application in [own, hidden] {
            tap.accept(application, [].into_iter(), || message(application));
        }
        assert_eq!(tap.take(now).0, []);
        tap.place(&tap.unplaced(), &HashMap::from([(own, environment)]));
        for application in [own, hidden] {
            tap.accept(application, [].into_iter(), || message(application));
        }
        let (reports, _) = tap.take(now);
        assert_eq!((reports.len(), reports[0].accepted), (1, 2));
        assert!(tap.unplaced().is_empty());
    }

    #[test]
    fn much_is_counted_whole_and_told_in_part() {
        let application = ApplicationId::generate();
        let (mut tap, now) = (Tap::default(), Instant::now());
        tap.watch(vec![Scope::Application(application)], now);
        for _ in 0..5_000 {
            tap.accept(application, [].into_iter(), || message(application));
        }
        let (reports, _) = tap.take(now);
        assert_eq!((reports[0].accepted, reports[0].messages.len()), (5_000, MAX_TOLD));
        assert!(reports[0].messages.is_sorted_by_key(|message| message.id));
    }
}
