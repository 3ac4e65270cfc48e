//! Files with the symbols of a program: its own, or the debug file that was split from it.
//!
//! A file is believed where its build id is that of the recording. It is looked for at its own place, then in the folders
//! that the user names; its debug file where debuggers look for it: by build id, or by the name in its debug link.
use addr2line::Loader;
use lockprof_engine::symbols::Frame;
use object::read::{File, ReadCache};
use object::{Object, ObjectSection};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Where distributions put debug files.
const SYSTEM: &str = "/usr/lib/debug";
/// Folders with libraries of the system: that these are stripped is how it should be.
const LIBRARIES: [&str; 3] = ["/lib", "/usr/lib", "/usr/local/lib"];

/// What names the addresses of one file; the debug file first, where there is one.
#[derive(Default)]
pub struct Symbols(Vec<Loader>);

/// What a file says of itself.
#[derive(Default)]
struct Facts {
    /// In hexadecimal; empty where it has none.
    build_id: String,
    /// Whether it knows files and lines.
    has_lines: bool,
    /// Whether it has a table of all symbols, not only of those that it exports.
    has_symbols: bool,
    /// The name of its debug file, where it tells one.
    link: Option<PathBuf>,
}

impl Facts {
    fn of(path: &Path) -> Result<Self, Box<dyn Error>> {
        let cache = ReadCache::new(fs::File::open(path)?);
        let file = File::parse(&cache)?;
        let id = file.build_id()?.unwrap_or_default();
        // A debug file has the names of sections that it has not the content of, and the other way round.
        let has = |name: &str| file.section_by_name(name).is_some_and(|section| section.size() > 0);
        let link = file.gnu_debuglink()?.and_then(|(name, _)| std::str::from_utf8(name).ok());
        Ok(Self {
            build_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            has_lines: has(".debug_info") || has(".zdebug_info") || has("__debug_info"),
            has_symbols: file.symbols().next().is_some(),
            // A name alone: a path would lead out of the folders that are looked into.
            link: link.map(Path::new).and_then(|name| name.file_name()).map(PathBuf::from),
        })
    }

    /// Whether it is the build of this id, as far as both are known.
    fn is_build(&self, id: &str) -> bool {
        id.is_empty() || self.build_id.is_empty() || self.build_id == id
    }
}

impl Symbols {
    /// Finds the symbols of the file that ran at `path`, and what the user should know of what is missing.
    pub fn find(path: &str, build_id: &str, folders: &[PathBuf]) -> (Self, Option<String>) {
        // A replaced executable is still known by its old name; what is not a file (`[vdso]`) has no names for anybody.
        let path = PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(path));
        if !path.is_absolute() {
            return (Self::default(), None);
        }
        let (main, wrong) = match own(&path, build_id) {
            Ok(Some(facts)) => (Some((path.clone(), facts)), None),
            Ok(None) => return (Self::default(), None),
            Err(why) => (elsewhere(&path, build_id, folders), Some(why)),
        };
        let id = main.as_ref().map_or(build_id, |(_, facts)| &facts.build_id);
        let debug = match &main {
            Some((_, facts)) if facts.has_lines => None,
            _ => debug_file(&path, id, main.as_ref().and_then(|(_, facts)| facts.link.as_deref()), folders),
        };
        let missing = match (&main, &debug) {
            (_, Some(_)) => None,
            (Some((_, facts)), None) => (!is_library(&path)).then(|| lacks(facts)).flatten(),
            (None, None) => wrong,
        };
        let files = debug.into_iter().chain(main.map(|(path, _)| path));
        let mut symbols = Self::default();
        let mut note = missing;
        for file in files {
            match Loader::new(&file) {
                Ok(loader) => symbols.0.push(loader),
                Err(error) => note = Some(format!("has no symbols that can be read ({error})")),
            }
        }
        (symbols, note.map(|note| format!("{}: {note}", path.display())))
    }

    /// The functions at an address in the file's own terms, the innermost first.
    pub fn frames(&self, address: u64) -> Vec<Frame> {
        let all = self.0.iter().map(|loader| frames(loader, address));
        all.max_by_key(|frames| frames.iter().filter(|frame| frame.line.is_some()).count() * 2 + frames.len())
            .unwrap_or_default()
    }
}

/// The file at its own place. `None`: what is there is no file, and has no names. An error: why it is not used.
fn own(path: &Path, build_id: &str) -> Result<Option<Facts>, String> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() => {}
        Ok(_) => return Ok(None),
        Err(_) => return Err("the program's file is not here; its functions are told as addresses".into()),
    }
    let facts = Facts::of(path)
        .map_err(|error| format!("cannot be read ({error}); its functions are told as addresses"))?;
    if !facts.is_build(build_id) {
        return Err(format!(
            "was built anew since the recording (build id {}, recorded {build_id}); its functions are told as \
             addresses, unless --symbols names a folder with the old one",
            facts.build_id
        ));
    }
    Ok(Some(facts))
}

/// The same build in one of the user's folders.
fn elsewhere(path: &Path, build_id: &str, folders: &[PathBuf]) -> Option<(PathBuf, Facts)> {
    let name = path.file_name()?;
    folders.iter().find_map(|folder| {
        let file = folder.join(name);
        let facts =
            Facts::of(&file).ok().filter(|facts| !build_id.is_empty() && facts.build_id == build_id)?;
        Some((file, facts))
    })
}

/// The debug file of a build.
fn debug_file(path: &Path, build_id: &str, link: Option<&Path>, folders: &[PathBuf]) -> Option<PathBuf> {
    let (first, rest) = build_id.split_at_checked(2).filter(|(_, rest)| !rest.is_empty())?;
    let by_id = Path::new(".build-id").join(first).join(format!("{rest}.debug"));
    let beside = path.parent().into_iter().flat_map(|folder| [folder.to_owned(), folder.join(".debug")]);
    let name = path.file_name().unwrap_or_default();
    let names: Vec<PathBuf> =
        [Some(Path::new(name).with_added_extension("debug")), Some(name.into()), link.map(Path::to_owned)]
            .into_iter()
            .flatten()
            .collect();
    let places = folders.iter().cloned().chain([PathBuf::from(SYSTEM)]);
    let candidates = places.map(|folder| folder.join(&by_id)).chain(
        folders
            .iter()
            .cloned()
            .chain(beside)
            .flat_map(|folder| names.iter().map(move |name| folder.join(name))),
    );
    let fits = |file: &PathBuf| {
        file != path
            && Facts::of(file)
                .is_ok_and(|facts| facts.build_id == build_id && (facts.has_lines || facts.has_symbols))
    };
    candidates.into_iter().find(fits)
}

fn is_library(path: &Path) -> bool {
    LIBRARIES.iter().any(|folder| path.starts_with(folder))
}

/// What the names of a file lack.
fn lacks(facts: &Facts) -> Option<String> {
    const REMEDY: &str =
        "build with `debug = \"line-tables-only\"`, or name the folder of its debug file with --symbols";
    match (facts.has_lines, facts.has_symbols) {
        (true, _) => None,
        (false, true) => Some(format!(
            "has no debug information: functions have no files and lines, and inlined ones are \
                                       not told; {REMEDY}"
        )),
        (false, false) => {
            Some(format!("is stripped: of its functions those that it exports have names; {REMEDY}"))
        }
    }
}

fn frames(loader: &Loader, address: u64) -> Vec<Frame> {
    let mut frames = vec![];
    // The table of symbols has whole paths, where line tables alone have a function's last name, or leave out one that
    // nothing was inlined into; and it is there where debug information is not.
    let symbol = loader.find_symbol(address).map(demangle);
    if let Ok(mut found) = loader.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let name =
                frame.function.as_ref().and_then(|function| Some(demangle(&function.raw_name().ok()?)));
            let Some(function) = name.or_else(|| symbol.clone()) else { break };
            let location = frame.location.as_ref();
            frames.push(Frame {
                function,
                file: location.and_then(|location| location.file).map(Into::into),
                line: location.and_then(|location| location.line),
                inlined: true,
            });
        }
    }
    match (frames.last_mut(), symbol) {
        (Some(outer), symbol) => {
            outer.inlined = false;
            outer.function = symbol.unwrap_or_else(|| std::mem::take(&mut outer.function));
        }
        (None, symbol) => frames.extend(symbol.map(plain)),
    }
    frames
}

/// A function of which nothing is known but this.
pub fn plain(function: String) -> Frame {
    Frame { function, file: None, line: None, inlined: false }
}

/// A function's name as it stands in the source, without the hash.
fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// The build id of a file in hexadecimal; empty where it has none.
#[cfg(test)]
pub fn build_id_of(path: &Path) -> String {
    Facts::of(path).map(|facts| facts.build_id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    #[test]
    fn a_device_is_not_opened() {
        for path in ["/dev/zero", "[vdso]", "relative", "/"] {
            let (symbols, note) = Symbols::find(path, "", &[]);
            assert!(symbols.0.is_empty() && note.is_none(), "{path}: {note:?}");
        }
        assert!(Symbols::find("/no/such/file", "", &[]).1.unwrap().contains("is not here"));
    }
}
