//! Other services that Postrider works with: who signs people in, what takes e-mail, where traces go.

pub(super) mod openid;
pub(super) mod smtp;
pub(super) mod traces;
