//! Long queues that posts wait for, with the lanes themselves, and the load of threads.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use crate::dispatch::lanes::tests::endpoint;
use crate::dispatch::lanes::{Admission, LaneLimits, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::{ThreadLoad, wait_for_long_queues};

const LIMITS: LaneLimits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };

#[test]
fn posts_wait_for_a_long_queue_until_it_is_short_again() {
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
    assert_eq!(lanes.longest_queue(both.into_iter()).map(|queue| queue.endpoint), Some(short.id));
    assert!(lanes.longest_queue(both.into_iter().skip(1)).is_none(), "nobody waits for fifteen");
    fill(&mut lanes, &long, 2);
    assert_eq!(lanes.longest_queue(both.into_iter()).map(|queue| queue.endpoint), Some(long.id));
    while lanes.next(now).is_some() {}
    assert!(lanes.longest_queue(both.into_iter()).is_none(), "two of each were sent");
}

/// A post to this endpoint, while the threads are not saturated.
fn post<'a>(
    lanes: &'a Mutex<Lanes<usize>>,
    endpoint: &Arc<Endpoint>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(wait_for_long_queues(|| lanes.lock().unwrap(), std::iter::once(endpoint.id), || false))
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
    assert!(post(&lanes, &endpoint).as_mut().poll(context).is_ready(), "nobody waits for fifteen");
    filled(2);
    let mut waiting = post(&lanes, &endpoint);
    assert!(waiting.as_mut().poll(context).is_pending());
    lanes.lock().unwrap().next(now).expect("a request may be made");
    assert!(waiting.as_mut().poll(context).is_pending(), "the queue is as long as it may be");
    lanes.lock().unwrap().next(now).expect("two may be out at once");
    assert!(waiting.as_mut().poll(context).is_ready(), "one was sent, and one may come");
    // Nothing is sent any more: the next post waits once, and those after it not at all.
    filled(2);
    post(&lanes, &endpoint).await;
    assert!(post(&lanes, &endpoint).as_mut().poll(context).is_ready(), "it does not move");
}

#[tokio::test]
async fn nobody_waits_for_a_lane_from_its_first_timeouts_on() {
    let now = Instant::now();
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), None));
    let lanes = Mutex::new(Lanes::new(LIMITS));
    let context = &mut Context::from_waker(Waker::noop());
    {
        let mut lanes = lanes.lock().unwrap();
        for item in 0..2 {
            assert_eq!(lanes.reserve(&endpoint), Admission::Reserved);
            assert_eq!(lanes.push_first(&endpoint, item, now), None);
            assert!(lanes.next(now).is_some());
        }
        lanes.finished_soon(endpoint.id, LoadSignal::Overload, now);
        for item in 0..100 {
            assert_eq!(lanes.reserve(&endpoint), Admission::Reserved);
            assert_eq!(lanes.push_first(&endpoint, item, now), None);
        }
    }
    assert!(post(&lanes, &endpoint).as_mut().poll(context).is_ready());
    // Also much later, though nobody has tried whether it moves by waiting.
    for minute in 1..5 {
        let now = now + Duration::from_secs(60) * minute;
        let mut lanes = lanes.lock().unwrap();
        lanes.finished_soon(endpoint.id, LoadSignal::Overload, now);
        assert!(lanes.next(now).is_some());
        assert!(lanes.longest_queue(std::iter::once(endpoint.id)).is_none());
    }
}

#[test]
fn threads_that_are_busy_all_the_time_are_saturated_and_idle_ones_are_not() {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let load = ThreadLoad::new();
    // It is measured again only after a while.
    let eventually = |expected: bool| {
        let give_up = Instant::now() + Duration::from_secs(20);
        while load.is_saturated(threads.handle()) != expected {
            assert!(Instant::now() < give_up, "never {expected}");
        }
    };
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let busy = threads.spawn(async move {
        while stopped.try_recv().is_err() {
            // Busy time is counted by turns of the scheduler.
            tokio::task::yield_now().await;
        }
    });
    eventually(true);
    stop.send(()).unwrap();
    threads.block_on(busy).unwrap();
    eventually(false);
}
