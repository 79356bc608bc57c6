//! The pace of lanes: the one that sends to a limited or throttled lane, and what its receiver asked for. A lane without
//! either has none of this, and costs a look at whether it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::id::EndpointId;
use crate::store::ThrottleNote;

use super::home::{Home, Homes, subject_of};
use super::lane::{Lane, Pace};
use super::queued::Queued;
use super::throttle::Throttle;
use super::window::LoadSignal;
use super::{LaneOrTenant, Lanes};

/// What is known of the pace of all lanes.
#[derive(Debug, Default)]
pub(super) struct Paces {
    pub(super) homes: Homes,
    /// Of endpoints that have no lane.
    throttles: HashMap<EndpointId, Throttle>,
    /// Endpoints whose throttle is to be written down.
    to_note: Vec<EndpointId>,
    /// Nothing is sent until it is known which endpoints are throttled.
    pub(super) is_unknown: bool,
}

impl Paces {
    /// A lane gets its pace, if it has one.
    pub(super) fn attend<T: Queued>(&mut self, lane: &mut Lane<T>) {
        match &lane.pace {
            Some(pace) if pace.home != Home::Unknown => {}
            None if !lane.endpoint.policy.is_limited() && self.throttles.is_empty() => {}
            _ => self.attend_anew(lane),
        }
    }

    /// The same for one whose endpoint may have changed.
    pub(super) fn attend_anew<T: Queued>(&mut self, lane: &mut Lane<T>) {
        let told = self.throttles.remove(&lane.endpoint.id);
        let throttle = lane.pace.as_ref().and_then(|pace| pace.throttle).or(told);
        if throttle.is_some() || lane.endpoint.policy.is_limited() {
            self.set_pace(lane, throttle);
        } else {
            lane.pace = None;
            self.homes.forget_endpoint(lane.endpoint.id);
        }
    }

    fn set_pace<T: Queued>(&mut self, lane: &mut Lane<T>, throttle: Option<Throttle>) {
        let subject = subject_of(&lane.endpoint);
        let home = self.homes.find(subject, lane.endpoint.id);
        lane.pace = Some(Box::new(Pace { subject, home, throttle }));
    }

    /// A request of a lane was answered. One that was refused as too fast begins a throttle.
    pub(super) fn record<T: Queued>(&mut self, lane: &mut Lane<T>, signal: LoadSignal, now: Instant) {
        let endpoint = lane.endpoint.id;
        if lane.throttle().is_some_and(|throttle| throttle.kept_until() <= now) {
            if let Some(pace) = &mut lane.pace {
                pace.throttle = None;
            }
            self.attend_anew(lane);
        }
        if let LoadSignal::TooFast(asked) = signal
            && lane.throttle().is_none()
        {
            let borne = lane.borne.load().map(|load| load.per_second);
            self.set_pace(lane, Some(Throttle::begin(asked.is_some(), borne, now)));
        }
        if let Some(throttle) = lane.throttle_mut()
            && throttle.record(signal, now)
            && !throttle.in_notes
        {
            throttle.in_notes = true;
            self.to_note.push(endpoint);
            self.homes.asked.notify_one();
        }
    }
}

impl<T: Queued> Lanes<T> {
    /// Other nodes send as well, so that a limited or throttled lane has one home among them. Nothing is sent until
    /// [`Lanes::load_throttles`].
    pub(in crate::dispatch) fn share_pace(&mut self) {
        self.paces.homes.share();
        self.paces.is_unknown = true;
    }

    /// Notified when there is a home to ask for, or something to write down.
    pub(in crate::dispatch) fn pace_changed(&self) -> Arc<Notify> {
        self.paces.homes.asked.clone()
    }

    /// Nothing that is known of homes and throttles is certain any more.
    pub(in crate::dispatch) fn forget_pace(&mut self) {
        self.paces.homes.forget_all();
        self.paces.is_unknown = true;
        self.paces.homes.asked.notify_one();
        for lane in self.registry.lanes_mut() {
            lane.forget_home();
            if lane.queued() > 0 {
                self.paces.attend(lane);
            }
        }
    }

    /// Whether throttles have to be loaded, and for which generation of what is known.
    pub(in crate::dispatch) fn unknown_throttles(&self) -> Option<u64> {
        self.paces.is_unknown.then(|| self.paces.homes.generation())
    }

    /// All throttles that there are, if nothing was forgotten since they were asked for.
    pub(in crate::dispatch) fn load_throttles(
        &mut self,
        generation: u64,
        notes: &[ThrottleNote],
        now: Instant,
    ) {
        self.hear_throttles(notes, now);
        self.paces.is_unknown &= generation != self.paces.homes.generation();
    }

    /// Throttles that another node, or this one, has written down.
    pub(in crate::dispatch) fn hear_throttles(&mut self, notes: &[ThrottleNote], now: Instant) {
        self.paces.throttles.retain(|_, throttle| throttle.kept_until() > now);
        for note in notes {
            let Some(lane) = self.registry.lane_mut(note.endpoint_id) else {
                let known = self.paces.throttles.entry(note.endpoint_id);
                known.or_insert_with(|| Throttle::told(note, now)).follow(note, now);
                continue;
            };
            let is_here = lane.is_here();
            match lane.throttle_mut() {
                Some(throttle) if is_here => throttle.hear(note, now),
                Some(throttle) => throttle.follow(note, now),
                None => self.paces.set_pace(lane, Some(Throttle::told(note, now))),
            }
        }
    }

    /// At most so many throttles that are to be written down.
    pub(in crate::dispatch) fn take_throttle_notes(
        &mut self,
        limit: usize,
        now: Instant,
    ) -> Vec<ThrottleNote> {
        let rest = self.paces.to_note.len().saturating_sub(limit);
        let endpoints = self.paces.to_note.split_off(rest);
        let registry = &mut self.registry;
        let notes = endpoints.into_iter().filter_map(|id| {
            registry.lane_mut(id).and_then(Lane::throttle_mut).map(|throttle| throttle.note(id, now))
        });
        notes.collect()
    }

    /// These could not be written down.
    pub(in crate::dispatch) fn note_again(&mut self, notes: &[ThrottleNote]) {
        for note in notes {
            let throttle = self.registry.lane_mut(note.endpoint_id).and_then(Lane::throttle_mut);
            if let Some(throttle) = throttle.filter(|throttle| !throttle.in_notes) {
                throttle.in_notes = true;
                self.paces.to_note.push(note.endpoint_id);
            }
        }
    }

    /// At most so many homes to ask for, and the generation of what is known.
    pub(in crate::dispatch) fn take_home_questions(&mut self, limit: usize) -> (u64, Vec<LaneOrTenant>) {
        self.paces.homes.take_questions(limit)
    }

    /// What the database said of a home; `None` for nothing certain. Returns what lanes had queued that are sent from
    /// elsewhere.
    pub(in crate::dispatch) fn answer_home(
        &mut self,
        generation: u64,
        subject: LaneOrTenant,
        home: Option<Home>,
        now: Instant,
    ) -> Vec<T> {
        let Some(home) = self.paces.homes.answer(generation, subject, home) else { return Vec::new() };
        let mut drained = Vec::new();
        for id in self.lanes_of(subject) {
            let Some(lane) = self.registry.lane_mut(id).filter(|lane| lane.is_of(subject)) else { continue };
            lane.set_home(home);
            if home == Home::Elsewhere {
                self.paces.homes.note_elsewhere(id, subject);
                drained.extend(self.drain(id));
            } else {
                self.make_ready(id, now);
            }
        }
        drained
    }

    fn lanes_of(&self, subject: LaneOrTenant) -> Vec<EndpointId> {
        match subject {
            LaneOrTenant::Lane(id) => vec![id],
            LaneOrTenant::Tenant(id) => self.endpoints_of(id),
        }
    }

    /// Homes were given up or taken away. Returns the endpoints for which this node may send now.
    pub(in crate::dispatch) fn forget_freed_homes(
        &mut self,
        is_freed: impl Fn(Uuid) -> bool,
    ) -> Vec<EndpointId> {
        let is_freed = |subject: LaneOrTenant| is_freed(subject.uuid());
        let endpoints = self.paces.homes.forget_freed(is_freed);
        for lane in self.registry.lanes_mut() {
            if lane.pace.as_ref().is_some_and(|pace| is_freed(pace.subject)) {
                lane.forget_home();
                if lane.queued() > 0 {
                    self.paces.attend(lane);
                }
            }
        }
        endpoints
    }

    /// Gives up the homes whose lanes need none any more.
    pub(in crate::dispatch) fn take_unused_homes(&mut self) -> Vec<LaneOrTenant> {
        let registry = &self.registry;
        let is_used = |subject, id| registry.lane(id).is_some_and(|lane| lane.is_of(subject));
        self.paces.homes.take_unused(|subject| match subject {
            LaneOrTenant::Lane(id) => is_used(subject, id),
            LaneOrTenant::Tenant(tenant) => registry.endpoints_of(tenant).any(|id| is_used(subject, id)),
        })
    }

    /// Gives up the homes whose lanes have nothing under way, because this node stops and sends nothing more.
    pub(in crate::dispatch) fn take_idle_homes(&mut self) -> Vec<LaneOrTenant> {
        let registry = &self.registry;
        let is_busy = |id| registry.lane(id).is_some_and(|lane| lane.in_flight > 0);
        let given_up = self.paces.homes.take_unused(|subject| match subject {
            LaneOrTenant::Lane(id) => is_busy(id),
            LaneOrTenant::Tenant(tenant) => registry.endpoints_of(tenant).any(is_busy),
        });
        let lanes: Vec<EndpointId> = given_up.iter().flat_map(|subject| self.lanes_of(*subject)).collect();
        for id in lanes {
            if let Some(lane) = self.registry.lane_mut(id) {
                lane.forget_home();
            }
        }
        given_up
    }

    /// Whether another node sends to this endpoint.
    pub(in crate::dispatch) fn is_elsewhere(&self, endpoint: EndpointId) -> bool {
        self.paces.homes.is_elsewhere(endpoint)
    }

    /// Until when nothing is sent to this endpoint, if its receiver asked for that.
    pub(super) fn closed_until(&self, endpoint: EndpointId, now: Instant) -> Option<Instant> {
        let throttle = match self.registry.lane(endpoint) {
            Some(lane) => lane.throttle(),
            None => self.paces.throttles.get(&endpoint),
        };
        throttle.and_then(|throttle| throttle.closed_until(now))
    }
}
