//! Tasks go from pending over running to done. A supervisor that looked a while ago writes what it then thought right: it
//! sets tasks running that are done, and done that were never run. Fixed: each write says what it expects.
use State::{Done, Pending, Running};
use lockprof::map::StateMap;
use lockprof::thread;

const TASKS: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Pending,
    Running,
    Done,
}

type States = StateMap<u64, State>;

pub fn play(fixed: bool) {
    let states = States::with_transitions([(Pending, Running), (Running, Done)]); // planted: task-states
    for task in 0..TASKS {
        states.insert(task, Pending).expect("it is new");
    }
    let running = start(&states); // The supervisor has looked: these run.
    thread::scope(|scope| {
        let worker = scope.spawn(|| finish(&states, &running));
        worker.join().expect("the worker does not panic");
        let supervisor =
            scope.spawn(|| if fixed { supervise(&states, &running) } else { overwrite(&states, &running) });
        supervisor.join().expect("the supervisor does not panic");
    });
    let mut done = 0;
    states.for_each(|_, state| done += u64::from(*state == Done));
    println!("task_states: {done} of {TASKS} tasks are done");
}

/// Starts the first half of the tasks; which these are.
fn start(states: &States) -> Vec<u64> {
    let first = 0..TASKS / 2;
    first.filter(|task| states.compare_and_set(task, &Pending, Running).is_ok()).collect()
}

fn finish(states: &States, running: &[u64]) {
    for task in running {
        states.compare_and_set(task, &Running, Done).expect("nobody else finishes it"); // planted: task-done
    }
}

/// Takes the running tasks for lost and starts them again; closes the others.
fn overwrite(states: &States, running: &[u64]) {
    for task in running {
        states.set(*task, Running); // planted: done-overwritten
    }
    for task in TASKS / 2..TASKS {
        states.set(task, Done); // planted: never-run
    }
}

/// The same, for tasks that are still what they were.
fn supervise(states: &States, running: &[u64]) {
    let lost = running.iter().filter(|task| states.compare_and_set(task, &Running, Pending).is_ok()).count();
    assert_eq!(lost, 0, "all of them are done");
    for task in TASKS / 2..TASKS {
        if states.compare_and_set(&task, &Pending, Running).is_ok() {
            states.compare_and_set(&task, &Running, Done).expect("nobody else finishes it");
        }
    }
}
