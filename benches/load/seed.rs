//! Fills the database of a server of our own, inside Postgres: see `seed.sql`.

use std::time::Instant;

use sqlx::{AssertSqlSafe, PgConnection};

/// Runs the statements one by one, each in a transaction of its own, and says how long each took.
pub async fn seed(database: &mut PgConnection, attempts: u64) -> anyhow::Result<()> {
    let text = include_str!("seed.sql").replace("$attempts", &attempts.to_string());
    for statement in text.split(";\n\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        let began = Instant::now();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *database).await?;
        let code = statement.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
        println!("{:6.1} s  {}", began.elapsed().as_secs_f64(), code.chars().take(70).collect::<String>());
    }
    Ok(())
}
