//! Nothing orphaned, nothing crossed, nothing wedged: one test for each way in which that was once not so.

mod caches;
mod claims;
mod clocks;
mod erased;
mod gauges;
mod given_up;
mod homes;
mod names;
mod net;
mod outages;
mod refused;
mod reseal;
mod restore;
mod stop;
mod twin;
mod upgrade;
