//! Who gets in, with what, and how they are shut out again.

mod api_keys;
mod portal_links;
mod roles;
mod withdrawn;

use serde_json::Value;

use crate::support::{Api, Tenant};

/// A portal's token of these wishes.
async fn portal(tenant: &Tenant, wishes: Value) -> Api {
    let path = format!("/auth/app-portal-access/{}", tenant.id);
    let made = tenant.api.post(&path, &wishes).await.expect(200);
    tenant.api.with_token(made["token"].as_str().unwrap())
}
