//! The descriptors of this process, shared out so that a full listener never keeps a delivery or the database waiting
//! for a socket.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More would not be used.
const MAX_DESCRIPTORS: u64 = 1 << 16;
/// For the database, logs, the private Postgres and what the runtime needs.
const RESERVED_DESCRIPTORS: u64 = 96;

/// How many sockets each side may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketShares {
    /// Connections to the API.
    pub connections: u32,
    /// Requests to receivers at a time.
    pub deliveries: u32,
}

/// Raises the soft limit as far as the hard one allows, and returns it.
pub fn raised_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return MAX_DESCRIPTORS };
    let wanted = hard.min(MAX_DESCRIPTORS);
    if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
        return wanted;
    }
    soft
}

/// A delivery asks for a name over two sockets, and then connects to two addresses at a time; and for each delivery at a time
/// one connection is kept for the next.
const SOCKETS_PER_DELIVERY: u64 = 3;

/// What of the wanted numbers fits into `limit`.
pub fn shares(limit: u64, connections: u32, deliveries: u32, database: u32) -> SocketShares {
    let free = limit.saturating_sub(RESERVED_DESCRIPTORS + u64::from(database));
    let deliveries = u64::from(deliveries).min((free / (SOCKETS_PER_DELIVERY + 1)).max(1));
    let left = free.saturating_sub(deliveries * SOCKETS_PER_DELIVERY);
    let connections = u64::from(connections).min(left.max(1));
    SocketShares {
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        deliveries: u32::try_from(deliveries).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_kept_where_there_is_room() {
        assert_eq!(shares(65_536, 4_096, 2_048, 18), SocketShares { connections: 4_096, deliveries: 2_048 });
    }

    #[test]
    fn a_small_limit_is_shared() {
        let shared = shares(1_024, 4_096, 2_048, 18);
        assert_eq!(shared, SocketShares { connections: 229, deliveries: 227 });
        let used = u64::from(shared.connections)
            + SOCKETS_PER_DELIVERY * u64::from(shared.deliveries)
            + RESERVED_DESCRIPTORS
            + 18;
        assert!(used <= 1_024);
        let few = shares(64, 10, 10, 8);
        assert!(few.connections >= 1 && few.deliveries >= 1);
    }
}
