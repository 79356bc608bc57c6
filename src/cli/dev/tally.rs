//! What has been seen so far: counted by the receiver and the producer, read by the screen.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many lines of what happened are kept.
const NEWS_KEPT: usize = 8;

/// How an endpoint of the demonstration behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It answers 200.
    Works,
    /// It fails for a while, then works, in turns.
    Flaky,
    /// It never answers.
    Silent,
}

/// What was seen of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// `tenant/endpoint`.
    pub(super) name: String,
    pub(super) manner: Manner,
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
    pub(super) forged: u64,
    /// Replayed dead letters that were delivered.
    pub(super) replayed: u64,
    pub(super) endpoints: Vec<Seen>,
    /// What happened, the newest last, numbered from the first.
    pub(super) news: VecDeque<(u64, String)>,
    told: u64,
    /// How many attempts the schedule allows.
    attempts: usize,
}

/// The counts, shared.
#[derive(Debug)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
}

impl Tally {
    /// `attempts`: how many the schedule allows.
    pub(super) fn new(attempts: usize) -> Self {
        Self { counts: Mutex::new(Counts { attempts, ..Counts::default() }) }
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an endpoint in; what comes back is its place.
    pub(super) fn add(&self, tenant: &str, endpoint: &str, manner: Manner) -> usize {
        let mut counts = self.counts();
        counts.endpoints.push(Seen {
            name: format!("{tenant}/{endpoint}"),
            manner,
            failing: manner == Manner::Flaky,
            delivered: 0,
            failed: 0,
            retries: 0,
            dead_letters: 0,
            attempts: HashMap::new(),
            replaying: HashSet::new(),
        });
        counts.endpoints.len() - 1
    }

    /// Something worth a line.
    pub(super) fn tell(&self, news: String) {
        self.counts().tell(news);
    }
}

impl Counts {
    pub(super) fn tell(&mut self, news: String) {
        self.told += 1;
        self.news.push_back((self.told, news));
        if self.news.len() > NEWS_KEPT {
            self.news.pop_front();
        }
    }

    /// Counts a request with a right signature, and says whether it is answered 2xx.
    pub(super) fn arrived(&mut self, place: usize, message: &str) -> bool {
        self.verified += 1;
        let allowed = self.attempts;
        let Some(seen) = self.endpoints.get_mut(place) else { return false };
        let works = match seen.manner {
            Manner::Works => true,
            Manner::Flaky => !seen.failing,
            Manner::Silent => false,
        };
        let number = {
            let made = seen.attempts.entry(message.to_owned()).or_default();
            *made += 1;
            *made
        };
        if works || number >= allowed {
            seen.attempts.remove(message);
        }
        seen.retries += u64::from(number > 1);
        let name = seen.name.clone();
        if !works {
            seen.failed += 1;
            let how = if seen.manner == Manner::Silent { "does not answer" } else { "answers 500" };
            self.tell(format!("{name} {how}: {message}, attempt {number} of {allowed}"));
            return false;
        }
        seen.delivered += 1;
        if seen.replaying.remove(message) {
            self.replayed += 1;
            self.tell(format!("replay delivered to {name}: {message}, signature verified"));
        } else if number > 1 {
            self.tell(format!("retry delivered to {name}: {message}, attempt {number}, signature verified"));
        }
        true
    }

    /// The endpoint of that name.
    pub(super) fn endpoint(&mut self, name: &str) -> Option<&mut Seen> {
        self.endpoints.iter_mut().find(|seen| seen.name == name)
    }
}

impl Seen {
    /// These messages' dead letters are about to be replayed.
    pub(super) fn replay(&mut self, messages: impl IntoIterator<Item = String>) {
        self.replaying.extend(messages);
    }
}
