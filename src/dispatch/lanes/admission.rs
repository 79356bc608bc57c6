//! Into a lane: a first attempt takes the place that was reserved for it, a claimed delivery one that is free.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::EndpointId;

use super::Lanes;
use super::lane::MAX_CLAIMED_PER_LANE;
use super::queued::Queued;

/// The queue by age may have this many entries more than twice the number of lanes.
const MAX_STALE_ENTRIES: usize = 256;

/// Whether a lane takes another delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum Admission {
    /// A place is reserved: push, or cancel.
    Reserved,
    /// No room: it has to wait in the queue.
    Full,
    /// The endpoint is closed, or everything is paused: it is held.
    Closed,
}

/// What may be claimed for an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum Claimable {
    /// So many rows.
    Rows(u16),
    /// Nothing before then.
    NothingUntil(Instant),
    /// Another node does.
    Elsewhere,
}

impl<T: Queued> Lanes<T> {
    /// Reserves a place for a first attempt.
    pub(in crate::dispatch) fn reserve(&mut self, endpoint: &Arc<Endpoint>) -> Admission {
        if self.paused {
            return Admission::Closed;
        }
        let limit = self.limits.queued_per_lane;
        let lane = self.lane(endpoint);
        if lane.endpoint.closed {
            self.retire(endpoint.id);
            Admission::Closed
        } else if lane.is_elsewhere() {
            // The node that sends claims it.
            self.retire(endpoint.id);
            Admission::Full
        } else if lane.first_attempts.len() + lane.reserved >= limit.min(lane.first_attempts_limit()) {
            Admission::Full
        } else {
            lane.reserved += 1;
            Admission::Reserved
        }
    }

    /// Gives a reserved place back.
    pub(in crate::dispatch) fn cancel(&mut self, endpoint: EndpointId) {
        if let Some(lane) = self.registry.lane_mut(endpoint) {
            lane.reserved = lane.reserved.saturating_sub(1);
            self.retire(endpoint);
        }
    }

    /// Puts a first attempt into the place that was reserved for it. Returns it if the lane has closed since, or is sent from
    /// elsewhere.
    pub(in crate::dispatch) fn push_first(
        &mut self,
        endpoint: &Arc<Endpoint>,
        item: T,
        now: Instant,
    ) -> Option<T> {
        let paused = self.paused;
        let lane = self.lane(endpoint);
        lane.reserved = lane.reserved.saturating_sub(1);
        if paused || lane.endpoint.closed || lane.is_elsewhere() {
            self.retire(endpoint.id);
            return Some(item);
        }
        lane.first_attempts.push_back((now, item));
        self.note_queued(endpoint.id, now);
        None
    }

    /// Puts a claimed delivery in, if the lane has room and is open.
    ///
    /// # Errors
    /// The delivery itself, with why it has no place.
    pub(in crate::dispatch) fn push_claimed(
        &mut self,
        endpoint: &Arc<Endpoint>,
        item: T,
        now: Instant,
    ) -> Result<(), (T, Admission)> {
        let (paused, limit) = (self.paused, self.limits.claimed_per_lane());
        let lane = self.lane(endpoint);
        if paused || lane.endpoint.closed {
            self.retire(endpoint.id);
            return Err((item, Admission::Closed));
        }
        if lane.is_elsewhere() {
            self.retire(endpoint.id);
            return Err((item, Admission::Full));
        }
        if lane.claimed.len() >= limit {
            lane.had_no_room = true;
            return Err((item, Admission::Full));
        }
        if item.is_backlog() {
            lane.meet_backlog(now);
        }
        lane.claimed.push_back((now, item));
        self.note_queued(endpoint.id, now);
        Ok(())
    }

    /// What to claim for an endpoint.
    pub(in crate::dispatch) fn claimable(&mut self, endpoint: EndpointId, now: Instant) -> Claimable {
        if self.is_elsewhere(endpoint) {
            return Claimable::Elsewhere;
        }
        match self.closed_until(endpoint, now) {
            Some(until) => Claimable::NothingUntil(until),
            None => Claimable::Rows(self.room(endpoint)),
        }
    }

    /// How many rows to claim for an endpoint. For a lane without room it is none, and [`Lanes::finished`] says when it has
    /// room again; a sweep follows a pause. First attempts take nothing of this room: however many are queued, what waits
    /// in the database gets its turns.
    pub(in crate::dispatch) fn room(&mut self, endpoint: EndpointId) -> u16 {
        if self.paused {
            return 0;
        }
        let limit = self.limits.claimed_per_lane();
        let Some(lane) = self.registry.lane_mut(endpoint) else {
            return to_u16(limit.min(MAX_CLAIMED_PER_LANE));
        };
        let room = limit.min(lane.claim_limit()).saturating_sub(lane.claimed.len());
        lane.had_no_room = room == 0;
        to_u16(room)
    }

    /// One more is queued in this lane.
    fn note_queued(&mut self, endpoint: EndpointId, now: Instant) {
        self.queued += 1;
        if let Some(lane) = self.registry.lane_mut(endpoint)
            && lane.oldest_queued_at.is_none()
        {
            lane.oldest_queued_at = Some(now);
            self.by_age.push(Reverse((now, endpoint)));
            self.drop_stale_entries();
        }
        self.make_ready(endpoint, now);
    }

    /// Keeps the entries of lanes that are gone fewer than those of lanes that are there.
    fn drop_stale_entries(&mut self) {
        if self.by_age.len() > 2 * self.registry.lane_count() + MAX_STALE_ENTRIES {
            let registry = &self.registry;
            let is_current = |since: Instant, id| {
                registry.lane(id).is_some_and(|lane| lane.oldest_queued_at == Some(since))
            };
            self.by_age.retain(|Reverse((since, id))| is_current(*since, *id));
        }
    }
}

fn to_u16(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
