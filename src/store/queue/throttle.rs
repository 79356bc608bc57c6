//! What receivers asked for when they said that they are asked too often: written down for other nodes, and for after a
//! restart.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::id::EndpointId;
use crate::store::StoreError;

use super::QueueStore;

/// Throttles in one notice, which has room for 8,000 bytes.
pub const MAX_THROTTLES_PER_NOTICE: usize = 80;
/// More are not loaded; they are found out again.
const MAX_LOADED: i64 = 100_000;

/// What a receiver asked for, by durations from now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThrottleNote {
    /// Whose receiver.
    pub endpoint_id: EndpointId,
    /// Nothing is sent before.
    pub closed_for: Duration,
    /// For so long the rate holds.
    pub kept_for: Duration,
    /// Requests a second.
    pub learned_rate: f64,
}

impl ThrottleNote {
    fn in_notice(&self) -> String {
        let Self { endpoint_id, closed_for, kept_for, learned_rate } = self;
        let id = endpoint_id.uuid().simple();
        format!("{id}:{}:{}:{learned_rate:.3}", closed_for.as_millis(), kept_for.as_millis())
    }

    fn from_notice(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let note = Self {
            endpoint_id: EndpointId::from(parts.next()?.parse::<Uuid>().ok()?),
            closed_for: Duration::from_millis(parts.next()?.parse().ok()?),
            kept_for: Duration::from_millis(parts.next()?.parse().ok()?),
            learned_rate: parts.next()?.parse().ok().filter(|rate: &f64| rate.is_finite())?,
        };
        parts.next().is_none().then_some(note)
    }
}

/// The throttles of a notice. `None` if any cannot be read.
pub(super) fn read_throttles(payload: &str) -> Option<Vec<ThrottleNote>> {
    payload.split(',').map(ThrottleNote::from_notice).collect()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl QueueStore {
    /// Writes down what receivers asked for, at most [`MAX_THROTTLES_PER_NOTICE`], and tells every node.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn note_throttles(&self, notes: &[ThrottleNote]) -> Result<(), StoreError> {
        let endpoints: Vec<Uuid> = notes.iter().map(|note| note.endpoint_id.uuid()).collect();
        let closed_ms: Vec<i64> = notes.iter().map(|note| milliseconds(note.closed_for)).collect();
        let kept_ms: Vec<i64> = notes.iter().map(|note| milliseconds(note.kept_for)).collect();
        let rates: Vec<f64> = notes.iter().map(|note| note.learned_rate).collect();
        let told: Vec<String> = notes.iter().map(ThrottleNote::in_notice).collect();
        sqlx::query!(
            r#"-- endpoint_throttle::note
            WITH noted AS (
                INSERT INTO endpoint_throttle AS t (endpoint_id, throttled_since, closed_until, learned_rate, kept_until)
                SELECT r.endpoint_id, now(), now() + r.closed_ms * interval '1 ms', r.rate,
                       now() + r.kept_ms * interval '1 ms'
                FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::double precision[])
                    AS r(endpoint_id, closed_ms, kept_ms, rate)
                ORDER BY r.endpoint_id
                ON CONFLICT (endpoint_id) DO UPDATE
                SET throttled_since = CASE WHEN t.kept_until > now() THEN t.throttled_since ELSE now() END,
                    closed_until = greatest(t.closed_until, excluded.closed_until),
                    learned_rate = excluded.learned_rate,
                    kept_until = greatest(t.kept_until, excluded.kept_until)
                RETURNING endpoint_id
            )
            SELECT pg_notify('postrider_pace' || current_setting('postrider.cell'), $5) AS told FROM (SELECT count(*) FROM noted) n"#,
            &endpoints,
            &closed_ms,
            &kept_ms,
            &rates,
            format!("throttled {}", told.join(",")),
        )
        .fetch_one(&self.claims)
        .await?;
        Ok(())
    }

    /// What receivers asked for that still holds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn throttles(&self) -> Result<Vec<ThrottleNote>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint_throttle::load
            SELECT endpoint_id, learned_rate,
                   ceil(extract(epoch FROM closed_until - now()) * 1000)::bigint AS "closed_ms!",
                   ceil(extract(epoch FROM kept_until - now()) * 1000)::bigint AS "kept_ms!"
            FROM endpoint_throttle WHERE kept_until > now() ORDER BY kept_until DESC LIMIT $1"#,
            MAX_LOADED,
        )
        .fetch_all(&self.claims)
        .await?;
        let duration = |ms: i64| Duration::from_millis(ms.max(0).unsigned_abs());
        Ok(rows
            .into_iter()
            .map(|row| ThrottleNote {
                endpoint_id: row.endpoint_id.into(),
                closed_for: duration(row.closed_ms),
                kept_for: duration(row.kept_ms),
                learned_rate: row.learned_rate,
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let note = ThrottleNote {
            endpoint_id: EndpointId::generate(),
            closed_for: Duration::from_millis(1_500),
            kept_for: Duration::from_secs(600),
            learned_rate: 4.25,
        };
        let told = note.in_notice();
        assert_eq!(read_throttles(&format!("{told},{told}")), Some(vec![note, note]));
        for unreadable in ["nonsense", &format!("{told}:more"), &told.replace("4.250", "NaN")] {
            assert_eq!(read_throttles(&format!("{told},{unreadable}")), None, "{unreadable}");
        }
    }

    #[test]
    fn a_notice_has_room_for_as_many_as_are_told_at_once() {
        let note = ThrottleNote {
            endpoint_id: EndpointId::generate(),
            closed_for: Duration::from_secs(3_600),
            kept_for: Duration::from_secs(4_200),
            learned_rate: 100_000.0,
        };
        assert!((note.in_notice().len() + 1) * MAX_THROTTLES_PER_NOTICE < 7_900);
    }
}
