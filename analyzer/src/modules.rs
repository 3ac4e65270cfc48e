//! The files that the recorded processes ran, and the names that addresses have in them.
use crate::symbols::{Symbols, plain};
use lockprof_engine::symbols::{Frame, Resolve};
use lockprof_trace::Event;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

/// Modules of one process that are kept: far more than a program loads, and a bound for what a trace can make us hold.
const MAX_MODULES: usize = 1 << 14;

/// Files mapped for execution, by process and address. Files are opened when a name is first asked for.
#[derive(Default)]
pub struct Modules {
    processes: Vec<Process>,
    folders: Vec<PathBuf>,
    files: RefCell<HashMap<(String, String), Rc<Symbols>>>,
    known: RefCell<HashMap<(usize, u64), Vec<Frame>>>,
    notes: RefCell<Vec<String>>,
}

struct Module {
    end: u64,
    bias: u64,
    path: String,
    build_id: String,
}

impl Modules {
    /// Adds the next process: its number is the one of its model.
    pub fn add(&mut self, process: Process) {
        self.processes.push(process);
    }

    /// Adds to what is known of the first process, whose trace is read while it grows.
    pub fn learn(&mut self, process: Process) {
        if process.modules.is_empty() && !self.processes.is_empty() {
            return;
        }
        self.known.borrow_mut().clear();
        match self.processes.first_mut() {
            Some(first) => first.modules.extend(process.modules),
            None => self.processes.push(process),
        }
    }

    /// Folders to look into for files with symbols.
    pub fn look_in(&mut self, folders: &[PathBuf]) {
        self.folders = folders.to_vec();
    }

    /// What stood in the way of names.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    fn symbols(&self, module: &Module) -> Rc<Symbols> {
        let key = (module.path.clone(), module.build_id.clone());
        if let Some(symbols) = self.files.borrow().get(&key) {
            return symbols.clone();
        }
        let (symbols, note) = Symbols::find(&module.path, &module.build_id, &self.folders);
        let symbols = Rc::new(symbols);
        self.notes.borrow_mut().extend(note);
        self.files.borrow_mut().insert(key, symbols.clone());
        symbols
    }

    fn look_up(&self, process: usize, address: u64) -> Option<Vec<Frame>> {
        // A return address is behind its call, perhaps in the next line or the next function.
        let address = address.checked_sub(1)?;
        let (_, module) = self.processes.get(process)?.modules.range(..=address).next_back()?;
        if address >= module.end {
            return None;
        }
        let address = address.wrapping_sub(module.bias);
        let frames = self.symbols(module).frames(address);
        let file = || module.path.rsplit('/').next().unwrap_or_default();
        Some(if frames.is_empty() { vec![plain(format!("{}+{address:#x}", file()))] } else { frames })
    }
}

impl Resolve for Modules {
    fn frames(&self, process: usize, address: u64) -> Vec<Frame> {
        if let Some(frames) = self.known.borrow().get(&(process, address)) {
            return frames.clone();
        }
        let frames = self.look_up(process, address).unwrap_or_default();
        self.known.borrow_mut().insert((process, address), frames.clone());
        frames
    }
}

/// The modules of one process, out of its events.
#[derive(Default)]
pub struct Process {
    modules: BTreeMap<u64, Module>,
}

impl Process {
    /// Takes what concerns modules.
    pub fn event(&mut self, event: &Event<'_>) {
        if let Event::Module { start, end, bias, path, build_id, .. } = event
            && self.modules.len() < MAX_MODULES
        {
            let (path, build_id) = (path.clone().into_owned(), build_id.clone().into_owned());
            self.modules.insert(*start, Module { end: *end, bias: *bias, path, build_id });
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::symbols::build_id_of;
    use std::fs;

    /// This program as a module, as a recorder tells it.
    fn this_program(build_id: &str) -> (Modules, String) {
        let exe = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut modules = Modules::default();
        let mut process = Process::default();
        let mut bias = None;
        for line in maps.lines().filter(|line| line.ends_with(&exe)) {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|place| u64::from_str_radix(place, 16).unwrap());
            let bias = *bias.get_or_insert(start);
            if rights.contains('x') {
                let (path, build_id) = (exe.as_str().into(), build_id.into());
                process.event(&Event::Module { start, end, offset: 0, bias, path, build_id });
            }
        }
        modules.add(process);
        (modules, exe)
    }

    #[inline(never)]
    fn a_function_with_a_name() -> u32 {
        line!()
    }

    fn return_address() -> u64 {
        a_function_with_a_name as *const () as u64 + 1
    }

    #[test]
    fn an_address_has_function_file_and_line() {
        let (modules, exe) = this_program("");
        let frames = modules.frames(0, return_address());
        let [frame] = &frames[..] else { panic!("{frames:?}") };
        assert!(frame.function.ends_with("modules::tests::a_function_with_a_name"), "{frame:?}");
        assert!(frame.file.as_ref().unwrap().ends_with("src/modules.rs") && !frame.inlined, "{frame:?}");
        let line = frame.line.unwrap();
        assert!(a_function_with_a_name().abs_diff(line) <= 1, "{frame:?}");
        assert_eq!(modules.frames(0, return_address()), frames);
        assert!(modules.notes().is_empty());

        let id = build_id_of(exe.as_ref());
        let (modules, _) = this_program(&id);
        assert_eq!(modules.frames(0, return_address()), frames);
    }

    #[test]
    fn another_build_is_not_asked() {
        let (modules, exe) = this_program("00ff");
        if build_id_of(exe.as_ref()).is_empty() {
            return;
        }
        let [frame] = &modules.frames(0, return_address())[..] else { panic!("no frame") };
        assert!(frame.function.contains("+0x") && frame.file.is_none(), "{frame:?}");
        modules.frames(0, return_address() + 1);
        let notes = modules.notes();
        assert!(notes.len() == 1 && notes[0].contains("built anew"), "{notes:?}");
    }

    #[test]
    fn what_is_in_no_module_has_no_frames() {
        let (modules, _) = this_program("");
        assert!(modules.frames(0, 0).is_empty() && modules.frames(0, 1).is_empty());
        assert!(modules.frames(0, u64::MAX).is_empty() && modules.frames(1, return_address()).is_empty());
    }
}
