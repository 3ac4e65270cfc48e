//! The service's HTTP interface. Bodies are plain text: a number, or a word on what went wrong.

use crate::Service;
use crate::sessions::Token;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::sync::Arc;

type Answer = Result<String, StatusCode>;

/// The routes and what answers them.
pub fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route("/users/{user}/sessions", post(open_session))
        .route("/sessions/{session}", get(who_am_i))
        .route("/sessions/{session}/orders/{cents}", post(place_order))
        .route("/orders", get(total))
        .with_state(service)
}

async fn open_session(State(service): State<Arc<Service>>, Path(user): Path<u64>) -> String {
    service.sessions.open(user).to_string()
}

async fn who_am_i(State(service): State<Arc<Service>>, Path(session): Path<Token>) -> Answer {
    let user = service.sessions.touch(session).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(user.to_string())
}

async fn place_order(
    State(service): State<Arc<Service>>,
    Path((session, cents)): Path<(Token, u64)>,
) -> Answer {
    let user = service.sessions.touch(session).ok_or(StatusCode::UNAUTHORIZED)?;
    let order = service.orders.place(user, cents).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(order.to_string())
}

async fn total(State(service): State<Arc<Service>>) -> String {
    let (orders, cents) = service.orders.total().await;
    format!("{orders} {cents}")
}
