//! The events of a trace: definitions, what happened, and the state at the end.
//!
//! One list serves every codec: see [`fields`](self::fields) for how an event writes and reads its fields.
//!
//! Times are ticks of the session's clock (see [`Event::Session`]); so are lengths of time. A site is the address of a
//! `core::panic::Location` in the recorded process: [`Event::Site`] tells its file, line and column. Ids start at 1;
//! 0 means "not known" everywhere.
mod fields;
mod party;

use crate::kind::{Change, End, HoldSource, Kind, Loss, Mode, Operation, Outcome, Role, TaskState, WaitEnd};
use fields::{events, field, owned};
use std::borrow::Cow;

pub use fields::{Get, Malformed, Put};
pub use party::Party;

events! {
    /// The recording begins: the first event of a trace.
    Session = 1 {
        /// Ticks of the clock at the begin.
        at: time,
        /// The same moment in nanoseconds since 1970.
        unix_ns: number,
        /// Ticks in 2^32 nanoseconds, so that a tick is `2^32 / this` ns.
        ticks_per_4s: number,
        /// Ticks in one step of the coarse clock: the resolution of coarse holds.
        coarse_ticks: number,
        /// What is recorded.
        mode: Mode,
        /// The process.
        pid: number,
        /// Its executable.
        exe: text,
        /// Where its shared memory lies, for who collects what it left; empty where it cannot be collected.
        memory: text,
        /// How stacks are captured: "frame pointers", "framehop", "unwinder" or "none".
        stacks: text,
        /// Version of the agent.
        agent: text,
    }
    /// A file mapped for execution: addresses in `start..end` are at `offset` in the file and on.
    Module = 2 {
        /// First address.
        start: address,
        /// End of its addresses.
        end: address,
        /// Where `start` lies in the file, in bytes.
        offset: number,
        /// What to subtract from an address to get the one in the file's own terms.
        bias: address,
        /// The file.
        path: text,
        /// Its build id in hexadecimal; empty where it has none.
        build_id: text,
    }
    /// A call site.
    Site = 3 {
        /// The address of its location.
        site: address,
        /// Source file.
        file: text,
        /// Line, from 1.
        line: number,
        /// Column, from 1.
        column: number,
    }
    /// A stack, innermost frame first: return addresses.
    Stack = 4 {
        /// Its number.
        stack: number,
        /// The frames.
        frames: addresses,
    }
    /// Objects of one kind created at one site. Its instances come and go; `Counts` tells how many there were.
    Class = 5 {
        /// Its number.
        class: number,
        /// What they are.
        kind: Kind,
        /// Where they were created; of tasks and threads: spawned.
        site: address,
        /// The type of what they hold or do, where known.
        type_name: text,
    }
    /// An id is given to an object. The `kind.ids() - 1` ids behind it are its further counts.
    Object = 6 {
        /// When.
        at: time,
        /// The id.
        object: number,
        /// Its class.
        class: number,
        /// Room of a channel, permits of a semaphore, of a runtime its [`Threads`](crate::Threads); 0 where there is none.
        capacity: number,
    }
    /// An object is given a name by the program.
    Name = 7 {
        /// The id.
        object: number,
        /// The name.
        name: text,
    }
    /// A tracing span that something happened in: those of one place in one enclosing span, with one trace id, are one.
    Span = 8 {
        /// Its number.
        span: number,
        /// The number of the span that encloses it; 0 where none does.
        parent: number,
        /// Its name.
        name: text,
        /// Its target: by default the module.
        target: text,
        /// Source file of the place that makes it; empty where not known.
        file: text,
        /// Line, from 1.
        line: number,
        /// Its trace id, as the program told it; empty where it has none of its own.
        trace_id: text,
    }
    /// A thread is first seen.
    Thread = 10 {
        /// When; of one that was spawned through lockprof, when that was.
        at: time,
        /// Which.
        thread: party,
        /// Who spawned it, where known.
        parent: party,
        /// Class of threads spawned at its line; 0 where it was not spawned through lockprof.
        class: number,
        /// The system's number for it.
        os_id: number,
        /// Its name, where it has one.
        name: text,
    }
    /// A thread ends.
    ThreadEnd = 11 {
        /// When.
        at: time,
        /// Which.
        thread: party,
        /// How.
        outcome: Outcome,
    }
    /// A task is spawned.
    Task = 12 {
        /// When.
        at: time,
        /// Which.
        task: party,
        /// Who spawned it.
        parent: party,
        /// Class of tasks spawned at its line.
        class: number,
        /// The runtime that polls it, as an object; 0 where not known.
        runtime: number,
    }
    /// A task ends.
    TaskEnd = 13 {
        /// When.
        at: time,
        /// Which.
        task: party,
        /// How.
        outcome: Outcome,
        /// How often it was polled.
        polls: number,
    }
    /// A wait that has ended. A wait that has not is an [`Event::OpenWait`].
    Wait = 20 {
        /// When it ended.
        at: time,
        /// How long it lasted.
        ticks: number,
        /// Who waited.
        party: party,
        /// On which object; 0 for the end of a task or thread.
        object: number,
        /// Doing what.
        operation: Operation,
        /// Where.
        site: address,
        /// The stack; 0 where none was captured.
        stack: number,
        /// How it ended.
        end: WaitEnd,
        /// Who held the object at some moment of the wait, or whose end was waited for.
        holder: party,
        /// Where that one had taken it.
        holder_site: address,
    }
    /// A hold that has ended: one that the coarse clock noticed, or a sampled one.
    Hold = 21 {
        /// When it ended.
        at: time,
        /// How long it lasted.
        ticks: number,
        /// Who held.
        party: party,
        /// What.
        object: number,
        /// Where it was taken.
        site: address,
        /// How its length is known. One hold may be told by two sources.
        source: HoldSource,
    }
    /// A handle is gone. Told only once tasks have been abandoned (`WaitEnd::Abandoned`): it was there until then.
    HandleEnd = 22 {
        /// When.
        at: time,
        /// As in [`Event::Handle`].
        object: number,
        /// As in [`Event::Handle`].
        role: Role,
        /// As in [`Event::Handle`].
        party: party,
        /// As in [`Event::Handle`].
        site: address,
        /// As in [`Event::Handle`].
        since: time,
        /// As in [`Event::Handle`].
        count: number,
        /// Who dropped it: an abandoned task, where the drop is part of the shutdown.
        by: party,
        /// As in [`Event::Handle`].
        moved: number,
    }
    /// A watcher is registered.
    Watcher = 23 {
        /// When.
        at: time,
        /// Its id as an object.
        object: number,
        /// Who registered it.
        party: party,
        /// Where.
        site: address,
    }
    /// A watcher is released.
    WatcherEnd = 24 {
        /// When.
        at: time,
        /// Its id as an object.
        object: number,
        /// Values delivered to it.
        delivered: number,
    }
    /// How many live parties and objects a class has: told now and then where it changed.
    Population = 25 {
        /// When.
        at: time,
        /// The class.
        class: number,
        /// Instances alive.
        live: number,
    }
    /// A party that holds something began to do what may wait as long as it must; or a try failed because the party itself
    /// holds the object. Told once for each thread, object and innermost thing held.
    Nested = 26 {
        /// When.
        at: time,
        /// Who.
        party: party,
        /// The id that counts it: of a read lock another than the object's own; 0 for an end that is waited for.
        object: number,
        /// Doing what.
        operation: Operation,
        /// Where; 0 for an await, of which only the guard's line is known.
        site: address,
        /// What it held, outermost first: of each the id that counts it, and where it was taken.
        held: addresses,
    }
    /// What the next event tells happened in this span: a wait, a hold, or that a task was spawned. Both are written at once.
    Within = 27 {
        /// As in [`Event::Span`].
        span: number,
    }
    /// A task was polled for long while others were ready and not polled. As a thread of the recorder saw it from outside: to
    /// some milliseconds.
    LongPoll = 28 {
        /// When it was seen to have ended.
        at: time,
        /// How long it lasted when it was last seen, without the time in which its thread had no core.
        ticks: number,
        /// Which.
        task: party,
        /// How many others were ready and not polled, at most.
        waiting: number,
        /// One of them.
        waiter: party,
    }
    /// How many messages wait in a channel without bound: told now and then where it has changed much.
    Backlog = 29 {
        /// When.
        at: time,
        /// The channel.
        object: number,
        /// Messages sent and not received.
        waiting: number,
    }
    /// A state of a `StateMap` was written against what is there, was refused, or overwrote what nobody had looked at; in
    /// full mode every write of a key that is there.
    StateChange = 30 {
        /// When.
        at: time,
        /// The map.
        object: number,
        /// The key: a hash salted by the process.
        key: number,
        /// What it came to.
        change: Change,
        /// Who writes.
        party: party,
        /// Where.
        site: address,
        /// Name of the state that it met; empty where the key was not there, or where the state has no name.
        from: text,
        /// Name of the state that it expected; empty where it did not look.
        expected: text,
        /// Name of the state that was to be.
        to: text,
        /// Who wrote the state that it met; nobody where that was before the recording.
        writer: party,
        /// Where.
        writer_site: address,
        /// When; 0 where that was before the recording.
        written: time,
    }
    /// A map moved to more room, or to less, while it was locked for writing; told of maps of some size.
    Growth = 31 {
        /// When it had.
        at: time,
        /// How long it took.
        ticks: number,
        /// The map.
        object: number,
        /// Who did it.
        party: party,
        /// Where.
        site: address,
        /// Keys that were there, before what was put in.
        keys: number,
        /// Keys that there was room for.
        from: number,
        /// Keys that there is room for.
        to: number,
        /// Bytes of a key with its value, without what they point to; 0: not known.
        entry_bytes: number,
    }
    /// A read found a value that was older than one whose write had been complete before the read began.
    StaleRead = 32 {
        /// When.
        at: time,
        /// The versions that were asked: `Kind::Versions`.
        object: number,
        /// The key: a hash salted by the process.
        key: number,
        /// Who reads.
        party: party,
        /// Where.
        site: address,
        /// The version that was found.
        version: number,
        /// The version that is complete.
        latest: number,
        /// Who wrote that.
        writer: party,
        /// Where.
        writer_site: address,
        /// When that was complete.
        written: time,
    }
    /// One pass over values that are written together found some of different versions.
    TornRead = 33 {
        /// When.
        at: time,
        /// The versions that were asked: `Kind::Versions`.
        object: number,
        /// The key of what is written together: a hash salted by the process.
        key: number,
        /// Who reads.
        party: party,
        /// Where the pass began.
        site: address,
        /// The oldest version that was found.
        oldest: number,
        /// The newest.
        newest: number,
        /// Who writes, or wrote, that; nobody where another write has begun since.
        writer: party,
        /// Where; 0 where not known.
        writer_site: address,
        /// When that write began; 0 where not known.
        written: time,
    }
    /// Somebody was added to a wait group after a wait for it had returned.
    LateAdd = 34 {
        /// When.
        at: time,
        /// The wait group.
        object: number,
        /// Who adds.
        party: party,
        /// Where.
        site: address,
        /// Who had waited.
        waiter: party,
        /// Where.
        waiter_site: address,
        /// When that wait returned.
        returned: time,
    }
    /// A wait for the shard of a map has ended, that was for one key.
    KeyWait = 35 {
        /// When it ended.
        at: time,
        /// How long it lasted.
        ticks: number,
        /// The shard.
        object: number,
        /// The key: the low half of a hash salted by the process.
        key: number,
    }
    /// A thread was found running.
    CpuSample = 36 {
        /// When.
        at: time,
        /// For whom it ran: the task, else the thread; nobody where the thread has recorded nothing yet.
        party: party,
        /// The system's number for the thread.
        os_id: number,
        /// The stack.
        stack: number,
        /// How much of the thread's time on a core it stands for.
        ticks: number,
    }
    /// How far the clocks of two cores are apart at most, as measured when the recording started.
    Skew = 37 {
        /// Ticks.
        ticks: number,
        /// Ticks by which that may be wrong.
        uncertain: number,
        /// Cores that were compared.
        cores: number,
    }
    /// How many threads and tasks of the process live whose doings are not recorded. Threads: neither its first, nor spawned
    /// through lockprof, nor a runtime's. Tasks: spawned through tokio itself. Told where it changes, some milliseconds late, and
    /// at the end.
    Unseen = 38 {
        /// When.
        at: time,
        /// How many.
        others: number,
        /// When one of them may have run last.
        ran: time,
    }
    /// A class's objects are made by a library, or nobody knows where: its site is where one was used first.
    MadeByLibrary = 39 {
        /// The class.
        class: number,
    }
    /// The state at the end: a wait that has not ended.
    OpenWait = 40 {
        /// When it began.
        since: time,
        /// As in [`Event::Wait`].
        party: party,
        /// As in [`Event::Wait`].
        object: number,
        /// As in [`Event::Wait`].
        operation: Operation,
        /// As in [`Event::Wait`].
        site: address,
        /// As in [`Event::Wait`].
        stack: number,
        /// As in [`Event::Wait`]; of a wait for a signal, who gave the last one, which came before this wait.
        holder: party,
        /// As in [`Event::Wait`]; of a wait for a signal, where that was given.
        holder_site: address,
        /// 1: it gives up when its time is up; else 0.
        limited: number,
    }
    /// The state at the end: a guard, a permit, or an end of a channel that is alive.
    Handle = 41 {
        /// The object that it belongs to.
        object: number,
        /// What it is to that object.
        role: Role,
        /// Who holds the guard; of a channel's end: who used it last, or made it.
        party: party,
        /// Where it was taken or made.
        site: address,
        /// Since when; of what a thread holds, to one step of the coarse clock.
        since: time,
        /// Permits that it stands for; of a channel's end: how often it was used.
        count: number,
        /// 1: it was captured by the closure of its party, as that was spawned; 2: it is an owned guard's, which what its
        /// party spawned may have taken along; 3: it is an end that was seen in the future of its party, as that was spawned by
        /// whoever had it; else 0. And 4 more where its party has locked something since it was made, and may have left it
        /// there; 8 more where it was used in a static.
        moved: number,
    }
    /// The state at the end: a task that has not ended.
    OpenTask = 42 {
        /// Which.
        task: party,
        /// What it was doing.
        state: TaskState,
        /// How often it was polled.
        polls: number,
        /// When it was last polled.
        polled: time,
        /// Clones of its waker that lie somewhere, plus one; 0 where they are not counted.
        wakers: number,
    }
    /// What one id has counted, from the begin to the end.
    Counts = 43 {
        /// The id: the object's own, or one behind it (see `Kind::count`).
        object: number,
        /// How often, exactly.
        count: number,
        /// How often with a wait.
        contended: number,
        /// Sum of the waits.
        wait_ticks: number,
        /// The longest wait.
        wait_max: number,
        /// Sum of the holds by the coarse clock: an estimate without bias.
        hold_ticks: number,
        /// The longest hold that is known.
        hold_max: number,
        /// How many objects have had this id, one after the other.
        instances: number,
        /// Whether one has it now.
        live: number,
    }
    /// Something is missing.
    Lost = 44 {
        /// What.
        loss: Loss,
        /// How much of it.
        count: number,
    }
    /// The state at the end: when an end of a channel was dropped last. Whoever had it could have served the other side until then.
    EndDropped = 46 {
        /// When, to one step of the coarse clock.
        at: time,
        /// The channel.
        object: number,
        /// Which of its ends.
        role: Role,
    }
    /// The recording ends: the last event of a whole trace.
    Finish = 45 {
        /// When.
        at: time,
        /// How.
        end: End,
        /// What stopped the recording early, if anything did.
        reason: text,
    }
}

impl Event<'_> {
    /// Whether others are told by it, now or later: it must stay where they stay. These events have the numbers below 10.
    pub const fn is_definition(&self) -> bool {
        self.number() < 10
    }
}
