//! Selections of crossbeam_channel: a thread waits for all of its operations at once, and what passes is counted where it was
//! selected. In every form of the macro, and by `Select`.
#![cfg(all(target_os = "linux", feature = "record", feature = "crossbeam-channel"))]
mod recording;

use lockprof::crossbeam_channel::{
    Receiver, Select, Sender, after, bounded, never, select, select_biased, unbounded,
};
use lockprof::thread;
use lockprof_trace::{Event, Kind, Operation, WaitEnd};
use recording::{Sleeper, Trace, line, record};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);
const LATE: Duration = Duration::from_secs(100);

/// Sends `message` once a thread waits that was told by `waiter`.
fn send_to<T>(waiter: &Sleeper, sender: &Sender<T>, message: T) {
    waiter.wait();
    sender.send(message).unwrap();
}

/// Two channels: the second has room for one message.
type Channels = (Sender<u32>, Receiver<u32>, Sender<u32>, Receiver<u32>);

fn channels(created: &mut [u32; 2]) -> Channels {
    *created = [line() + 1, line() + 2];
    let (one, of_one) = unbounded();
    let (two, of_two) = bounded(1);
    (one, of_one, two, of_two)
}

/// What is ready is taken without a wait, by whatever form of the macro.
fn ready((one, of_one, two, of_two): &Channels) {
    one.send(1).unwrap();
    let message = select! { recv(of_one) -> message => message, recv(of_two) -> _ => Err(crossbeam_error()) };
    assert_eq!(message, Ok(1));
    for end in [Some(of_one), None] {
        select_biased! {
            recv(end.unwrap_or(&never())) -> _ => panic!("there is nothing"),
            default => {}
        }
    }
    select! {
        send(two, 2) -> sent => { sent.unwrap() }
        recv(after(LATE)) -> _ => unreachable!(),
    }
    let shared = Arc::new(of_two.clone());
    let mut found = vec![];
    loop {
        select! {
            recv(shared) -> message => found.extend(message),
            default() => break,
        }
    }
    assert_eq!(found, [2]);
    // An end of the original's takes part.
    let (foreign, of_foreign) = ::crossbeam_channel::unbounded();
    foreign.send(3).unwrap();
    select! { recv(of_one) -> _ => unreachable!(), recv(of_foreign) -> message => assert_eq!(message, Ok(3)) }
}

fn crossbeam_error() -> lockprof::crossbeam_channel::RecvError {
    lockprof::crossbeam_channel::RecvError
}

/// Waits of each way, one after the other: returns their lines.
fn waits((one, of_one, two, of_two): &Channels) -> [u32; 5] {
    let mut lines = [0; 5];
    let sleeper = Sleeper::new();
    std::thread::scope(|scope| {
        scope.spawn(|| send_to(&sleeper, one, 4));
        lines[0] = line() + 2;
        sleeper.blocks();
        select! { recv(of_two) -> _ => unreachable!(), recv(of_one) -> message => assert_eq!(message, Ok(4)) }
    });
    lines[1] = line() + 1;
    select! { recv(of_one) -> _ => unreachable!(), recv(of_two) -> _ => unreachable!(), default(SOON) => {} }
    let mut list = Select::new_biased();
    let removed = list.recv(of_two);
    let [first, second] = [list.recv(of_one), list.recv(of_two)];
    list.remove(removed);
    let sleeper = Sleeper::new();
    std::thread::scope(|scope| {
        scope.spawn(|| send_to(&sleeper, two, 5));
        lines[2] = line() + 2;
        sleeper.blocks();
        let selected = list.select();
        assert_eq!((selected.index(), selected.recv(of_two)), (second, Ok(5)));
    });
    lines[3] = line() + 1;
    assert!(list.ready_timeout(SOON).is_err() && list.try_select().is_err());
    one.send(6).unwrap();
    assert_eq!(list.select_timeout(LATE).unwrap().recv(of_one), Ok(6));
    assert_eq!(first + 1, second);
    let (gone, of_gone) = bounded::<u32>(0);
    let sleeper = Sleeper::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sleeper.wait();
            drop(gone);
        });
        lines[4] = line() + 2;
        sleeper.blocks();
        select! { recv(of_gone) -> message => assert!(message.is_err()), recv(of_one) -> _ => unreachable!() }
    });
    lines
}

/// Lines, channels and ends of all waits of these channels that have ended.
fn told(trace: &Trace, operation: Operation) -> Vec<(u32, u64, Option<WaitEnd>)> {
    trace.waits(operation).into_iter().map(|wait| (wait.line, wait.object, wait.end)).collect()
}

#[test]
fn a_selection_waits_for_all_of_its_operations() {
    let mut created = [0; 2];
    let (mut lines, mut stuck) = ([0; 5], 0);
    let mut kept = None;
    let trace = record(|| {
        let channels = channels(&mut created);
        ready(&channels);
        lines = waits(&channels);
        // One that is not selected before the end.
        let (_, of_one, two, of_two) = channels.clone();
        two.send(7).unwrap();
        let sleeper = Arc::new(Sleeper::new());
        stuck = line() + 5;
        let waiting = thread::spawn({
            let sleeper = sleeper.clone();
            move || {
                sleeper.blocks();
                select! { recv(of_one) -> _ => {}, send(two, 8) -> _ => {} }
            }
        });
        sleeper.wait();
        kept = Some((channels, of_two, waiting));
    });
    let [one, two] = [(Kind::CrossbeamChannel, created[0]), (Kind::CrossbeamChannel, created[1])]
        .map(|(kind, line)| trace.object(kind, line));
    let gone = told(&trace, Operation::Recv).iter().find(|wait| wait.0 == lines[4]).expect("a wait").1;
    let expected = [
        (lines[0], one, Some(WaitEnd::Done)),
        (lines[1], one, Some(WaitEnd::TimedOut)),
        (lines[2], two, Some(WaitEnd::Done)),
        (lines[3], one, Some(WaitEnd::TimedOut)),
        (lines[4], gone, Some(WaitEnd::Disconnected)),
        (stuck, one, None),
    ];
    assert_eq!(told(&trace, Operation::Recv), expected);
    assert!(gone != one && gone != two);
    assert_eq!(told(&trace, Operation::Send), [(stuck, two, None)]);
    // Sent and received: 1, 4 and 6 by the first, 2 and 5 by the second, in which 7 stays.
    assert_eq!([one, one + 1, two, two + 1].map(|id| trace.counts(id).0), [3, 3, 3, 2]);
    let limited = |event: &Event<'_>| matches!(event, Event::OpenWait { limited: 1, .. });
    assert!(!trace.events().iter().any(limited));
    drop(kept);
}
