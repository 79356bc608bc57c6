//! What callers of the API may take, and strangers among them.
//!
//! The cases of overload hold the process's largest resident size against 300 MiB, at the default settings, and print
//! what it was. `overload` puts each of them beside a neighbour, and at length where `make chaos` asks for it.

mod bodies;
mod bounds;
mod caps;
mod credentials;
mod crossing;
mod documents;
mod harm;
mod heads;
mod measure;
mod multiplexed;
mod names;
mod overload;
mod pages;
mod raw;
mod shares;
mod sizes;
mod strangers;
mod streams;
