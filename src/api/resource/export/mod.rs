//! Everything of an application as one stream: a line of JSON (NDJSON) for each message, attempt or dead letter, the oldest
//! first. A page is read at a time, by an index, when the one before it was taken; so memory is bounded, no connection and
//! no snapshot is held in between, and whoever goes away ends it. A stream that breaks off on this side is cut, never ended
//! as if it were whole; it goes on after the last line that was got, by `cursor`.

mod attempts;
mod dead_letters;
mod messages;
mod query;
mod stream;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The payloads, or answers, of a page. The first of them always has its place.
const PAGE_BYTES: usize = 1 << 20;
/// Lines of a page.
const PAGE_LINES: i64 = 250;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    messages::routes().merge(attempts::routes()).merge(dead_letters::routes())
}
