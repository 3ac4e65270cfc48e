//! What stands at each path.
use super::{goroutines, names, profiles};
use crate::{live, session};
use hyper::StatusCode;
use lockprof_engine::Options;
use lockprof_engine::findings::Context;
use lockprof_engine::model::Model;
use std::fmt::Write;
use std::time::Duration;

/// The longest time that a profile may be asked to take, in seconds.
pub(super) const MAX_SECONDS: u64 = 300;

/// How long is sampled for a profile of what runs, where that is not told: as long as Go does.
const SAMPLED: Duration = Duration::from_secs(30);

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// What a client asked for.
pub(super) struct Asked {
    path: String,
    /// How much text: 0 for the profile as bytes.
    debug: Result<u32, Answer>,
    /// What happens in this time; `None` for all that is recorded.
    time: Result<Option<Duration>, Answer>,
    open_metrics: bool,
}

impl Asked {
    pub(super) fn new(path: &str, query: &str, accepts: &str) -> Self {
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|pair| pair.0 == name).map(|pair| pair.1.to_owned()).next_back()
        };
        let bad = |what: &str| Answer::say(StatusCode::BAD_REQUEST, what);
        let debug =
            value("debug").map_or(Ok(0), |debug| debug.parse().map_err(|_| bad("debug is 0, 1 or 2")));
        let seconds = value("seconds").map(|seconds| {
            let seconds = seconds.parse().ok().filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
            let seconds = seconds.ok_or_else(|| bad(&format!("seconds is a number from 1 to {MAX_SECONDS}")));
            seconds.map(Duration::from_secs)
        });
        Self {
            path: path.into(),
            debug,
            time: seconds.transpose(),
            open_metrics: accepts.contains("application/openmetrics-text"),
        }
    }

    /// The profile that is asked for, if it is one that there is.
    fn profile(&self) -> Option<&str> {
        let name = self.path.strip_prefix("/debug/pprof/")?;
        let is_there = name != "profile" || session::is_sampled();
        (is_there && PROFILES.iter().any(|profile| profile.0 == name)).then_some(name)
    }

    /// For how long, where that is well asked.
    fn lasts(&self) -> Option<Duration> {
        self.of(self.profile()?).ok()?.1
    }

    /// How much text of this profile, and of which time.
    fn of(&self, name: &str) -> Result<(u32, Option<Duration>), Answer> {
        let (debug, mut time) = (self.debug.clone()?, self.time.clone()?);
        if name == "profile" {
            time.get_or_insert(SAMPLED);
        }
        let wrong = match (time, debug) {
            (Some(_), 1..) => "text is of all that is recorded: leave out debug or seconds",
            (Some(_), _) if name.starts_with("goroutine") => {
                "who lives is told of one moment: leave out seconds"
            }
            _ => return Ok((debug, time)),
        };
        Err(Answer::say(StatusCode::BAD_REQUEST, wrong))
    }
}

/// What it is told.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Its type.
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A sentence.
    pub(super) fn say(status: StatusCode, sentence: &str) -> Self {
        Self { status, kind: TEXT, body: format!("{sentence}\n").into() }
    }

    fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, kind, body: body.into() }
    }
}

/// The profiles, and what each tells.
const PROFILES: [(&str, &str); 5] = [
    ("block", "where threads and tasks have waited, and for how long"),
    ("mutex", "which lines made others wait for a lock, and for how long"),
    ("goroutine", "all threads and tasks that live, with the stacks of those that wait"),
    ("goroutineleak", "those that are stuck, by the findings of verdict proved or suspected"),
    ("profile", "what runs on the processors"),
];

/// What was known when the time began that was asked for.
pub(super) type Before = Model;

/// For what lasts: what is known now, and for how long to wait until [`answer`]. Takes some milliseconds.
pub(super) fn begin(asked: &Asked) -> Option<(Before, Duration)> {
    let time = asked.lasts()?;
    Some((live::model()?, time))
}

/// Answers, where something was to last since `before`. Takes some milliseconds.
pub(super) fn answer(asked: &Asked, before: Option<Before>) -> Answer {
    let answered = match &*asked.path {
        "/" | "/debug/pprof" | "/debug/pprof/" => Ok(Answer::of("text/html; charset=utf-8", index())),
        "/metrics" => metrics(asked.open_metrics),
        "/stuck" => stuck(),
        path => match path.strip_prefix("/debug/pprof/") {
            Some("profile") if !session::is_sampled() => Err(Answer::say(
                StatusCode::NOT_IMPLEMENTED,
                "where this program runs is not sampled: build it with lockprof's feature `cpu` and start it with cpu=99",
            )),
            Some(name) if asked.profile() == Some(name) => profile(name, asked, before),
            _ => Err(Answer::say(StatusCode::NOT_FOUND, "no such page: /debug/pprof/ lists what there is")),
        },
    };
    answered.unwrap_or_else(|answer| answer)
}

fn nothing() -> Answer {
    Answer::say(StatusCode::SERVICE_UNAVAILABLE, "nothing is recorded in this process now")
}

fn index() -> String {
    let mut page = "<!DOCTYPE html>\n<html><head><title>lockprof</title></head><body>\n".to_owned();
    // Writing to a string does not fail.
    let _ = writeln!(page, "<h1>lockprof, process {}</h1>\n<ul>", std::process::id());
    for (name, tells) in PROFILES {
        let _ = write!(page, "<li><a href=\"/debug/pprof/{name}\">{name}</a>");
        if name != "profile" {
            let _ = write!(page, " (<a href=\"/debug/pprof/{name}?debug=1\">text</a>)");
        }
        let _ = writeln!(page, ": {tells}</li>");
    }
    page += "<li><a href=\"/debug/pprof/goroutine?debug=2\">all stacks</a>: each thread and task by itself</li>\n\
             <li><a href=\"/stuck\">stuck</a>: what is stuck now, as JSON</li>\n\
             <li><a href=\"/metrics\">metrics</a>: for Prometheus</li>\n</ul></body></html>\n";
    page
}

fn stuck() -> Result<Answer, Answer> {
    let stuck = live::stuck_named(names::all());
    if !stuck.is_recorded() {
        return Err(nothing());
    }
    let told = serde_json::json!({ "pid": std::process::id(), "findings": stuck.findings() });
    Ok(Answer::of("application/json", told.to_string()))
}

fn metrics(open_metrics: bool) -> Result<Answer, Answer> {
    match crate::metrics() {
        text if text.is_empty() => Err(nothing()),
        text if open_metrics => {
            Ok(Answer::of("application/openmetrics-text; version=1.0.0; charset=utf-8", text))
        }
        text => Ok(Answer::of("text/plain; version=0.0.4; charset=utf-8", prometheus(&text))),
    }
}

/// OpenMetrics as Prometheus's own text: there a counter is called by its whole name.
fn prometheus(open_metrics: &str) -> String {
    let counters: Vec<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let lines = open_metrics.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF");
    let lines = lines.map(|line| {
        let mut words = line.splitn(4, ' ');
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some("#"), Some(what), Some(name), Some(rest)] if counters.contains(&name) => {
                format!("# {what} {name}_total {rest}\n")
            }
            _ => format!("{line}\n"),
        }
    });
    lines.collect()
}

fn profile(name: &str, asked: &Asked, before: Option<Before>) -> Result<Answer, Answer> {
    let (debug, time) = asked.of(name)?;
    let parties = name.starts_with("goroutine");
    let before = before.map(|model| in_context(model, |context| profiles::samples(name, context)));
    with_context(|context| match (parties, debug) {
        (true, 2..) => Answer::of(TEXT, goroutines::stacks(name, context)),
        (true, 1) => Answer::of(TEXT, goroutines::text(name, context)),
        (true, 0) => Answer::of(BYTES, goroutines::bytes(name, context)),
        (false, 0) => Answer::of(BYTES, profiles::bytes(name, context, before, time)),
        (false, _) => Answer::of(TEXT, profiles::text(name, context)),
    })
}

/// Asks what is recorded up to now.
fn with_context<T>(ask: impl FnOnce(&Context<'_>) -> T) -> Result<T, Answer> {
    Ok(in_context(live::model().ok_or_else(nothing)?, ask))
}

fn in_context<T>(model: Model, ask: impl FnOnce(&Context<'_>) -> T) -> T {
    let (model, options) = (model.resolved(), Options::default());
    ask(&Context::new(0, &model, &options, names::all()))
}

#[cfg(test)]
mod tests {
    use super::prometheus;

    #[test]
    fn counters_are_called_by_their_whole_names() {
        let text = "# HELP a_b Waits.\n# TYPE a_b counter\n# UNIT a_b seconds\na_b_total{x=\"y\"} 1\n\
                    # HELP c Live.\n# TYPE c gauge\nc 2\n# EOF\n";
        let told = "# HELP a_b_total Waits.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n\
                    # HELP c Live.\n# TYPE c gauge\nc 2\n";
        assert_eq!(prometheus(text), told);
    }
}
