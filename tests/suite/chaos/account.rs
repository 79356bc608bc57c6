//! The account of a run: what became of each accepted message at each endpoint of its tenant.

use std::collections::HashMap;

use postrider::domain::delivery::DeliveryState;
use postrider::domain::id::{ApplicationId, MessageId};

use super::laboratory::{Laboratory, Target};
use super::ledger::{Accepted, Means, Post};
use super::receiver::Seen;
use super::report::Figures;
use super::state::{Row, State};

/// So many examples of each defect are kept.
const EXAMPLES: usize = 5;

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Once,
    More,
    Dead,
    Queued,
    Stuck(&'static str),
    Missing(&'static str),
    /// Its endpoint was deleted before the post was answered: nothing was promised.
    NotPromised,
}

/// Counts everything into `figures`.
pub async fn account(laboratory: &Laboratory, figures: &mut Figures) {
    let state = State::read(&laboratory.home.pool, laboratory.run).await;
    let came = laboratory.receiver.pairs();
    let posts = laboratory.ledger.posts();
    let mut by_number: HashMap<u32, Vec<MessageId>> = HashMap::new();
    for (id, (_, number)) in &state.messages {
        if let Some(number) = number {
            by_number.entry(*number).or_default().push(*id);
        }
    }
    let mut book = Book { laboratory, state: &state, came: &came, figures };
    for (number, post) in (0..).zip(&posts) {
        let stored = by_number.get(&number).map(Vec::as_slice).unwrap_or_default();
        book.account_for(number, post, stored);
    }
    book.account_for_arrivals(&posts);
    let (bodies, signatures) = laboratory.receiver.wrong();
    figures.bad_bodies = bodies.len();
    figures.bad_signatures = signatures.len();
    figures.examples.extend(bodies.into_iter().take(EXAMPLES).map(|what| format!("bad body: {what}")));
    figures
        .examples
        .extend(signatures.into_iter().take(EXAMPLES).map(|what| format!("bad signature: {what}")));
}

struct Book<'a> {
    laboratory: &'a Laboratory,
    state: &'a State,
    came: &'a HashMap<(u16, MessageId), (u32, Seen)>,
    figures: &'a mut Figures,
}

impl Book<'_> {
    fn account_for(&mut self, number: u32, post: &Post, stored: &[MessageId]) {
        if post.means != Means::Nothing && stored.len() > 1 {
            self.figures
                .violations
                .push(format!("number {number} was posted once and is stored {} times", stored.len()));
        }
        self.figures.repeated += post.unknown;
        let Some(accepted) = post.accepted else {
            if !post.is_optional {
                self.figures.unanswered += 1;
                self.example(format!("number {number} was never accepted; {:?}", post.refusal));
            }
            self.figures.extra_messages += stored.len();
            return;
        };
        if accepted == Accepted::EventIdTaken && post.unknown == 0 {
            self.figures.surprising_conflicts += 1;
        }
        let message = match accepted {
            Accepted::Message(id) => Some(id),
            Accepted::EventIdTaken => stored.first().copied(),
        };
        let stored_as = message.and_then(|id| self.state.messages.get(&id));
        self.figures.extra_messages += stored.len().saturating_sub(1);
        let application = stored_as.map(|(application, _)| *application);
        let tenant = application.and_then(|application| self.tenant_of(application));
        if let Some(tenant) = tenant
            && !post.tenants.contains(&tenant)
        {
            self.figures.wrong_tenant += 1;
            self.example(format!(
                "number {number} was stored for tenant {tenant}, not one of {:?}",
                post.tenants
            ));
        }
        for target in self.laboratory.tenants[tenant.unwrap_or(post.tenants[0])].targets() {
            let fate = match message {
                Some(message) => self.fate(post, message, &target),
                None => Fate::Missing("the message is not stored"),
            };
            self.count(fate, number, message, &target);
        }
    }

    fn tenant_of(&self, application: ApplicationId) -> Option<usize> {
        self.laboratory.tenants.iter().position(|tenant| tenant.application == application)
    }

    fn fate(&self, post: &Post, message: MessageId, target: &Target) -> Fate {
        let seen = self.came.get(&(target.place, message)).map(|(_, seen)| *seen).unwrap_or_default();
        let row = self.state.deliveries.get(&(message, target.endpoint));
        if let Some(row) = row
            && let Some(why) = self.stuck(row)
        {
            return Fate::Stuck(why);
        }
        match seen.delivered {
            1 => return Fate::Once,
            2.. => return Fate::More,
            0 => {}
        }
        match row.map(|row| row.state) {
            Some(DeliveryState::Waiting | DeliveryState::Held) => Fate::Queued,
            Some(DeliveryState::Delivered) if seen.vague > 0 => Fate::Once,
            Some(DeliveryState::Delivered) => Fate::Missing("it is recorded as delivered and never came"),
            // A cancelled one belongs to an endpoint that was deleted.
            Some(DeliveryState::Dead | DeliveryState::Cancelled) => Fate::Dead,
            Some(DeliveryState::InFlight) => Fate::Stuck("it is in flight for ever"),
            None => {
                let promised = match (target.deleted_at, post.accepted_at) {
                    (Some(deleted_at), Some(accepted_at)) => accepted_at < deleted_at,
                    _ => true,
                };
                if promised { Fate::Missing("it has no delivery") } else { Fate::NotPromised }
            }
        }
    }

    fn stuck(&self, row: &Row) -> Option<&'static str> {
        match (row.state, row.owner, row.pending) {
            (DeliveryState::InFlight, Some(owner), _) if self.state.nodes.contains(&owner) => {
                Some("a living node owns it and does not move it")
            }
            (DeliveryState::InFlight, ..) => Some("in flight, and its owner is no living node"),
            (DeliveryState::Waiting | DeliveryState::Held, _, None) => {
                Some("it waits and has no row in the queue")
            }
            (DeliveryState::Waiting | DeliveryState::Held, _, Some(pending))
                if pending.is_due && pending.is_open =>
            {
                Some("due, and nobody claims it")
            }
            _ => None,
        }
    }

    fn count(&mut self, fate: Fate, number: u32, message: Option<MessageId>, target: &Target) {
        let figures = &mut *self.figures;
        figures.pairs += usize::from(fate != Fate::NotPromised);
        let why = match fate {
            Fate::Once => return figures.once += 1,
            Fate::More => return figures.more += 1,
            Fate::Dead => return figures.dead += 1,
            Fate::Queued => return figures.queued += 1,
            Fate::NotPromised => return,
            Fate::Stuck(why) => {
                figures.stuck += 1;
                why
            }
            Fate::Missing(why) => {
                figures.missing += 1;
                why
            }
        };
        let what = if matches!(fate, Fate::Stuck(_)) { "stuck" } else { "missing" };
        *figures.causes.entry(format!("{what}: {why}")).or_default() += 1;
        let id = message.map(|id| id.to_string()).unwrap_or_default();
        self.example(format!("{what}: number {number} {id} at {}: {why}", target.id));
    }

    /// Whatever came belongs where it came, also what was never answered 202.
    fn account_for_arrivals(&mut self, posts: &[Post]) {
        let tenant_at: HashMap<u16, usize> = (0..)
            .zip(&self.laboratory.tenants)
            .flat_map(|(number, tenant)| {
                tenant.targets().into_iter().map(move |target| (target.place, number))
            })
            .collect();
        for ((place, message), (number, _)) in self.came {
            let tenant = tenant_at[place];
            let is_right = posts
                .get(usize::try_from(*number).unwrap())
                .is_some_and(|post| post.tenants.contains(&tenant));
            if !is_right {
                self.figures.wrong_tenant += 1;
                let id = message.to_string();
                self.example(format!("wrong tenant: number {number} {id} came to tenant {tenant}"));
            }
        }
    }

    fn example(&mut self, what: String) {
        if self.figures.examples.len() < EXAMPLES * 4 {
            self.figures.examples.push(what);
        }
    }
}
