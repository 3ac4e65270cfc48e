//! Waits and holds as profilers take them: a path of functions, how often, how long, and what it was about.
//!
//! This is the one source of all exports that sum (pprof, speedscope, CSV); those that draw time take [`crate::model::Span`].
use crate::findings::Context;
use crate::model::{Owner, TracingSpan};
use crate::symbols::Frame;
use std::rc::Rc;

/// Waits or holds alike, summed. Lengths in nanoseconds.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The process, as a place among the models.
    pub process: usize,
    /// "wait" or "hold".
    pub what: &'static str,
    /// "lock", "send", …; of holds "held".
    pub operation: &'static str,
    /// Where, "file:line:column"; empty where not known.
    pub at: String,
    /// The stack, by its number in the process's model; 0 where none was captured.
    pub stack: u64,
    /// The functions, innermost first; empty where no stack was captured, as for holds.
    pub frames: Rc<Vec<Frame>>,
    /// "kind created at file:line".
    pub object: String,
    /// The object's kind.
    pub kind: String,
    /// "task spawned at file:line" of who waited; empty where not known.
    pub by: String,
    /// Of time in a tracing span: its name behind those of the spans around it, "request > load"; empty where in none, or not
    /// told apart by span.
    pub span: String,
    /// Of waits: where the holder had taken the object, "file:line:column"; empty where not known.
    pub holder: String,
    /// How often.
    pub count: u64,
    /// How long together.
    pub ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Sample {
    fn texts(&self) -> [&str; 7] {
        [&self.at, &self.object, &self.by, self.operation, &self.kind, &self.span, &self.holder]
    }
}

/// All waits, those that never ended among them; longest together first.
pub fn waits(contexts: &[Context<'_>]) -> Vec<Sample> {
    let all = contexts.iter().flat_map(|context| {
        let model = context.model;
        model.waits.iter().map(|(key, sum)| Sample {
            process: context.process,
            what: "wait",
            operation: key.operation.name(),
            at: context.wait_at(key.owner, key.site, key.stack),
            stack: key.stack,
            frames: context.frames(key.stack),
            object: object(context, key.owner),
            kind: kind(context, key.owner),
            by: if key.by == 0 { String::new() } else { context.class_name(key.by) },
            span: String::new(),
            holder: context.site(key.holder_site),
            count: sum.count,
            ns: model.ns(sum.ticks),
            max_ns: model.ns(sum.max),
        })
    });
    sorted(all.collect())
}

/// All waits in tracing spans; the spans stand where else the functions do.
pub fn spans(contexts: &[Context<'_>]) -> Vec<Sample> {
    let all = contexts.iter().flat_map(|context| {
        let (model, tracing) = (context.model, &context.model.tracing);
        let frame = |span: &TracingSpan| Frame {
            function: span.name.to_string(),
            file: Some(span.at.file.to_string()).filter(|file| !file.is_empty()),
            line: Some(span.at.line as u32).filter(|line| *line > 0),
            inlined: false,
        };
        tracing.waits.iter().map(move |(wait, sum)| Sample {
            process: context.process,
            what: "wait",
            operation: wait.operation.name(),
            at: context.site(wait.site),
            stack: 0,
            frames: Rc::new(tracing.chain(wait.span).map(frame).collect()),
            object: object(context, wait.owner),
            kind: kind(context, wait.owner),
            by: String::new(),
            span: tracing.path(wait.span),
            holder: String::new(),
            count: sum.count,
            ns: model.ns(sum.ticks),
            max_ns: model.ns(sum.max),
        })
    });
    sorted(all.collect())
}

/// All holds that the coarse clock noticed or that were timed, and those that go on in the end, longest together first. Their
/// sums are those of the report; their counts are of what was noticed.
pub fn holds(contexts: &[Context<'_>]) -> Vec<Sample> {
    let all = contexts.iter().flat_map(|context| {
        let model = context.model;
        crate::held::lines(model).into_iter().map(|((owner, site), held)| Sample {
            process: context.process,
            what: "hold",
            operation: "held",
            at: context.site(site),
            stack: 0,
            frames: Rc::default(),
            object: object(context, owner),
            kind: kind(context, owner),
            by: String::new(),
            span: String::new(),
            holder: String::new(),
            count: held.count,
            ns: model.ns(held.ticks),
            max_ns: model.ns(held.max),
        })
    });
    sorted(all.collect())
}

/// Where was run, as far as it was sampled, by who ran and in which tracing span.
pub fn cpu(contexts: &[Context<'_>]) -> Vec<Sample> {
    let all = contexts.iter().flat_map(|context| {
        context.model.cpu.samples.iter().map(|((whose, stack), (count, ticks))| Sample {
            process: context.process,
            what: "cpu",
            operation: "runs",
            at: String::new(),
            stack: *stack,
            frames: context.whole_frames(*stack),
            object: String::new(),
            kind: String::new(),
            by: context.who(whose.who),
            span: context.model.tracing.path(whose.span),
            holder: String::new(),
            count: *count,
            ns: context.model.ns(*ticks),
            max_ns: 0,
        })
    });
    sorted(all.collect())
}

fn sorted(mut samples: Vec<Sample>) -> Vec<Sample> {
    samples.sort_by(|one, other| {
        let long = (other.ns, one.count, one.process).cmp(&(one.ns, other.count, other.process));
        // Of those alike in this the rest tells, all of it, so that they come in the same order each time.
        long.then_with(|| one.texts().cmp(&other.texts())).then_with(|| {
            let frames = |of: &Sample| of.frames.iter().map(ToString::to_string).collect::<Vec<_>>();
            (frames(one), one.max_ns).cmp(&(frames(other), other.max_ns))
        })
    });
    samples
}

/// The readable name of what was waited for or held.
pub(crate) fn object(context: &Context<'_>, owner: Owner) -> String {
    match owner {
        Owner::Class(class) => context.class_name(class),
        Owner::Object(_) => "unknown object".into(),
        Owner::Joins => "the end of a task or thread".into(),
    }
}

fn kind(context: &Context<'_>, owner: Owner) -> String {
    let class = context.class_number(owner).and_then(|class| context.model.classes.get(&class));
    class.map_or("unknown", |class| class.kind.name()).into()
}
