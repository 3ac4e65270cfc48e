//! The processed profile of the Firefox Profiler: a thread for each thread, and one for the tasks of each spawn line. Each
//! wait is a sample, weighted by its length, and a marker; each hold is a marker.
use super::{Source, facts, title, unix_ns};
use crate::error::Error;
use fxprof_processed_profile::{
    CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, MarkerFieldFlags, MarkerFieldFormat,
    MarkerLocations, MarkerTiming, ProcessHandle, Profile, ReferenceTimestamp, SamplingInterval,
    StaticSchemaMarker, StaticSchemaMarkerField, StringHandle, ThreadHandle, Timestamp, WeightType,
};
use lockprof_engine::findings::Context;
use lockprof_engine::model::Span;
use lockprof_trace::Party;
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

const NS_IN_MS: u64 = 1_000_000;

/// A wait or a hold in the marker chart.
struct Bar {
    name: StringHandle,
    about: StringHandle,
}

impl StaticSchemaMarker for Bar {
    const UNIQUE_MARKER_TYPE_NAME: &'static str = "lockprof";
    const LOCATIONS: MarkerLocations = MarkerLocations::MARKER_CHART
        .union(MarkerLocations::MARKER_TABLE)
        .union(MarkerLocations::TIMELINE_OVERVIEW);
    const CHART_LABEL: Option<&'static str> = Some("{marker.data.about}");
    const TOOLTIP_LABEL: Option<&'static str> = Some("{marker.name}");
    const TABLE_LABEL: Option<&'static str> = Some("{marker.name}: {marker.data.about}");
    const FIELDS: &'static [StaticSchemaMarkerField] = &[StaticSchemaMarkerField {
        key: "about",
        label: "About",
        format: MarkerFieldFormat::String,
        flags: MarkerFieldFlags::SEARCHABLE,
    }];

    fn name(&self, _: &mut Profile) -> StringHandle {
        self.name
    }

    fn category(&self, _: &mut Profile) -> CategoryHandle {
        CategoryHandle::OTHER
    }

    fn string_field_value(&self, _: u32) -> StringHandle {
        self.about
    }

    fn number_field_value(&self, _: u32) -> f64 {
        0.0
    }
}

struct Builder {
    profile: Profile,
    began: u64,
    processes: HashMap<usize, ProcessHandle>,
    /// Threads by themselves, and classes of tasks; with the part of a millisecond that no sample has told yet.
    lanes: HashMap<(usize, Party, u64), (ThreadHandle, u64)>,
}

pub(super) fn write(source: &Source<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let began = source.began();
    let reference = ReferenceTimestamp::from_duration_since_unix_epoch(Duration::from_nanos(began));
    let exe = source.contexts.first().map_or("", |context| &*context.model.session.exe);
    let mut profile = Profile::new(exe, reference, SamplingInterval::from_millis(1));
    profile.set_symbolicated(true);
    let mut builder = Builder { profile, began, processes: HashMap::new(), lanes: HashMap::new() };
    source.spans(|context, span| {
        builder.span(context, span);
        Ok(())
    })?;
    serde_json::to_writer(out, &builder.profile).map_err(|error| Error::Print(error.into()))
}

impl Builder {
    fn time(&self, context: &Context<'_>, ticks: u64) -> Timestamp {
        Timestamp::from_nanos_since_reference(unix_ns(context, ticks) - self.began)
    }

    /// When a process's recording begins and ends.
    fn times(&self, context: &Context<'_>) -> (Timestamp, Timestamp) {
        (self.time(context, context.model.session.at), self.time(context, context.model.end()))
    }

    fn process(&mut self, context: &Context<'_>) -> ProcessHandle {
        if let Some(known) = self.processes.get(&context.process) {
            return *known;
        }
        let (session, (begin, end)) = (&context.model.session, self.times(context));
        let pid = u32::try_from(session.pid).unwrap_or(u32::MAX);
        let process = self.profile.add_process(&session.exe, pid, begin);
        self.profile.set_process_end_time(process, end);
        self.processes.insert(context.process, process);
        process
    }

    fn lane(&mut self, context: &Context<'_>, party: Party) -> (usize, Party, u64) {
        let facts = context.model.parties.get(party);
        let class = facts.map_or(0, |facts| facts.class);
        let key = if party.is_task() {
            (context.process, Party::UNKNOWN, class)
        } else {
            (context.process, party, 0)
        };
        if !self.lanes.contains_key(&key) {
            let name = match (party.is_task(), class) {
                (true, 0) => "tasks".into(),
                (true, class) => context.class_name(class),
                _ => context.party_name(party),
            };
            let tid = facts.map_or(0, |facts| u32::try_from(facts.os_id).unwrap_or(0));
            let (begin, end) = self.times(context);
            let is_main = facts.is_some_and(|facts| facts.os_id == context.model.session.pid);
            let process = self.process(context);
            let thread = self.profile.add_thread(process, tid, begin, is_main);
            self.profile.set_thread_name(thread, &name);
            self.profile.set_thread_samples_weight_type(thread, WeightType::TracingMs);
            self.profile.set_thread_show_markers_in_timeline(thread, true);
            // The profiler shows the time from the first sample to the last one, and no marker that lies before or behind.
            for at in [begin, end] {
                self.profile.add_sample(thread, at, None, CpuDelta::ZERO, 0);
            }
            self.lanes.insert(key, (thread, 0));
        }
        key
    }

    fn span(&mut self, context: &Context<'_>, span: &Span) {
        let key = self.lane(context, span.party);
        let thread = self.lanes[&key].0;
        let [begin, end] = [span.begin, span.end].map(|ticks| self.time(context, ticks));
        let about: Vec<String> =
            facts(context, span).into_iter().map(|(name, text)| format!("{name} {text}")).collect();
        let about = format!("{}; {}", context.party_name(span.party), about.join("; "));
        let title = title(context, span);
        let bar = Bar { name: self.profile.intern_string(&title), about: self.profile.intern_string(&about) };
        let marker = self.profile.add_marker(thread, MarkerTiming::Interval(begin, end), bar);
        if !span.doing.is_wait() {
            return;
        }
        let mut names: Vec<String> =
            context.frames(span.stack).iter().rev().map(ToString::to_string).collect();
        names.push(title);
        let frames: Vec<FrameInfo> = names
            .iter()
            .map(|name| FrameInfo {
                frame: Frame::Label(self.profile.intern_string(name)),
                category_pair: CategoryHandle::OTHER.into(),
                flags: FrameFlags::empty(),
            })
            .collect();
        let stack = self.profile.intern_stack_frames(thread, frames.into_iter());
        self.profile.set_marker_stack(thread, marker, stack);
        // Weights are whole milliseconds; what is left of one wait is told with the next.
        let left = self.lanes.get_mut(&key).map(|lane| &mut lane.1);
        let length = context.model.ns(span.end - span.begin);
        let weight = left.map_or(0, |left| {
            *left += length;
            let whole = *left / NS_IN_MS;
            *left %= NS_IN_MS;
            whole
        });
        let weight = i32::try_from(weight).unwrap_or(i32::MAX);
        self.profile.add_sample(thread, end, stack, CpuDelta::ZERO, weight);
    }
}
