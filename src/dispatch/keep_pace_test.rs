//! Queues that hold up those who make them longer, with the lanes themselves.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::keep_pace::keep_pace;
use super::lanes::turn_test::endpoint;
use super::lanes::{Admission, LaneLimits, Lanes};

const LIMITS: LaneLimits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };

#[test]
fn a_queue_holds_up_those_who_make_it_longer_until_it_is_short_again() {
    let mut lanes = Lanes::new(LIMITS);
    let now = Instant::now();
    let tenant = ApplicationId::generate();
    let (short, long) = (Arc::new(endpoint(tenant, None)), Arc::new(endpoint(tenant, None)));
    let both = [short.id, long.id, EndpointId::generate()];
    let fill = |lanes: &mut Lanes<usize>, endpoint: &Arc<Endpoint>, count: usize| {
        for item in 0..count {
            assert_eq!(lanes.reserve(endpoint), Admission::Reserved);
            assert_eq!(lanes.push_first(endpoint, item, now), None);
        }
    };
    // Two requests at once, and eight queue for each.
    fill(&mut lanes, &short, 16);
    fill(&mut lanes, &long, 15);
    assert_eq!(lanes.longest_queue(both.into_iter(), now).map(|queue| queue.endpoint), Some(short.id));
    assert!(lanes.longest_queue(both.into_iter().skip(1), now).is_none(), "fifteen hold nobody up");
    fill(&mut lanes, &long, 2);
    assert_eq!(lanes.longest_queue(both.into_iter(), now).map(|queue| queue.endpoint), Some(long.id));
    while lanes.next(now).is_some() {}
    assert!(lanes.longest_queue(both.into_iter(), now).is_none(), "two of each have gone");
}

/// What somebody finds who brings more for this endpoint, while the threads have time.
fn bring<'a>(
    lanes: &'a Mutex<Lanes<usize>>,
    endpoint: &Arc<Endpoint>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(keep_pace(|| lanes.lock().unwrap(), std::iter::once(endpoint.id), || false))
}

#[tokio::test]
async fn a_post_waits_for_a_lane_that_moves_and_not_for_one_that_does_not() {
    let now = Instant::now();
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), None));
    let lanes = Mutex::new(Lanes::new(LIMITS));
    let filled = |count: usize| {
        let mut lanes = lanes.lock().unwrap();
        for item in 0..count {
            assert_eq!(lanes.reserve(&endpoint), Admission::Reserved);
            assert_eq!(lanes.push_first(&endpoint, item, now), None);
        }
    };
    let context = &mut Context::from_waker(Waker::noop());
    filled(15);
    assert!(bring(&lanes, &endpoint).as_mut().poll(context).is_ready(), "fifteen hold nobody up");
    filled(2);
    let mut post = bring(&lanes, &endpoint);
    assert!(post.as_mut().poll(context).is_pending());
    lanes.lock().unwrap().next(now).expect("a request may be made");
    assert!(post.as_mut().poll(context).is_pending(), "the queue is as long as it may be");
    lanes.lock().unwrap().next(now).expect("two may be out at once");
    assert!(post.as_mut().poll(context).is_ready(), "one went, and one may come");
    // Nothing goes any more: the next one waits for a round, and those after it not at all.
    filled(2);
    bring(&lanes, &endpoint).await;
    assert!(bring(&lanes, &endpoint).as_mut().poll(context).is_ready(), "it does not move");
}
