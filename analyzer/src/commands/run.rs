//! `lockprof run`: records a program and what it starts, then analyzes all of it.
use super::{Recording, complain, is_quiet, note, print, write};
use crate::cli::Ask;
use crate::collect;
use crate::error::Error;
use crate::system::{self, Ran};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The variable that starts a recording in a program that links lockprof.
const VARIABLE: &str = "LOCKPROF";

/// Runs `command`, analyzes what it recorded in the folder `out`, and returns its exit code.
pub fn run(out: &Path, ask: &Ask, command: &[OsString]) -> Result<u8, Error> {
    let folder = prepare(out).map_err(|error| Error::Output(out.into(), error))?;
    let asked = variable(env::var_os(VARIABLE), &folder)?;
    let [program, arguments @ ..] = command else { return Err(Error::Nothing) };
    let status =
        system::run(Command::new(program).args(arguments).env(VARIABLE, &asked)).map_err(
            |ran| match ran {
                Ran::Start(error) => Error::Start(program.into(), error),
                #[cfg(unix)]
                Ran::Signals(error) => Error::Signals(error),
                Ran::Wait(error) => Error::Wait(error),
            },
        )?;
    let code = system::exit_code(status);
    let traces = traces(&folder).map_err(|error| Error::Output(folder.clone(), error))?;
    let recording = Recording::load_drawn(&traces);
    if recording.models.is_empty() {
        note(nothing(program, &asked, recording.incomplete));
        return Ok(code.max(1));
    }
    let report = recording.report(ask);
    let printed = if is_quiet() { Ok(()) } else { print(&report, ask.format, &mut anstream::stderr()) };
    let told = printed.and_then(|()| write(&report, &folder));
    match told {
        Err(error) if code != 0 => {
            complain(&error);
            Ok(code)
        }
        told => told.map(|()| code),
    }
}

/// Makes the folder, tries that it can be written to, and removes what an earlier run recorded there.
fn prepare(out: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(out)?;
    let folder = fs::canonicalize(out)?;
    for old in traces(&folder)? {
        collect::discard(&old);
        fs::remove_file(old)?;
    }
    let probe = folder.join(format!(".lockprof-{}", std::process::id()));
    fs::File::create(&probe)?;
    fs::remove_file(probe)?;
    Ok(folder)
}

/// The traces in a folder, `trace-<pid>.bin`, in order.
fn traces(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut traces = vec![];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix("trace-")?.strip_suffix(".bin"));
        if let Some(pid) = name.and_then(|pid| pid.parse::<u64>().ok()) {
            traces.push((pid, entry.path()));
        }
    }
    traces.sort();
    Ok(traces.into_iter().map(|(_, path)| path).collect())
}

/// What the recorder is asked for: what the user asks for, but into this folder.
fn variable(asked: Option<OsString>, folder: &Path) -> Result<OsString, Error> {
    let asked = asked.unwrap_or_default().into_string().unwrap_or_default();
    let is_place = |option: &str| ["dir=", "path="].iter().any(|place| option.trim().starts_with(place));
    let mut options: Vec<&str> =
        asked.split(',').filter(|option| !option.trim().is_empty() && !is_place(option)).collect();
    if options.is_empty() {
        options.push("profile");
    }
    let name = folder.to_str().ok_or_else(|| Error::NotUtf8(folder.into()))?;
    if name.contains(',') {
        return Err(Error::Comma(folder.into()));
    }
    Ok(format!("{},dir={name}", options.join(",")).into())
}

/// Why nothing can have been recorded.
fn nothing(program: &OsStr, asked: &OsStr, incomplete: bool) -> String {
    let program = program.to_string_lossy();
    let asked = asked.to_string_lossy();
    if incomplete {
        format!("{program} recorded nothing that can be read")
    } else if asked.starts_with("off") || asked.starts_with('0') {
        format!("{program} recorded nothing, because {VARIABLE}={asked}: unset it, or set it to profile")
    } else {
        format!(
            "{program} recorded nothing: check that it depends on `lockprof` with the feature `record` (on by default) and \
             uses its wrappers, and that it passes its environment on to the processes that do"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_mode_stays() {
        let folder = Path::new("/tmp/out");
        let told = |asked: &str| variable(Some(asked.into()), folder).unwrap().into_string().unwrap();
        assert_eq!(told(""), "profile,dir=/tmp/out");
        assert_eq!(told("full, path=x.bin"), "full,dir=/tmp/out");
        assert_eq!(told("dir=/else,limit=1G"), "limit=1G,dir=/tmp/out");
        assert!(matches!(variable(None, Path::new("/tmp/a,b")), Err(Error::Comma(_))));
    }
}
