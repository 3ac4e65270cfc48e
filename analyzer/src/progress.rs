//! How far the reading of a trace is: a bar on standard error, where that is a terminal and it takes more than a second.
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

/// What takes less than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const STYLE: &str = "reading {msg} {wide_bar} {bytes} of {total_bytes}, {eta} left";

/// Whether there are bars.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    wanted: bool,
}

impl Progress {
    /// Bars where they are `wanted` and a terminal can show them.
    pub fn new(wanted: bool) -> Self {
        Self { wanted }
    }

    /// The same reader, with a bar for its `bytes`.
    pub fn of<R: Read>(self, reader: R, path: &Path, bytes: u64) -> impl Read {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let patience = self.wanted.then(|| Instant::now() + PATIENCE);
        Counted { reader, bar, patience }
    }
}

/// A reader whose bar vanishes with it.
struct Counted<R> {
    reader: R,
    bar: ProgressBar,
    /// When the bar is to appear; `None` where it has, or shall not.
    patience: Option<Instant>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.bar.inc(read as u64);
        if self.patience.is_some_and(|patience| Instant::now() > patience) {
            self.patience = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Ok(read)
    }
}

impl<R> Drop for Counted<R> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use std::io::Read;
    use std::path::Path;

    #[test]
    fn what_is_read_is_the_same() {
        let mut bytes = vec![];
        let mut reader = Progress::new(true).of(&[7; 100_000][..], Path::new("a/trace.bin"), 100_000);
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, vec![7; 100_000]);
    }
}
