//! What every detector works with: the model, its frozen state, and names for what the model knows by number.
use super::stacks::Stacks;
use super::{Holding, ObjectReport, PartyReport, PartyRole, Waiting};
use crate::Options;
use crate::model::frozen::Frozen;
use crate::model::{Held, Model, OpenWait, Owner, PartyFacts, Who};
use crate::symbols::{Frame, Resolve};
use lockprof_trace::{Kind, Loss, Operation, Outcome, Party, is_library};
use std::collections::HashMap;
use std::time::Duration;

/// Frames of a stack that a report shows.
const FRAMES: usize = 32;
/// A state that has lasted this long is no longer one that the program is just passing through.
pub(super) const SETTLED: Duration = Duration::from_millis(100);

/// See the module.
pub struct Context<'a> {
    /// The process, as a place among the models.
    pub process: usize,
    /// What it recorded, resolved.
    pub model: &'a Model,
    /// What is taken as given.
    pub options: &'a Options,
    /// Names of addresses.
    pub symbols: &'a dyn Resolve,
    /// Who waits and holds in the end.
    pub frozen: Frozen,
    stacks: Stacks,
}

impl<'a> Context<'a> {
    /// Of a model that is resolved.
    pub fn new(process: usize, model: &'a Model, options: &'a Options, symbols: &'a dyn Resolve) -> Self {
        Self { process, model, options, symbols, frozen: Frozen::of(model), stacks: Stacks::default() }
    }

    /// "file:line:column" of a site; empty where it is not known.
    pub fn site(&self, site: u64) -> String {
        self.model.sites.get(&site).map(ToString::to_string).unwrap_or_default()
    }

    /// "file:line" of a site, for sentences.
    pub fn place(&self, site: u64) -> String {
        match self.model.sites.get(&site) {
            Some(site) => format!("{}:{}", site.file, site.line),
            None => "an unknown place".into(),
        }
    }

    /// "kind created at file:line" of a class.
    pub fn class_name(&self, class: u64) -> String {
        match self.model.classes.get(&class) {
            Some(known) if matches!(known.kind, Kind::Task | Kind::BlockingTask | Kind::Thread) => {
                format!("{} spawned at {}", known.kind, self.place(known.site))
            }
            Some(known) => format!("{} {} {}", known.kind, origin(known.first_used), self.place(known.site)),
            None => "unknown object".into(),
        }
    }

    /// The readable name of an object: `kind "name" created at file:line`.
    pub fn object_name(&self, object: u64) -> String {
        let Some((class, known)) = self.model.class_of(object) else {
            return "unknown object".into();
        };
        match self.model.names.get(&object) {
            Some(name) => {
                format!("{} \"{name}\" {} {}", known.kind, origin(known.first_used), self.place(known.site))
            }
            None => self.class_name(class),
        }
    }

    /// The name of what is waited for: an object, or a party's end.
    pub fn waited_for(&self, wait: &OpenWait) -> String {
        if wait.object != 0 {
            return self.object_name(wait.object);
        }
        match wait.holder {
            Party::UNKNOWN if wait.operation == Operation::BlockOn => "a future".into(),
            Party::UNKNOWN => "the end of a task or thread".into(),
            party => format!("the end of {}", self.party_name(party)),
        }
    }

    /// The object of a finding, by its class.
    pub fn object(&self, class: u64, object: Option<u64>) -> ObjectReport {
        let known = self.model.classes.get(&class);
        let name = object.and_then(|object| self.model.names.get(&object)).cloned();
        ObjectReport {
            kind: known.map_or(Kind::Unknown, |class| class.kind).to_string(),
            name: name.or_else(|| known.map(|class| class.type_name.clone())).unwrap_or_default(),
            created_at: known.map(|class| self.site(class.site)).unwrap_or_default(),
            first_used: known.is_some_and(|class| class.first_used),
        }
    }

    /// The number of a sum's class.
    pub fn class_number(&self, owner: Owner) -> Option<u64> {
        match owner {
            Owner::Class(class) => Some(class),
            _ => None,
        }
    }

    /// "task 17", "thread 3 (worker)".
    pub fn party_name(&self, party: Party) -> String {
        let facts = self.model.parties.get(party);
        let name = match facts {
            Some(facts) if self.is_main(facts) => "main",
            facts => facts.map_or("", |facts| &facts.name),
        };
        match (party, name) {
            (Party::UNKNOWN, _) => "an unknown party".into(),
            (party, _) if party.is_task() => format!("task {}", party.number()),
            (party, "") => format!("thread {}", party.number()),
            (party, name) => format!("thread {} ({name})", party.number()),
        }
    }

    /// Whether it is the thread that runs `main`: where the system's threads have numbers, it has the process's.
    pub fn is_main(&self, facts: &PartyFacts) -> bool {
        facts.os_id != 0 && facts.os_id == self.model.session.pid
    }

    /// Where a party was spawned; empty where not known.
    pub fn spawned_at(&self, party: Party) -> String {
        let class = self.model.parties.get(party).and_then(|facts| self.model.classes.get(&facts.class));
        class.map(|class| self.site(class.site)).unwrap_or_default()
    }

    /// Whether a party has ended; one that was dropped by its runtime's shutdown has not, for our purposes.
    pub fn has_ended(&self, party: Party) -> bool {
        party != Party::UNKNOWN
            && !self.model.parties.is_alive(party)
            && !self.frozen.index.contains_key(&party)
    }

    /// How a party ended, for sentences.
    pub fn outcome(&self, party: Party) -> &'static str {
        match self.model.parties.get(party).and_then(|facts| facts.end) {
            Some((_, Outcome::Panicked)) => "has panicked",
            Some((_, Outcome::Aborted)) => "was aborted",
            _ => "has ended",
        }
    }

    /// A stack for reading: "function (file:line)", innermost first, from the waiting call on.
    pub fn stack(&self, stack: u64) -> Vec<String> {
        self.stacks.of(self, stack).iter().take(FRAMES).map(ToString::to_string).collect()
    }

    /// The same of a stack of somebody who runs: all of it.
    pub fn whole_stack(&self, stack: u64) -> Vec<String> {
        self.whole_frames(stack).iter().map(ToString::to_string).collect()
    }

    /// All functions of a stack, innermost first.
    pub fn whole_frames(&self, stack: u64) -> std::rc::Rc<Vec<Frame>> {
        self.stacks.whole(self, stack)
    }

    /// Whose time was summed: "task spawned at …", "thread 3 (worker)".
    pub fn who(&self, who: Who) -> String {
        match who {
            Who::Class(class) => self.class_name(class),
            Who::Thread(party) => self.party_name(party),
            Who::Foreign(os_id) => format!("thread of the system's number {os_id}"),
            Who::Others => "all others".into(),
        }
    }

    /// The functions of a stack, innermost first, from the waiting call on.
    pub fn frames(&self, stack: u64) -> std::rc::Rc<Vec<Frame>> {
        self.stacks.of(self, stack)
    }

    /// Where a wait is, "file:line:column". A future that is awaited by name only knows where it was made, and a library
    /// may not pass on its caller's line: then the line is on the stack.
    pub fn wait_at(&self, owner: Owner, site: u64, stack: u64) -> String {
        let made = self.class_number(owner).and_then(|class| self.model.classes.get(&class));
        let made = made.filter(|class| !class.first_used).map(|class| class.site);
        let foreign = self.model.sites.get(&site).is_some_and(|site| is_library(&site.file));
        if (made == Some(site) || foreign)
            && let Some(place) = self.stacks.place(self, stack)
        {
            return format!("{place}:1");
        }
        self.site(site)
    }

    /// The same of an open wait.
    pub fn open_at(&self, wait: &OpenWait) -> String {
        self.wait_at(self.owner(wait), wait.site, wait.stack)
    }

    /// The same as "file:line", for sentences.
    pub fn open_place(&self, wait: &OpenWait) -> String {
        match self.open_at(wait).rsplit_once(':') {
            Some((place, _)) => place.into(),
            None => "an unknown place".into(),
        }
    }

    fn owner(&self, wait: &OpenWait) -> Owner {
        let class = match wait.object {
            0 => self.model.parties.get(wait.holder).map(|facts| facts.class).filter(|class| *class != 0),
            object => self.model.class_of(object).map(|(class, _)| class),
        };
        class.map_or(Owner::Joins, Owner::Class)
    }

    /// Whether a class is of semaphores with several permits: they are there to be held for long, and who holds one keeps nobody
    /// out while there are others.
    pub fn is_pool(&self, class: u64) -> bool {
        let model = self.model;
        model.classes.get(&class).is_some_and(|known| known.kind == Kind::TokioSemaphore)
            && model.objects.values().any(|object| object.class == class && object.capacity != 1)
    }

    /// Whether anybody has ever been woken by a signal on what a wait is for: then whoever gives it is at work. A signal that was
    /// given before the wait, and that woke nobody, is no sign of that.
    pub fn is_signalled(&self, wait: &OpenWait) -> bool {
        let count = |id: u64| self.model.counts.get(&id).map_or(0, |count| count.count);
        match wait.operation {
            Operation::Notified if wait.holder_site != 0 => count(wait.object + 1) > 0,
            Operation::Notified => count(wait.object) + count(wait.object + 1) > 0,
            // Who came to a barrier before may be those who wait there now.
            Operation::Barrier => false,
            operation => self.model.served.contains_key(&(wait.object, operation)),
        }
    }

    /// How long an open wait lasted, in nanoseconds.
    pub fn waited_ns(&self, wait: &OpenWait) -> u64 {
        self.model.ns(wait.ticks(self.model.end()))
    }

    /// A guard or permit that is held.
    pub fn holding(&self, held: &Held) -> Holding {
        Holding {
            at: self.site(held.site),
            object: self.object_name(held.object),
            object_id: held.object,
            role: held.role.to_string(),
            since_ns: self.model.ns(held.until.unwrap_or(self.model.end()).saturating_sub(held.since)),
        }
    }

    /// "request > load (trace 4bf9)"; empty where there is no such span.
    pub fn span_name(&self, span: u64) -> String {
        match (self.model.tracing.path(span), self.model.tracing.trace_id(span)) {
            (path, "") => path,
            (path, id) => format!("{path} (trace {id})"),
        }
    }

    /// What a party has: guards, and ends of channels.
    pub fn held_by(&self, party: Party) -> impl Iterator<Item = &Held> {
        self.frozen.held.get(&party).into_iter().flatten().map(|number| &self.model.handles[*number])
    }

    /// A party of a finding, with its open waits and what it holds.
    pub fn party(&self, party: Party, role: PartyRole) -> PartyReport {
        let waits = self.frozen.index.get(&party).map(|place| self.frozen.waits_of(self.model, *place));
        let waits = waits.into_iter().flatten().map(|wait| Waiting {
            at: self.open_at(wait),
            operation: wait.operation.to_string(),
            object: self.waited_for(wait),
            object_id: wait.object,
            since_ns: self.waited_ns(wait),
            stack: self.stack(wait.stack),
            within: self.span_name(self.model.parties.span_of(wait.party, wait.within)),
        });
        let guards = self.held_by(party).filter(|held| held.role.is_guard());
        let holds = guards.take(16).map(|held| self.holding(held));
        let name = self.model.parties.get(party).map(|facts| facts.name.to_string()).unwrap_or_default();
        PartyReport {
            kind: if party.is_task() { "task" } else { "thread" },
            id: party.number(),
            name: if name.is_empty() { self.party_name(party) } else { name },
            role,
            spawned_at: self.spawned_at(party),
            ended: self.has_ended(party),
            waits: waits.collect(),
            holds: holds.collect(),
        }
    }

    /// Whether anything of this sort is missing from the trace.
    pub fn lost(&self, losses: &[Loss]) -> bool {
        losses.iter().any(|loss| self.model.lost.get(loss).is_some_and(|count| *count > 0))
    }

    /// Whether some of what happened is not in the trace.
    pub fn lost_events(&self) -> bool {
        self.lost(&[Loss::Events, Loss::Limit, Loss::Disk, Loss::Oldest])
    }

    /// What is known of ended waits like this one: the longest served, the longest at all, how many were given up.
    pub fn history(&self) -> HashMap<(u64, Operation), (u64, u64, u64)> {
        let mut history: HashMap<_, (u64, u64, u64)> = HashMap::new();
        for (key, sum) in &self.model.waits {
            let known = history.entry((key.site, key.operation)).or_default();
            *known = (known.0.max(sum.max_done), known.1.max(sum.max_ended), known.2 + sum.given_up);
        }
        history
    }
}

/// How the line is called that a class is known by.
pub fn origin(first_used: bool) -> &'static str {
    if first_used { "first used at" } else { "created at" }
}

/// A length of time for people.
pub fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        1_000_000_000..120_000_000_000 => format!("{:.2} s", ns as f64 / 1e9),
        120_000_000_000..7_200_000_000_000 => format!("{:.1} min", ns as f64 / 6e10),
        _ => format!("{:.1} h", ns as f64 / 3.6e12),
    }
}
