//! What a filter of dead letters says in a statement, and its parameters: in one place, so that what is counted, shown,
//! replayed and discarded by a filter is the same. Only the list says it again (`history/dead_letter.rs`), which may be of
//! all environments.

/// A statement on the dead letters `l` of an environment that match a filter: what stands before its `WHERE`, and what after
/// the filter. `$1` is the environment, `$2` to `$8` are the
/// filter's; the statement's own parameters begin with `$9`. Whether letters are open, and which of them were picked by their
/// ids, the statement says itself.
macro_rules! filter_dead_letters {
    (
        $query:ident!($($row:ty)?), $name:literal, $before:literal, $after:literal,
        $environment:expr, $filter:expr, $($own:expr),* $(,)?
    ) => {
        sqlx::$query!(
            $($row,)?
            $name + "
            " + $before + "
            WHERE l.environment_id = $1
              AND ($2::uuid IS NULL OR l.application_id = $2)
              AND ($3::uuid IS NULL OR l.endpoint_id = $3)
              AND ($4::text IS NULL OR l.event_type = $4)
              AND ($5::text IS NULL OR l.reason = $5)
              AND ($6::smallint IS NULL OR l.last_status = $6)
              AND ($7::timestamptz IS NULL OR l.died_at >= $7)
              AND ($8::timestamptz IS NULL OR l.died_at < $8)
              " + $after,
            $environment,
            $filter.application_id.map($crate::domain::id::ApplicationId::uuid),
            $filter.endpoint_id.map($crate::domain::id::EndpointId::uuid),
            $filter.event_type.as_deref(),
            $filter.reason.map($crate::domain::delivery::dead_letter::DeathReason::name),
            $filter.status_code.map(u16::cast_signed),
            $filter.since,
            $filter.until,
            $($own),*
        )
    };
}

pub(in crate::store) use filter_dead_letters;
