//! A task locks an async mutex twice: it is not re-entrant.
use crate::stage::fixed;
use lockprof::tokio::sync::Mutex;

async fn deposit(account: &Mutex<u32>, sum: u32) {
    *account.lock().await += sum; //~ wait main
}

pub async fn play() {
    let account = Mutex::new(0); //~ new account
    let balance = account.lock().await; //~ hold main
    let sum = *balance + 1;
    if fixed() {
        drop(balance);
    }
    deposit(&account, sum).await;
}
