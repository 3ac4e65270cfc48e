//! The loops. Each is a macro over the module that its primitives come from, so that raw and wrapped are the same text.
use crate::harness::{Loop, Random, Row, copy, repeat};
use crate::try_first;
use parking_lot::MutexGuard;
use std::hint::black_box;

/// A row: the loop in two copies over the original's module, and in two over the wrapper's.
macro_rules! row {
    ($name:expr, $operations:expr, $body:ident, $raw:ident, $($wrapped:ident)::+) => {{
        fn raw<const COPY: u64>() -> Loop {
            use ::$raw as module;
            $body!(module, COPY)
        }
        fn wrapped<const COPY: u64>() -> Loop {
            use $($wrapped)::+ as module;
            $body!(module, COPY)
        }
        Row { name: $name, operations: $operations, copies: [raw::<0>, raw::<1>, wrapped::<2>, wrapped::<3>] }
    }};
}

macro_rules! mutex {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::Mutex::new(0u64));
        repeat::<$copy>(move || *lock.lock() += 1)
    }};
}

macro_rules! nested {
    ($module:ident, $copy:ident) => {{
        let (outer, inner) = (Box::new($module::Mutex::new(0u64)), Box::new($module::Mutex::new(0u64)));
        repeat::<$copy>(move || {
            let mut held = outer.lock();
            *inner.lock() += *held;
            *held += 1;
        })
    }};
}

macro_rules! many {
    ($module:ident, $copy:ident, $count:expr) => {{
        let locks: Vec<_> = (0..$count).map(|value: u64| $module::Mutex::new(value)).collect();
        locks.iter().for_each(|lock| *lock.lock() += 1);
        let mut random = Random::new();
        repeat::<$copy>(move || *locks[random.below(locks.len())].lock() += 1)
    }};
}

macro_rules! one_in_1k {
    ($module:ident, $copy:ident) => {
        many!($module, $copy, 1_000)
    };
}

macro_rules! one_in_10k {
    ($module:ident, $copy:ident) => {
        many!($module, $copy, 10_000)
    };
}

macro_rules! one_in_100k {
    ($module:ident, $copy:ident) => {
        many!($module, $copy, 100_000)
    };
}

/// One of many, with about 100 ns of work in 64 KiB of memory under the lock.
macro_rules! beside_work {
    ($module:ident, $copy:ident) => {{
        let locks: Vec<_> = (0..100_000).map(|value: u64| $module::Mutex::new(value)).collect();
        locks.iter().for_each(|lock| *lock.lock() += 1);
        let (mut random, mut words, mut place) = (Random::new(), vec![1u64; 8 << 10], Random::new());
        repeat::<$copy>(move || {
            let mut held = locks[random.below(locks.len())].lock();
            *held += 1;
            for _ in 0..50 {
                let at = place.draw() & (words.len() as u64 - 1);
                words[at as usize] += at;
            }
        })
    }};
}

macro_rules! one_use {
    ($module:ident, $copy:ident) => {{
        repeat::<$copy>(|| {
            let lock = black_box($module::Mutex::new(0u64));
            *lock.lock() += 1;
            black_box(&lock);
        })
    }};
}

macro_rules! read {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::RwLock::new(0u64));
        repeat::<$copy>(move || _ = black_box(*lock.read()))
    }};
}

macro_rules! write {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::RwLock::new(0u64));
        repeat::<$copy>(move || *lock.write() += 1)
    }};
}

macro_rules! std_mutex {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::sync::Mutex::new(0u64));
        repeat::<$copy>(move || *lock.lock().unwrap() += 1)
    }};
}

macro_rules! std_read {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::sync::RwLock::new(0u64));
        repeat::<$copy>(move || _ = black_box(*lock.read().unwrap()))
    }};
}

macro_rules! std_write {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::sync::RwLock::new(0u64));
        repeat::<$copy>(move || *lock.write().unwrap() += 1)
    }};
}

/// A loop on a runtime of one thread.
fn on_tokio<const COPY: u64>(mut body: impl AsyncFnMut(u64) + 'static) -> Loop {
    let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
    copy::<COPY>(move |operations| runtime.block_on(body(operations)))
}

macro_rules! tokio_mutex {
    ($module:ident, $copy:ident) => {{
        let lock = Box::new($module::sync::Mutex::new(0u64));
        on_tokio::<$copy>(async move |n| {
            for _ in 0..n {
                *lock.lock().await += 1;
            }
        })
    }};
}

macro_rules! tokio_semaphore {
    ($module:ident, $copy:ident) => {{
        let permits = Box::new($module::sync::Semaphore::new(4));
        on_tokio::<$copy>(async move |n| {
            for _ in 0..n {
                drop(black_box(permits.acquire().await.unwrap()));
            }
        })
    }};
}

macro_rules! tokio_mpsc {
    ($module:ident, $copy:ident) => {{
        let (sender, mut receiver) = $module::sync::mpsc::channel(64);
        on_tokio::<$copy>(async move |n| {
            for i in 0..n {
                sender.send(i).await.unwrap();
                black_box(receiver.recv().await);
            }
        })
    }};
}

macro_rules! spawn_join {
    ($module:ident, $copy:ident) => {{
        on_tokio::<$copy>(async |n| {
            for i in 0..n {
                black_box($module::spawn(async move { i }).await.unwrap());
            }
        })
    }};
}

macro_rules! park_once {
    ($module:ident, $copy:ident) => {{
        on_tokio::<$copy>(async |n| {
            for i in 0..n {
                let task = async move {
                    ::tokio::task::yield_now().await;
                    i
                };
                black_box($module::spawn(task).await.unwrap());
            }
        })
    }};
}

/// Two tasks that hand one token to and fro: each parks once a round.
macro_rules! ping_pong {
    ($module:ident, $copy:ident) => {{
        on_tokio::<$copy>(async |n| {
            use $module::sync::mpsc;
            let ((ping, mut pinged), (pong, mut ponged)) = (mpsc::channel(1), mpsc::channel(1));
            let there = $module::spawn(async move {
                for i in 0..n {
                    ping.send(i).await.unwrap();
                    black_box(ponged.recv().await);
                }
            });
            let back = $module::spawn(async move {
                for i in 0..n {
                    black_box(pinged.recv().await);
                    pong.send(i).await.unwrap();
                }
            });
            there.await.unwrap();
            back.await.unwrap();
        })
    }};
}

/// A look-up in a map of a thousand keys.
macro_rules! map_get {
    ($module:ident, $copy:ident) => {{
        let map: $module::DashMap<u64, u64> = (0..1_000).map(|key| (key, key)).collect();
        let mut random = Random::new();
        repeat::<$copy>(move || _ = black_box(map.get(&(random.below(1_000) as u64)).map(|value| *value)))
    }};
}

/// An insert over one of a thousand keys.
macro_rules! map_insert {
    ($module:ident, $copy:ident) => {{
        let map: $module::DashMap<u64, u64> = (0..1_000).map(|key| (key, key)).collect();
        let mut random = Random::new();
        repeat::<$copy>(move || {
            let key = random.below(1_000) as u64;
            black_box(map.insert(key, key));
        })
    }};
}

macro_rules! cell_get {
    ($module:ident, $copy:ident) => {{
        let cell = Box::new($module::sync::OnceCell::new());
        cell.set(1u64).unwrap();
        repeat::<$copy>(move || _ = black_box(*black_box(&*cell).get_or_init(|| 2)))
    }};
}

macro_rules! send_receive {
    ($module:ident, $copy:ident) => {{
        let (sender, receiver) = $module::bounded(64);
        let mut value = 0u64;
        repeat::<$copy>(move || {
            value += 1;
            sender.send(value).unwrap();
            black_box(receiver.recv().unwrap());
        })
    }};
}

macro_rules! send_select {
    ($module:ident, $copy:ident) => {{
        let (sender, receiver) = $module::bounded(64);
        let (stop, stopped) = $module::bounded::<u64>(0);
        let mut value = 0u64;
        repeat::<$copy>(move || {
            let _lives = &stop;
            value += 1;
            sender.send(value).unwrap();
            $module::select! {
                recv(receiver) -> message => assert_eq!(message, Ok(value)),
                recv(stopped) -> _ => unreachable!(),
            }
        })
    }};
}

/// Every row of a mode.
pub fn rows(mode: &str) -> Vec<Row> {
    let name = |row: &str| format!("{mode}/{row}");
    vec![
        row!(name("parking_lot/mutex"), 100_000, mutex, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/mutex-nested"), 50_000, nested, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/mutex-1k"), 50_000, one_in_1k, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/mutex-10k"), 50_000, one_in_10k, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/mutex-100k"), 100_000, one_in_100k, parking_lot, lockprof::parking_lot),
        row!(
            name("parking_lot/mutex-100k-beside-work"),
            8_000,
            beside_work,
            parking_lot,
            lockprof::parking_lot
        ),
        row!(name("parking_lot/mutex-one-use"), 20_000, one_use, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/rwlock-read"), 100_000, read, parking_lot, lockprof::parking_lot),
        row!(name("parking_lot/rwlock-write"), 100_000, write, parking_lot, lockprof::parking_lot),
        row!(name("std/mutex"), 100_000, std_mutex, std, lockprof),
        row!(name("std/rwlock-read"), 100_000, std_read, std, lockprof),
        row!(name("std/rwlock-write"), 100_000, std_write, std, lockprof),
        row!(name("dashmap/get"), 50_000, map_get, dashmap, lockprof::dashmap),
        row!(name("dashmap/insert"), 50_000, map_insert, dashmap, lockprof::dashmap),
        row!(name("once_cell/get"), 100_000, cell_get, once_cell, lockprof::once_cell),
        row!(
            name("crossbeam/send-receive"),
            50_000,
            send_receive,
            crossbeam_channel,
            lockprof::crossbeam_channel
        ),
        row!(
            name("crossbeam/send-select"),
            20_000,
            send_select,
            crossbeam_channel,
            lockprof::crossbeam_channel
        ),
        row!(name("tokio/mutex"), 20_000, tokio_mutex, tokio, lockprof::tokio),
        row!(name("tokio/semaphore"), 20_000, tokio_semaphore, tokio, lockprof::tokio),
        row!(name("tokio/mpsc"), 10_000, tokio_mpsc, tokio, lockprof::tokio),
        row!(name("tokio/spawn-join"), 5_000, spawn_join, tokio, lockprof::tokio),
        row!(name("tokio/park-once"), 5_000, park_once, tokio, lockprof::tokio),
        row!(name("tokio/ping-pong"), 3_000, ping_pong, tokio, lockprof::tokio),
    ]
}

/// tokio with the stamps alone: for begin and end of each wait, for birth and end of a task.
mod stamped {
    use std::hint::black_box;

    pub mod sync {
        pub mod mpsc {
            pub use ::tokio::sync::mpsc::Sender;
            use std::hint::black_box;

            pub struct Receiver<T>(::tokio::sync::mpsc::Receiver<T>);

            pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
                let (sender, receiver) = ::tokio::sync::mpsc::channel(buffer);
                (sender, Receiver(receiver))
            }

            impl<T> Receiver<T> {
                #[inline(always)]
                pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                    (0..2).for_each(|_| _ = black_box(crate::bodies::stamp()));
                    self.0.recv()
                }
            }
        }
    }

    #[inline(always)]
    pub fn spawn<F>(future: F) -> ::tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        (0..4).for_each(|_| _ = black_box(super::stamp()));
        ::tokio::spawn(future)
    }
}

/// What cannot be undercut: the raw lock against itself, the originals by their own `try_…`, and both a lock and a task with
/// the stamps alone.
pub fn floor() -> Vec<Row> {
    fn stamped<const COPY: u64>(
        lock: impl Fn(&parking_lot::Mutex<u64>) -> MutexGuard<'_, u64> + 'static,
    ) -> Loop {
        let mutex = Box::new(parking_lot::Mutex::new(0u64));
        let (mut stamps, mut at) = (vec![[0u64; 2]; 4096], 0usize);
        repeat::<COPY>(move || {
            let mut held = lock(&mutex);
            let begin = stamp();
            *held += 1;
            stamps[at % 4096] = [begin, stamp() - begin];
            at += 1;
        })
    }
    fn two_stamps<const COPY: u64>() -> Loop {
        stamped::<COPY>(parking_lot::Mutex::lock)
    }
    fn by_try_lock<const COPY: u64>() -> Loop {
        stamped::<COPY>(|mutex| mutex.try_lock().unwrap_or_else(|| mutex.lock()))
    }
    let name = |row: &str| format!("floor/{row}");
    let raw = row!(name("parking_lot/raw"), 100_000, mutex, parking_lot, parking_lot);
    let stamps = |row: &str, wrapped: [fn() -> Loop; 2]| Row {
        name: name(row),
        copies: [raw.copies[0], raw.copies[1], wrapped[0], wrapped[1]],
        ..raw
    };
    vec![
        stamps("parking_lot/mutex", [two_stamps::<2>, two_stamps::<3>]),
        stamps("parking_lot/mutex-by-try_lock", [by_try_lock::<2>, by_try_lock::<3>]),
        row!(name("parking_lot/try_lock"), 100_000, mutex, parking_lot, try_first::parking_lot),
        row!(name("parking_lot/try_lock-nested"), 50_000, nested, parking_lot, try_first::parking_lot),
        row!(name("parking_lot/try_lock-1k"), 50_000, one_in_1k, parking_lot, try_first::parking_lot),
        row!(name("parking_lot/try_write"), 100_000, write, parking_lot, try_first::parking_lot),
        row!(name("std/try_lock"), 100_000, std_mutex, std, try_first),
        row!(name("std/try_write"), 100_000, std_write, std, try_first),
        row!(
            name("crossbeam/try_send"),
            50_000,
            send_receive,
            crossbeam_channel,
            try_first::crossbeam_channel
        ),
        row!(name("tokio/spawn-join"), 5_000, spawn_join, tokio, stamped),
        row!(name("tokio/ping-pong"), 3_000, ping_pong, tokio, stamped),
        raw,
    ]
}

#[cfg(target_arch = "x86_64")]
fn stamp() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn stamp() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
