//! `lockprof top`: a live view of a recorded process.
use crate::error::Error;
use crate::top::{App, Does, Follow, Frame, draw, plain, save};
use ratatui::crossterm::event::{self, Event};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Shows the process, or what there is of it, until it is told to end; or once, as text.
pub fn top(target: &Path, once: bool, interval: Duration, symbols: &[PathBuf]) -> Result<u8, Error> {
    let mut follow = Follow::attach(target)?;
    follow.modules.look_in(symbols);
    let mut frame = Frame::of(follow.read()?, None, &follow.modules);
    if once || !io::stdout().is_terminal() {
        // What does not go on any more has no rates but those of all its time.
        if frame.note.is_none() {
            thread::sleep(interval);
            frame = Frame::of(follow.read()?, Some(&frame), &follow.modules);
        }
        return match anstream::stdout().write_all(plain(&frame).as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Print(error)),
            _ => Ok(0),
        };
    }
    let mut terminal = ratatui::try_init().map_err(Error::Terminal)?;
    let shown = show(&mut terminal, App::new(frame), follow, interval);
    ratatui::restore();
    shown.map(|()| 0)
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    mut app: App,
    mut follow: Follow,
    interval: Duration,
) -> Result<(), Error> {
    let mut next = Instant::now() + interval;
    loop {
        terminal.draw(|to| draw(&app, to)).map_err(Error::Terminal)?;
        let left = next.saturating_duration_since(Instant::now());
        if event::poll(left).map_err(Error::Terminal)? {
            let Event::Key(key) = event::read().map_err(Error::Terminal)? else { continue };
            match app.key(key, &follow.modules) {
                Does::Draw => {}
                Does::Quit => return Ok(()),
                Does::Save => app.message = snapshot(&app, &follow),
            }
            continue;
        }
        if !app.paused {
            match follow.read() {
                Ok(reading) => app.update(Frame::of(reading, Some(&app.frame), &follow.modules)),
                Err(error) => app.message = error.to_string(),
            }
        }
        next = Instant::now() + interval;
    }
}

/// Writes a snapshot into this folder, and says so.
fn snapshot(app: &App, follow: &Follow) -> String {
    let seconds = app.frame.recorded_ns / 1_000_000_000;
    let path = PathBuf::from(format!("lockprof-{}-{seconds}s.bin", app.frame.model.session.pid));
    match save(follow, &path) {
        Ok(()) => format!("written: {}", path.display()),
        Err(error) => error.to_string(),
    }
}
