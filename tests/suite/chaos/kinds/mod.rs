//! The faults, by what they strike.

pub mod clock;
pub mod connection;
pub mod disk;
pub mod locks;
pub mod operators;
pub mod overload;
pub mod postgres;
pub mod process;
pub mod receivers;
