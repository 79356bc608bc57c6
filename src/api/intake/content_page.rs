//! Pages of lists that show content. Most are small and come at once. Large ones are read and written one at a time, on a
//! thread that serves nobody else, and with pauses while several wait (`page_turns.rs`): whoever reads many leaves the
//! processors to everything else.

use bytes::Bytes;
use http::HeaderName;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::api::error::ApiError;
use crate::domain::page::Stretch;
use crate::store::{ListedContent, StoreError};

use super::answer::HeldAnswer;
use super::blocking::on_blocking_thread;
use super::budget::{AnswerRoom, Budgets};
use super::limits::IntakeLimits;
use super::page_turns::PageTurns;

/// A page with no more content than this is small. One of this size is written in less than a millisecond.
const SMALL_PAGE_BYTES: usize = 256 << 10;

/// Reads and writes pages with content. Cheap to clone.
#[derive(Clone)]
pub struct ContentPages {
    budgets: Budgets,
    /// What a small page shows at most, and any page.
    small_bytes: usize,
    page_bytes: usize,
    /// What a small page takes at most: its first item is shown however large it is.
    small_room: usize,
    turns: PageTurns,
}

impl ContentPages {
    /// Pages within these limits, whose bytes come from these budgets.
    pub fn new(limits: &IntakeLimits, budgets: Budgets) -> Self {
        let small_bytes = SMALL_PAGE_BYTES.min(limits.page_bytes);
        Self {
            budgets,
            small_bytes,
            page_bytes: limits.page_bytes,
            small_room: small_bytes.max(limits.body_bytes),
            turns: PageTurns::default(),
        }
    }

    /// The page that `shape` makes of what `read` finds. A large one is read twice: only then is it known to be large.
    ///
    /// # Errors
    /// Those of `read` and `shape`, and [`ApiError::Overloaded`] when there is no room for a while.
    pub(in crate::api) async fn page<R, T, F>(
        &self,
        with_content: bool,
        read: impl Fn(ListedContent) -> F,
        shape: impl FnOnce(Stretch<R>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<ContentPage, ApiError>
    where
        R: Send + 'static,
        T: Serialize,
        F: Future<Output = Result<Stretch<R>, StoreError>>,
    {
        if !with_content {
            return written(&shape(read(ListedContent::Without).await?)?, None);
        }
        {
            let room = self.budgets.room_for_answer(self.small_room).await?;
            let found = read(ListedContent::Within(self.small_bytes)).await?;
            if !found.is_cut || self.small_bytes == self.page_bytes {
                return written(&shape(found)?, Some(room));
            }
        }
        let room = self.budgets.room_for_answer(self.page_bytes).await?;
        let turn = self.turns.wait().await?;
        let found = read(ListedContent::Within(self.page_bytes)).await?;
        let (page, turn) =
            on_blocking_thread(move || (shape(found).and_then(|shaped| written(&shaped, Some(room))), turn))
                .await?;
        turn.end();
        page
    }
}

/// A page as it is sent.
pub type ContentPage = HeldAnswer<([(HeaderName, &'static str); 1], Bytes)>;

/// Writes it.
///
/// # Errors
/// [`ApiError::Internal`] when it cannot be written.
pub(in crate::api) fn written(
    page: &impl Serialize,
    room: Option<AnswerRoom>,
) -> Result<ContentPage, ApiError> {
    let text = serde_json::to_vec(page).map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        ApiError::Internal
    })?;
    Ok(HeldAnswer { body: ([(CONTENT_TYPE, "application/json")], text.into()), room })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;
    use axum::response::IntoResponse as _;

    use super::*;

    fn pages(page_bytes: usize) -> ContentPages {
        let limits = IntakeLimits {
            body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(1),
            body_budget_bytes: 8 << 20,
            answer_budget_bytes: 32 << 20,
            page_bytes,
        };
        ContentPages::new(&limits, Budgets::new(&limits))
    }

    /// A list of so many items of 100 KiB, as far as they fit.
    async fn read(items: usize, content: ListedContent) -> Result<Stretch<String>, StoreError> {
        let all = vec!["x".repeat(100 << 10); items];
        Ok(match content {
            ListedContent::Without => all.iter().map(|_| String::new()).collect::<Vec<_>>().into(),
            ListedContent::Within(most) => Stretch::within(most, all, String::len),
        })
    }

    async fn shown(pages: &ContentPages, items: usize, with_content: bool) -> Vec<String> {
        let page =
            pages.page(with_content, |content| read(items, content), |found| Ok(found.rows)).await.unwrap();
        let text = to_bytes(page.into_response().into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[tokio::test]
    async fn small_and_large_pages_show_what_fits() {
        for (page_bytes, items, fitting) in [(4 << 20, 2, 2), (4 << 20, 10, 10), (4 << 20, 50, 40), (1, 2, 1)]
        {
            let found = shown(&pages(page_bytes), items, true).await;
            assert_eq!(found.len(), fitting);
            assert!(found.iter().all(|text| text.len() == 100 << 10));
        }
        assert_eq!(shown(&pages(4 << 20), 50, false).await, vec![String::new(); 50]);
    }

    #[tokio::test]
    async fn a_small_page_does_not_wait_for_a_large_one() {
        let pages = pages(4 << 20);
        let turn = pages.turns.wait().await.unwrap();
        assert_eq!(shown(&pages, 2, true).await.len(), 2);
        let large = tokio::spawn({
            let pages = pages.clone();
            async move { shown(&pages, 10, true).await.len() }
        });
        tokio::task::yield_now().await;
        assert!(!large.is_finished());
        turn.end();
        assert_eq!(large.await.unwrap(), 10);
    }
}
