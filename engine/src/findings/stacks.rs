//! Stacks as a reader wants them: from the program's own call on, without what the recorder and the wrapper add.
use super::Context;
use crate::symbols::Frame;
use lockprof_trace::is_library;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// How deep the recorder's own frames can lie.
const OURS: usize = 48;

/// The names of stacks, each looked up once: of waits as a reader wants them, and of whole ones.
#[derive(Default)]
pub(super) struct Stacks {
    trimmed: RefCell<HashMap<u64, Rc<Vec<Frame>>>>,
    whole: RefCell<HashMap<u64, Rc<Vec<Frame>>>>,
}

impl Stacks {
    /// The frames of a wait's stack, innermost first.
    pub(super) fn of(&self, context: &Context<'_>, stack: u64) -> Rc<Vec<Frame>> {
        if let Some(known) = self.trimmed.borrow().get(&stack) {
            return known.clone();
        }
        let frames = Rc::new(trim(look_up(context, stack)));
        self.trimmed.borrow_mut().insert(stack, frames.clone());
        frames
    }

    /// All frames of a stack, innermost first.
    pub(super) fn whole(&self, context: &Context<'_>, stack: u64) -> Rc<Vec<Frame>> {
        if let Some(known) = self.whole.borrow().get(&stack) {
            return known.clone();
        }
        let frames = Rc::new(look_up(context, stack));
        self.whole.borrow_mut().insert(stack, frames.clone());
        frames
    }

    /// "file:line" of the innermost frame in the program's own code, as its sites spell the file.
    pub(super) fn place(&self, context: &Context<'_>, stack: u64) -> Option<String> {
        let frames = self.of(context, stack);
        let own = frames.iter().find_map(|frame| {
            let file = frame.file.as_deref().filter(|file| !is_library(file))?;
            Some((file, frame.line?))
        });
        let (file, line) = own?;
        let same =
            |site: &&crate::model::Site| file == &*site.file || file.ends_with(&format!("/{}", site.file));
        // Of several the shortest in order, so that the report is the same each time.
        let spelled = context.model.sites.values().filter(same).map(|site| &*site.file).min();
        Some(format!("{}:{line}", spelled.unwrap_or(file)))
    }
}

fn look_up(context: &Context<'_>, stack: u64) -> Vec<Frame> {
    let addresses = context.model.stacks.get(&stack).map(|stack| &stack[..]).unwrap_or_default();
    let frames = addresses.iter().flat_map(|address| {
        let frames = context.symbols.frames(context.process, *address);
        match frames.is_empty() {
            true => {
                vec![Frame { function: format!("0x{address:x}"), file: None, line: None, inlined: false }]
            }
            false => frames,
        }
    });
    frames.collect()
}

fn is_recorder(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&']);
    path.starts_with("lockprof::") || path.starts_with("backtrace::")
}

/// Cuts off what lies inside the program's call. Names of inlined functions come without their path, so files of the
/// recorder are known by those of its functions that have one.
fn trim(mut frames: Vec<Frame>) -> Vec<Frame> {
    let root = |file: &str| file.rfind("/src/").map(|end| file[..end + 5].to_owned());
    let ours = frames.iter().take(OURS).filter(|frame| is_recorder(&frame.function));
    let roots: Vec<String> = ours
        .filter_map(|frame| root(frame.file.as_deref()?))
        .filter(|root| root.contains("/agent/") || is_library(root))
        .collect();
    let is_ours = |frame: &Frame| {
        is_recorder(&frame.function)
            || frame.file.as_deref().is_some_and(|file| roots.iter().any(|root| file.starts_with(root)))
    };
    // Further out a wrapper may call the program again, as a spawned task's does: only its own frames are left out.
    let start = frames.iter().take(OURS).position(is_ours);
    if let Some(start) = start {
        let own = frames[start..]
            .iter()
            .position(|frame| !is_ours(frame) && frame.file.as_deref().is_some_and(|file| !is_library(file)));
        if let Some(own) = own {
            frames.drain(..start + own);
        }
    }
    frames.retain(|frame| !is_ours(frame));
    frames
}

#[cfg(test)]
mod tests {
    use super::trim;
    use crate::symbols::Frame;

    fn frame(function: &str, file: &str) -> Frame {
        Frame { function: function.into(), file: Some(file.into()), line: Some(1), inlined: false }
    }

    #[test]
    fn the_recorder_is_cut_off_and_what_it_runs_is_not() {
        let frames = vec![
            frame("trace", "/home/x/.cargo/registry/src/i/backtrace-0.3/src/backtrace/mod.rs"),
            frame("lockprof::recorder::site::capture", "/p/agent/src/recorder/site.rs"),
            frame("with<Local>", "/rustc/1/library/std/src/thread/local.rs"),
            frame("{closure#0}", "/p/agent/src/recorder/site.rs"),
            frame("shop::pay", "/p/shop/src/pay.rs"),
            frame("lockprof::task::poll", "/p/agent/src/task.rs"),
            frame("shop::main", "/p/shop/src/main.rs"),
        ];
        let left: Vec<String> = trim(frames).into_iter().map(|frame| frame.function).collect();
        assert_eq!(left, ["shop::pay", "shop::main"]);
    }
}
