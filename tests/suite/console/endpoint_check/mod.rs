//! What a tenant tries its endpoint with: the four checks, the explained signature, the test inbox.

mod check;
mod customer;
mod inbox;
mod signature;
