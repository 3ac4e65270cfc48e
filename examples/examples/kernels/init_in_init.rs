//! A client is made at its first use; what makes it asks for the client, to log in.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::OnceCell;
use std::sync::Arc;

pub async fn play() {
    let client = Arc::new(OnceCell::new()); //~ new client
    let of_login = client.clone();
    task(async move {
        let login = async || if fixed() { 1 } else { *of_login.get_or_init(async || 2).await }; //~ wait main
        client.get_or_init(login).await; //~ hold main
    });
}
