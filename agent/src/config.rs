//! What is recorded, and where to: by [`builder`](crate::builder), or by the environment.
use crate::error::{Error, Kind};
use lockprof_trace::Mode;
use std::path::PathBuf;

/// The environment variable that starts a recording: a mode, then options, with commas between them, as in
/// `LOCKPROF=profile,path=trace.bin`.
pub const VARIABLE: &str = "LOCKPROF";

/// Default values, each with its reason.
pub mod defaults {
    /// Where the trace is written: where the documentation looks for it.
    pub const PATH: &str = "trace.bin";
    /// Shared memory that may be used, in bytes: fits into the 64 MiB that containers usually have.
    pub const MEMORY_BYTES: u64 = 48 << 20;
    /// Length that the trace may reach, in bytes: some hours of a busy service, and no disk is filled by it.
    pub const LIMIT_BYTES: u64 = 1 << 30;
    /// Between two looks of the watchdog: a look is some milliseconds of one core.
    #[cfg(feature = "live")]
    pub const WATCHDOG: std::time::Duration = std::time::Duration::from_secs(10);
}

/// What happens when the trace has reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Nothing more is written.
    Stop,
    /// The oldest events make room for the newest.
    Flight,
}

/// What is recorded, and where to. Made by [`builder`](crate::builder).
#[derive(Clone, Debug)]
#[must_use = "nothing is recorded before `start`"]
pub struct Builder {
    pub(crate) mode: Mode,
    pub(crate) path: PathBuf,
    pub(crate) memory_bytes: u64,
    pub(crate) limit_bytes: u64,
    pub(crate) policy: Policy,
    pub(crate) counter: bool,
    #[cfg(feature = "record")]
    pub(crate) stacks: crate::recorder::Way,
    #[cfg(feature = "cpu")]
    pub(crate) cpu: Option<u32>,
    #[cfg(feature = "live")]
    pub(crate) watchdog: Option<crate::live::Watchdog>,
    #[cfg(feature = "http")]
    pub(crate) http: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            mode: Mode::Profile,
            path: defaults::PATH.into(),
            memory_bytes: defaults::MEMORY_BYTES,
            limit_bytes: defaults::LIMIT_BYTES,
            policy: Policy::Stop,
            counter: true,
            #[cfg(feature = "record")]
            stacks: crate::recorder::Way::FramePointers,
            #[cfg(feature = "cpu")]
            cpu: None,
            #[cfg(feature = "live")]
            watchdog: None,
            #[cfg(feature = "http")]
            http: None,
        }
    }
}

impl Builder {
    /// Where the trace is written. An existing file is replaced.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = path.into();
        self
    }

    /// Records each acquire and release with its time, for replay; else long holds and samples.
    pub fn full(mut self) -> Self {
        self.mode = Mode::Full;
        self
    }

    /// Shared memory that may be used, in bytes. What does not fit is counted as lost.
    pub fn memory_bytes(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Length that the trace may reach, in bytes: then the recording stops, and counts what it loses; or see
    /// [`flight_recorder`](Builder::flight_recorder).
    pub fn limit_bytes(mut self, bytes: u64) -> Self {
        self.limit_bytes = bytes;
        self
    }

    /// Makes it a flight recorder: at its limit the trace does not stop, but loses its oldest events to the newest. All
    /// definitions stay, and counts, open waits and what lives are exact to the end. What was lost is counted and told.
    ///
    /// While it makes room, a second file lies beside the trace.
    pub fn flight_recorder(mut self) -> Self {
        self.policy = Policy::Flight;
        self
    }

    /// Looks this often, on a thread of its own, for what is stuck, and tells it once, on standard error.
    #[cfg(feature = "live")]
    pub fn watchdog(mut self, every: std::time::Duration) -> Self {
        self.watchdog.get_or_insert(crate::live::Watchdog { every, file: None }).every = every;
        self
    }

    /// The same, told in this file: at its end, as often as there is something new.
    #[cfg(feature = "live")]
    pub fn watchdog_into(self, every: std::time::Duration, file: impl Into<PathBuf>) -> Self {
        let watchdog = crate::live::Watchdog { every, file: Some(file.into()) };
        Self { watchdog: Some(watchdog), ..self }
    }

    /// Samples where threads run, so often in a second of each thread's own time (1 to 10,000; usual is 99): with the
    /// task that runs, in the same trace as the waits. On Linux, by the signal `SIGPROF`.
    #[cfg(feature = "cpu")]
    pub fn cpu(mut self, per_second: u32) -> Self {
        self.cpu = Some(per_second);
        self
    }

    /// What [`VARIABLE`] says: `None` where it asks for nothing.
    #[cfg_attr(not(feature = "record"), allow(dead_code))]
    pub(crate) fn from_text(text: &str) -> Result<Option<Self>, Error> {
        let mut builder = Self::default();
        for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            let refused = || refused(option);
            match option.split_once('=') {
                None => match option {
                    "off" | "0" => return Ok(None),
                    "profile" | "1" => builder.mode = Mode::Profile,
                    "full" => builder.mode = Mode::Full,
                    _ => return Err(refused()),
                },
                Some(("path" | "dir" | "watchdog-file" | "http", "")) => return Err(refused()),
                Some(("path", path)) => builder.path = path.into(),
                Some(("dir", folder)) => {
                    builder.path = PathBuf::from(folder).join(format!("trace-{}.bin", std::process::id()));
                }
                Some(("memory", bytes)) => builder.memory_bytes = bytes_of(bytes).ok_or_else(refused)?,
                Some(("limit", bytes)) => builder.limit_bytes = bytes_of(bytes).ok_or_else(refused)?,
                Some(("policy", "stop")) => builder.policy = Policy::Stop,
                Some(("policy", "flight")) => builder.policy = Policy::Flight,
                Some(("clock", "monotonic")) => builder.counter = false,
                #[cfg(feature = "record")]
                Some(("stacks", "framehop")) => builder.stacks = crate::recorder::Way::Framehop,
                #[cfg(feature = "record")]
                Some(("stacks", "unwinder")) => builder.stacks = crate::recorder::Way::Unwinder,
                #[cfg(feature = "cpu")]
                Some(("cpu", samples)) => {
                    builder.cpu = Some(samples.parse().map_err(|_| refused())?);
                }
                #[cfg(feature = "live")]
                Some(("watchdog", every)) => {
                    builder = builder.watchdog(time_of(every).ok_or_else(refused)?);
                }
                #[cfg(feature = "live")]
                Some(("watchdog-file", file)) => {
                    let every = builder.watchdog.map_or(defaults::WATCHDOG, |watchdog| watchdog.every);
                    builder.watchdog = Some(crate::live::Watchdog { every, file: Some(file.into()) });
                }
                #[cfg(feature = "http")]
                Some(("http", address)) => builder.http = Some(address.into()),
                Some(_) => return Err(refused()),
            }
        }
        Ok((!text.trim().is_empty()).then_some(builder))
    }
}

/// Why an option is refused: it is unknown, or not built in, or its value is none.
fn refused(option: &str) -> Error {
    let (needs, takes) = match option.split('=').next().unwrap_or_default() {
        "path" => (None, "the name of a file"),
        "dir" => (None, "the name of a folder"),
        "memory" | "limit" => (None, "a number of bytes, as in 48M"),
        "policy" => (None, "stop or flight"),
        "clock" => (None, "monotonic"),
        "stacks" => (None, "framehop or unwinder"),
        "watchdog" => ((!cfg!(feature = "live")).then_some("live"), "a time, as in 500ms, 10s or 1m"),
        "watchdog-file" => ((!cfg!(feature = "live")).then_some("live"), "the name of a file"),
        "http" => ((!cfg!(feature = "http")).then_some("http"), "an address, as in 127.0.0.1:6061"),
        "cpu" => ((!cfg!(feature = "cpu")).then_some("cpu"), "a number of samples in a second, as in 99"),
        _ => return Error(Kind::Option(option.into())),
    };
    Error(match needs {
        Some(feature) => Kind::Feature(option.into(), feature),
        None => Kind::Value(option.into(), takes),
    })
}

/// A number of bytes, with K, M or G behind it where it is one of thousands (of 1,024).
fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A length of time: a number with ms, s or m behind it.
#[cfg(feature = "live")]
fn time_of(text: &str) -> Option<std::time::Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let ms = digits.parse::<u64>().ok()?.checked_mul(ms).filter(|ms| *ms > 0)?;
    Some(std::time::Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_a_mode_and_options() {
        let read = |text| Builder::from_text(text).unwrap();
        assert!(read("").is_none() && read("off").is_none() && read("off,path=x").is_none());
        let full = read("full, path=/x/y.bin ,memory=3M,clock=monotonic").unwrap();
        assert_eq!((full.mode, full.memory_bytes, full.counter), (Mode::Full, 3 << 20, false));
        assert_eq!((full.policy, read("policy=flight").unwrap().policy), (Policy::Stop, Policy::Flight));
        assert_eq!(full.path, PathBuf::from("/x/y.bin"));
        let each = read("profile,dir=/x").unwrap().path;
        assert_eq!(each, PathBuf::from(format!("/x/trace-{}.bin", std::process::id())));
    }

    #[test]
    fn what_is_not_known_is_named() {
        for text in ["fast", "profile,depth=3", "policy=fly", "memory=12Q", "limit=", "memory=99999999999G"] {
            let error = Builder::from_text(text).unwrap_err().to_string();
            assert!(error.contains(text.split(',').next_back().unwrap()), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_option_is_told() {
        let told = |text: &str| Builder::from_text(text).unwrap_err().to_string();
        assert!(told("profile,depth=3").contains("is not known: LOCKPROF is a mode"));
        for (option, takes) in [
            ("memory=foo", "memory= takes a number of bytes, as in 48M"),
            ("limit", "limit= takes a number of bytes"),
            ("policy=x", "policy= takes stop or flight"),
            ("clock=tsc", "clock= takes monotonic"),
            ("path=", "path= takes the name of a file"),
            ("dir=", "dir= takes the name of a folder"),
        ] {
            let error = told(&format!("profile,{option}"));
            assert!(
                error.starts_with(&format!("the option \"{option}\" is not understood: {takes}")),
                "{error}"
            );
        }
        let needs = |feature: &str| format!("needs the feature `{feature}`");
        for (option, feature, is_there, takes) in [
            ("watchdog=soon", "live", cfg!(feature = "live"), "watchdog= takes a time"),
            ("watchdog-file=", "live", cfg!(feature = "live"), "takes the name of a file"),
            ("http=", "http", cfg!(feature = "http"), "http= takes an address"),
            ("cpu=all", "cpu", cfg!(feature = "cpu"), "cpu= takes a number of samples"),
        ] {
            let error = told(option);
            assert!(error.contains(&if is_there { takes.to_owned() } else { needs(feature) }), "{error}");
        }
    }
}
