//! CPU samples: who runs is found, in which span, who sleeps is not, and a program that handles the signal itself is told so.
#![cfg(all(target_os = "linux", feature = "cpu", feature = "tokio"))]
use lockprof::tokio;
use lockprof_trace::file::Reader;
use lockprof_trace::{Event, Party};
use std::collections::HashMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::PathBuf;

/// The time on a core that a thread has had, in nanoseconds.
fn own_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Runs until the thread has had so much time on a core.
fn run(ms: u64) {
    let begin = own_time();
    while own_time() - begin < ms * 1_000_000 {
        black_box(());
    }
}

/// The same, in spans of which each is over sooner than the samples that were taken in it are told.
#[cfg(feature = "tracing")]
fn run_in_spans(ms: u64) {
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    let subscriber = tracing_subscriber::registry().with(lockprof::layer());
    let spans = || {
        for number in 0..ms {
            let request = info_span!("request", trace_id = number);
            request.in_scope(|| info_span!("sum").in_scope(|| run(1)));
        }
    };
    tracing::subscriber::with_default(subscriber, spans);
}

#[cfg(not(feature = "tracing"))]
use run as run_in_spans;

extern "C" fn another(_: i32) {}

fn trace(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lockprof-test-{}-{name}.bin", std::process::id()))
}

#[test]
fn who_runs_is_sampled() {
    // A handler of the program's own comes first.
    // SAFETY: a function that lives for ever and does nothing.
    let before = unsafe { libc::signal(libc::SIGPROF, another as *const () as usize) };
    let refused = lockprof::builder().path(trace("refused")).cpu(199).start().unwrap_err();
    assert!(refused.to_string().contains("handles SIGPROF itself"), "{refused}");
    // SAFETY: what was there before.
    unsafe { libc::signal(libc::SIGPROF, before) };

    let path = trace("sampled");
    let recording = lockprof::builder().path(&path).cpu(499).start().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut ran = 0;
    runtime.block_on(async {
        let (stop, sleep) = tokio::sync::oneshot::channel::<()>();
        let sleeper = tokio::spawn(async { drop(sleep.await) });
        ran = tokio::spawn(async {
            let begin = own_time();
            run_in_spans(300);
            own_time() - begin
        })
        .await
        .unwrap();
        drop(stop);
        sleeper.await.unwrap();
    });
    recording.finish();

    let mut reader = Reader::new(File::open(&path).unwrap()).unwrap();
    let (mut sampled, mut depth) = (HashMap::<Party, u64>::new(), 0);
    let (mut per_4s, mut followed) = (0, false);
    let (mut spans, mut within, mut in_spans) = (HashMap::new(), 0, HashMap::<u64, u64>::new());
    while let Some(event) = reader.next().unwrap() {
        let span = std::mem::take(&mut within);
        match event {
            Event::Session { ticks_per_4s, stacks, .. } => {
                (per_4s, followed) = (u128::from(ticks_per_4s), stacks == "frame pointers");
            }
            Event::CpuSample { party, ticks, stack, .. } => {
                assert!(stack != 0 && ticks > 0);
                *sampled.entry(party).or_default() += ticks;
                *in_spans.entry(span).or_default() += ticks;
            }
            Event::Within { span } => within = span,
            Event::Span { span, parent, name, trace_id, .. } => {
                spans.insert(span, (parent, name.into_owned(), trace_id.into_owned()));
            }
            Event::Stack { frames, .. } => depth = depth.max(frames.len()),
            Event::Lost { loss, count } => panic!("lost: {count} of {loss}"),
            _ => {}
        }
    }
    assert!(depth > 1 || !followed, "frame pointers are followed, where there are any");
    if cfg!(feature = "tracing") {
        let is_sum = |(parent, name, _): &&(u64, String, String)| {
            name == "sum"
                && spans.get(parent).is_some_and(|(_, name, id)| name == "request" && !id.is_empty())
        };
        let sum = |(span, ticks): (&u64, &u64)| spans.get(span).filter(is_sum).map(|_| *ticks);
        let (in_sums, all) = (in_spans.iter().filter_map(sum).sum::<u64>(), in_spans.values().sum::<u64>());
        assert!(in_sums > all / 2, "{in_sums} of {all} ticks: {in_spans:?} {spans:?}");
    }
    let (party, ticks) = sampled.into_iter().max_by_key(|(_, ticks)| *ticks).unwrap();
    let sampled = (u128::from(ticks) << 32) / per_4s;
    assert!(party.is_task(), "the task is known, not the thread alone");
    let ran = u128::from(ran);
    // Threads are found a little after they begin, and a period is not over at the end.
    assert!(sampled <= ran && sampled > ran / 2, "{sampled} of {ran} ns");
    fs::remove_file(path).unwrap();
}
