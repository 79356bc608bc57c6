//! The counts of the demonstration: made by the receiver and the producer, read by the screen.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::behaviour::Behaviour;

/// How many lines of what happened are kept.
const MAX_EVENTS_KEPT: usize = 6;

/// The counts of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct EndpointCounts {
    /// `tenant/endpoint`.
    pub(super) name: String,
    pub(super) behaviour: Behaviour,
    /// Whether the flaky one fails just now.
    pub(super) failing: bool,
    /// Answered 2xx, their signatures verified.
    pub(super) delivered: u64,
    /// Answered with an error, or not at all.
    pub(super) failed: u64,
    /// Requests that were not the first of their message.
    pub(super) retries: u64,
    /// As the API counts them.
    pub(super) dead_letters: u64,
    /// How often the messages came that are still on their way.
    attempts: HashMap<String, usize>,
    /// Dead letters under replay.
    replaying: HashSet<String>,
}

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Messages that were answered 202.
    pub(super) accepted: u64,
    /// Posts that failed.
    pub(super) refused: u64,
    /// Requests whose signature was right.
    pub(super) verified: u64,
    /// Requests whose signature was wrong.
    pub(super) bad_signatures: u64,
    /// Replayed dead letters that were delivered.
    pub(super) replayed: u64,
    pub(super) endpoints: Vec<EndpointCounts>,
    /// What happened, the newest last, numbered from the first.
    pub(super) events: VecDeque<(u64, String)>,
    event_count: u64,
    /// How many attempts the schedule allows.
    attempts: usize,
}

/// The counts, shared.
#[derive(Debug)]
pub(super) struct Statistics {
    counts: Mutex<Counts>,
}

impl Statistics {
    /// `attempts`: how many the schedule allows.
    pub(super) fn new(attempts: usize) -> Self {
        Self { counts: Mutex::new(Counts { attempts, ..Counts::default() }) }
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an endpoint and returns its index.
    pub(super) fn add(&self, tenant: &str, endpoint: &str, behaviour: Behaviour) -> usize {
        let mut counts = self.counts();
        counts.endpoints.push(EndpointCounts {
            name: format!("{tenant}/{endpoint}"),
            behaviour,
            failing: behaviour == Behaviour::Flaky,
            delivered: 0,
            failed: 0,
            retries: 0,
            dead_letters: 0,
            attempts: HashMap::new(),
            replaying: HashSet::new(),
        });
        counts.endpoints.len() - 1
    }

    /// Adds a line about something that happened.
    pub(super) fn add_event(&self, event: String) {
        self.counts().add_event(event);
    }
}

impl Counts {
    pub(super) fn add_event(&mut self, event: String) {
        self.event_count += 1;
        self.events.push_back((self.event_count, event));
        if self.events.len() > MAX_EVENTS_KEPT {
            self.events.pop_front();
        }
    }

    /// Counts a request with a right signature, and says whether it is answered 2xx.
    pub(super) fn arrived(&mut self, index: usize, message: &str) -> bool {
        self.verified += 1;
        let allowed = self.attempts;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        let behaviour = endpoint.behaviour;
        let works = behaviour.works(endpoint.failing);
        let number = {
            let made = endpoint.attempts.entry(message.to_owned()).or_default();
            *made += 1;
            *made
        };
        if works || number >= allowed || !behaviour.is_retried() {
            endpoint.attempts.remove(message);
        }
        endpoint.retries += u64::from(number > 1);
        let name = endpoint.name.clone();
        if !works {
            endpoint.failed += 1;
            let how = behaviour.failure();
            self.add_event(format!("{name} {how}: {message}, attempt {number} of {allowed}"));
            return false;
        }
        endpoint.delivered += 1;
        if endpoint.replaying.remove(message) {
            self.replayed += 1;
            self.add_event(format!("replay delivered to {name}: {message}, signature verified"));
        } else if number > 1 {
            self.add_event(format!(
                "retry delivered to {name}: {message}, attempt {number}, signature verified"
            ));
        }
        true
    }

    /// The endpoint of that name.
    pub(super) fn endpoint(&mut self, name: &str) -> Option<&mut EndpointCounts> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.name == name)
    }
}

impl EndpointCounts {
    /// These messages' dead letters are about to be replayed.
    pub(super) fn replay(&mut self, messages: impl IntoIterator<Item = String>) {
        self.replaying.extend(messages);
    }
}
