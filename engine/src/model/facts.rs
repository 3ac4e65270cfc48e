//! The plain facts of a trace, as its events tell them.
use lockprof_trace::memory::entry::{CAPTURED, IS_GLOBAL, MAY_BE_SHELVED, MOVED, TRAVELS};
use lockprof_trace::{End, Event, Kind, Mode, Operation, Party, Role, TaskState};

/// The process, its clock, and how the recording went. Times in ticks.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The begin.
    pub at: u64,
    /// The same in nanoseconds since 1970.
    pub unix_ns: u64,
    /// Ticks in 2^32 ns; 0 where it is not known, and a tick is taken as a nanosecond.
    pub ticks_per_4s: u64,
    /// Ticks in a step of the coarse clock.
    pub coarse_ticks: u64,
    /// What was recorded.
    pub mode: Option<Mode>,
    /// The process.
    pub pid: u64,
    /// Its executable.
    pub exe: String,
    /// How stacks were captured.
    pub stacks: String,
    /// How far the clocks of two cores were apart, give or take, in ticks, where that was measured.
    pub skew: Option<(u64, u64)>,
    /// Version of the agent.
    pub agent: String,
    /// When the recording ended, where that was told.
    pub ended_at: Option<u64>,
    /// How it ended.
    pub end: Option<End>,
    /// What stopped it early, if anything did.
    pub reason: String,
}

impl Session {
    pub(super) fn begin(&mut self, event: &Event<'_>) {
        let Event::Session { at, unix_ns, ticks_per_4s, coarse_ticks, mode, pid, exe, stacks, agent, .. } =
            event
        else {
            return;
        };
        self.at = *at;
        self.unix_ns = *unix_ns;
        self.ticks_per_4s = *ticks_per_4s;
        self.coarse_ticks = *coarse_ticks;
        self.mode = Some(*mode);
        self.pid = *pid;
        self.exe = exe.as_ref().into();
        self.stacks = stacks.as_ref().into();
        self.agent = agent.as_ref().into();
    }

    pub(super) fn finish(&mut self, at: u64, end: End, reason: &str) {
        self.ended_at = Some(at);
        self.end = Some(end);
        self.reason = reason.into();
    }
}

/// A call site.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// Source file as the compiler knew it.
    pub file: Box<str>,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Objects of one kind created at one site.
#[derive(Clone, Debug)]
pub struct Class {
    /// What they are.
    pub kind: Kind,
    /// Where they were created; where a library made them, or nobody knows who, where one was used first.
    pub site: u64,
    /// Whether `site` is where one was used first.
    pub first_used: bool,
    /// The type of what they hold or do; empty where not known.
    pub type_name: String,
}

/// One object, or several one after the other under one id.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its class.
    pub class: u64,
    /// Room of a channel, permits of a semaphore.
    pub capacity: u64,
}

/// A wait that never ended. Times in ticks.
#[derive(Clone, Copy, Debug)]
pub struct OpenWait {
    /// When it began.
    pub since: u64,
    /// When its task was dropped by a runtime's shutdown; `None` where it waits at the end of the recording.
    pub until: Option<u64>,
    /// Who waits.
    pub party: Party,
    /// For what; 0 for the end of a task or thread.
    pub object: u64,
    /// Doing what.
    pub operation: Operation,
    /// Where.
    pub site: u64,
    /// On which stack.
    pub stack: u64,
    /// Who held the object at some moment, or whose end is waited for, or who gave the last signal before this wait.
    pub holder: Party,
    /// Where that one had taken it.
    pub holder_site: u64,
    /// It gives up when its time is up.
    pub limited: bool,
    /// The tracing span that it began in; 0: none.
    pub within: u64,
}

impl OpenWait {
    /// The wait that an event tells of, in this span; one that has ended counts as open until then.
    pub(super) fn of(event: &Event<'_>, within: u64) -> Option<Self> {
        let (since, until, limited) = match *event {
            Event::OpenWait { since, limited, .. } => (since, None, limited != 0),
            Event::Wait { at, ticks, .. } => (at.saturating_sub(ticks), Some(at), false),
            _ => return None,
        };
        match *event {
            Event::OpenWait { party, object, operation, site, stack, holder, holder_site, .. }
            | Event::Wait { party, object, operation, site, stack, holder, holder_site, .. } => Some(Self {
                since,
                until,
                party,
                object,
                operation,
                site,
                stack,
                holder,
                holder_site,
                limited,
                within,
            }),
            _ => None,
        }
    }
}

/// How a handle came to its party, without what else is told with that.
const HOW: u64 = MAY_BE_SHELVED - 1;

/// A guard, a permit or an end of a channel that lived in the end, or when the first task was abandoned.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The object.
    pub object: u64,
    /// What it is to the object.
    pub role: Role,
    /// Who holds it, or used it last.
    pub party: Party,
    /// Where it was taken or made.
    pub site: u64,
    /// Since when, in ticks.
    pub since: u64,
    /// Permits, or how often the end was used.
    pub count: u64,
    /// It was captured by the closure of its party, as that was spawned: a strong hint, since nobody else has used it.
    pub moved: bool,
    /// It is an end that was seen in the future of its party as that was spawned, and that nobody has used: most likely that
    /// party has it, else who spawned that.
    pub captured: bool,
    /// It is an owned guard, which whatever its party spawned may have taken along.
    pub travels: bool,
    /// Its party has locked something since it was made, and may have left it there, where others find it.
    pub shelved: bool,
    /// It lies in a static, or is a permit that was forgotten: nobody has it alone.
    pub global: bool,
    /// When it was dropped; `None` where it lives at the end of the recording.
    pub until: Option<u64>,
    /// It was dropped with an abandoned task: it was there until then.
    pub abandoned: bool,
}

impl Held {
    /// Whether it is known, or most likely, that its party has it: who only made an end may have given it to anybody.
    pub const fn is_placed(&self) -> bool {
        self.count > 0 || self.moved || self.captured
    }

    /// The handle that an event tells of.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let (until, by) = match *event {
            Event::HandleEnd { at, by, .. } => (Some(at), by),
            _ => (None, Party::UNKNOWN),
        };
        match *event {
            Event::Handle { object, role, party, site, since, count, moved }
            | Event::HandleEnd { object, role, party, site, since, count, moved, .. } => Some(Self {
                object,
                role,
                party,
                site,
                since,
                count,
                moved: moved & HOW == MOVED,
                captured: moved & HOW == CAPTURED && count == 0,
                travels: moved & HOW == TRAVELS,
                shelved: moved & MAY_BE_SHELVED != 0,
                global: moved & IS_GLOBAL != 0,
                until,
                abandoned: by != Party::UNKNOWN,
            }),
            _ => None,
        }
    }
}

/// What a task was doing in the end.
#[derive(Clone, Copy, Debug)]
pub struct OpenTask {
    /// Its state.
    pub state: TaskState,
    /// How often it was polled.
    pub polls: u64,
    /// When it was last polled, in ticks.
    pub polled: u64,
    /// Clones of its waker, plus one; 0 where not counted.
    pub wakers: u64,
}

/// What one id has counted. Times in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// How often.
    pub count: u64,
    /// How often with a wait.
    pub contended: u64,
    /// Sum of the waits.
    pub wait_ticks: u64,
    /// The longest wait.
    pub wait_max: u64,
    /// Sum of the holds, estimated.
    pub hold_ticks: u64,
    /// The longest hold that is known.
    pub hold_max: u64,
    /// How many objects have had the id.
    pub instances: u64,
    /// Whether one has it now.
    pub live: bool,
}

impl Counted {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let Event::Counts {
            count,
            contended,
            wait_ticks,
            wait_max,
            hold_ticks,
            hold_max,
            instances,
            live,
            ..
        } = event
        else {
            return Self::default();
        };
        Self {
            count: *count,
            contended: *contended,
            wait_ticks: *wait_ticks,
            wait_max: *wait_max,
            hold_ticks: *hold_ticks,
            hold_max: *hold_max,
            instances: *instances,
            live: *live != 0,
        }
    }
}
