//! A lane whose limits hold for all nodes together has a home, and no home is one that nobody can give up.

use std::time::Duration;

use postrider::domain::id::MessageId;
use postrider::store::{Joined, Takeover};

use crate::support::Database;
use crate::support::store::store;

#[tokio::test]
async fn a_home_of_a_node_that_nobody_knows_is_freed() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let joined = store
        .queue
        .join_node("one", "here", Takeover::IfStale, Duration::from_secs(20), MessageId::generate())
        .await
        .unwrap();
    let Joined::As { epoch, .. } = joined else { panic!("{joined:?}") };
    let [known, unknown] = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    for (subject, epoch) in [(known, epoch), (unknown, 999_999)] {
        sqlx::query("INSERT INTO lane_home VALUES ($1, $2)")
            .bind(subject)
            .bind(epoch)
            .execute(&database.pool)
            .await
            .unwrap();
    }
    let homes = store.queue.take_homes(epoch, &[known, unknown]).await.unwrap();
    assert_eq!((homes[&known], homes[&unknown]), (true, false));
    store.queue.free_homes_of_silent_nodes().await.unwrap();
    let homes = store.queue.take_homes(epoch, &[known, unknown]).await.unwrap();
    assert_eq!((homes[&known], homes[&unknown]), (true, true));
}
