//! Which node sends to a lane whose limits hold for all nodes together: one alone, its home, so that its limits and what it
//! has learned need not be divided. The database says which (`store/queue/lane_home.rs`); here is what this node knows of it.
//!
//! A lane that has no limit, and whose receiver has not asked for less, has no home: each node sends what it has.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::EndpointId;

use super::LaneOrTenant;

/// Where a lane is sent from, as far as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum Home {
    /// Nobody has asked.
    Unknown,
    /// The database is being asked.
    Asked,
    /// From this node alone.
    Here,
    /// From another one.
    Elsewhere,
}

/// What a lane's home is the home of: a lane alone, or all lanes of a tenant that has a rate of its own.
pub(super) fn subject_of(endpoint: &Endpoint) -> LaneOrTenant {
    match endpoint.policy.application_rate_limit {
        Some(_) => LaneOrTenant::Tenant(endpoint.application_id),
        None => LaneOrTenant::Lane(endpoint.id),
    }
}

/// What this node knows of homes.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// Whether other nodes may send as well; otherwise every home is here.
    is_shared: bool,
    known: HashMap<LaneOrTenant, Home>,
    /// Endpoints whose home is elsewhere, with what it is the home of, so that nothing is claimed for them.
    elsewhere: HashMap<EndpointId, LaneOrTenant>,
    to_ask: Vec<LaneOrTenant>,
    /// Changes whenever something that was known is forgotten, so that an answer to an earlier question is not believed.
    generation: u64,
    /// Notified when there is something to ask.
    pub(super) asked: Arc<Notify>,
}

impl Homes {
    pub(super) fn share(&mut self) {
        self.is_shared = true;
    }

    /// Where this is sent from. If that is not known, it is asked for.
    pub(super) fn find(&mut self, subject: LaneOrTenant, endpoint: EndpointId) -> Home {
        if !self.is_shared {
            return Home::Here;
        }
        let home = *self.known.entry(subject).or_insert(Home::Unknown);
        match home {
            Home::Unknown => {
                self.ask(subject);
                Home::Asked
            }
            Home::Elsewhere => {
                self.elsewhere.insert(endpoint, subject);
                home
            }
            Home::Asked | Home::Here => home,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    fn ask(&mut self, subject: LaneOrTenant) {
        self.known.insert(subject, Home::Asked);
        self.to_ask.push(subject);
        self.asked.notify_one();
    }

    /// At most so many questions, and the generation that the answers are for.
    pub(super) fn take_questions(&mut self, limit: usize) -> (u64, Vec<LaneOrTenant>) {
        let rest = self.to_ask.len().saturating_sub(limit);
        (self.generation, self.to_ask.split_off(rest))
    }

    /// What the database said; `None` for nothing certain. Returns the home, unless it has to be asked for again.
    pub(super) fn answer(
        &mut self,
        generation: u64,
        subject: LaneOrTenant,
        home: Option<Home>,
    ) -> Option<Home> {
        let is_asked = self.known.get(&subject) == Some(&Home::Asked);
        let home = home.filter(|_| generation == self.generation);
        match home {
            Some(home) if is_asked => {
                self.known.insert(subject, home);
                Some(home)
            }
            _ => {
                if is_asked {
                    self.to_ask.push(subject);
                }
                None
            }
        }
    }

    pub(super) fn note_elsewhere(&mut self, endpoint: EndpointId, subject: LaneOrTenant) {
        self.elsewhere.insert(endpoint, subject);
    }

    /// This endpoint has a home no longer.
    pub(super) fn forget_endpoint(&mut self, endpoint: EndpointId) {
        self.elsewhere.remove(&endpoint);
    }

    pub(super) fn is_elsewhere(&self, endpoint: EndpointId) -> bool {
        !self.elsewhere.is_empty() && self.elsewhere.contains_key(&endpoint)
    }

    /// These homes were given up or taken away; it may be that of this node as well. Returns the endpoints that were sent from
    /// elsewhere.
    pub(super) fn forget_freed(&mut self, freed: impl Fn(LaneOrTenant) -> bool) -> Vec<EndpointId> {
        self.generation += 1;
        self.known.retain(|subject, home| *home == Home::Asked || !freed(*subject));
        self.elsewhere.extract_if(|_, subject| freed(*subject)).map(|(endpoint, _)| endpoint).collect()
    }

    /// Nothing that is known here is certain any more.
    pub(super) fn forget_all(&mut self) {
        self.generation += 1;
        self.known.clear();
        self.elsewhere.clear();
        self.to_ask.clear();
    }

    /// Takes out the homes that are here and not needed.
    pub(super) fn take_unused(&mut self, is_used: impl Fn(LaneOrTenant) -> bool) -> Vec<LaneOrTenant> {
        let unused = |subject: &LaneOrTenant, home: &mut Home| *home == Home::Here && !is_used(*subject);
        self.known.extract_if(unused).map(|(subject, _)| subject).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> (Homes, EndpointId, LaneOrTenant) {
        let endpoint = EndpointId::generate();
        let mut homes = Homes::default();
        homes.share();
        (homes, endpoint, LaneOrTenant::Lane(endpoint))
    }

    #[test]
    fn a_home_is_asked_for_once_and_remembered() {
        let (mut homes, endpoint, subject) = shared();
        assert_eq!(homes.find(subject, endpoint), Home::Asked);
        assert_eq!(homes.find(subject, endpoint), Home::Asked);
        let (generation, questions) = homes.take_questions(10);
        assert_eq!(questions, [subject]);
        assert_eq!(homes.answer(generation, subject, Some(Home::Elsewhere)), Some(Home::Elsewhere));
        assert!(!homes.is_elsewhere(endpoint));
        assert_eq!(homes.find(subject, endpoint), Home::Elsewhere);
        assert!(homes.is_elsewhere(endpoint), "nothing is claimed for it");
    }

    #[test]
    fn an_answer_from_before_a_home_was_freed_is_not_believed() {
        let (mut homes, endpoint, subject) = shared();
        homes.find(subject, endpoint);
        let (generation, _) = homes.take_questions(10);
        homes.forget_freed(|_| true);
        assert_eq!(homes.answer(generation, subject, Some(Home::Elsewhere)), None);
        assert_eq!(homes.take_questions(10), (generation + 1, vec![subject]), "it is asked again");
        homes.forget_all();
        assert_eq!(homes.answer(generation + 1, subject, Some(Home::Here)), None);
        assert_eq!(homes.find(subject, endpoint), Home::Asked);
    }

    #[test]
    fn what_was_given_up_is_asked_for_again_and_other_homes_stay() {
        let (mut homes, endpoint, subject) = shared();
        let (mine, own) = (EndpointId::generate(), Home::Here);
        for (endpoint, home) in [(endpoint, Home::Elsewhere), (mine, own)] {
            homes.find(LaneOrTenant::Lane(endpoint), endpoint);
            let (generation, _) = homes.take_questions(10);
            homes.answer(generation, LaneOrTenant::Lane(endpoint), Some(home));
            homes.find(LaneOrTenant::Lane(endpoint), endpoint);
        }
        assert_eq!(homes.forget_freed(|freed| freed == subject), [endpoint]);
        assert_eq!(homes.find(subject, endpoint), Home::Asked);
        assert_eq!(homes.find(LaneOrTenant::Lane(mine), mine), Home::Here);
        assert_eq!(homes.take_unused(|_| false), [LaneOrTenant::Lane(mine)]);
    }
}
