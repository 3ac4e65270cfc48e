//! Track events of Perfetto: a track for each thread and task, with its waits and its holds.
//!
//! Spans of one track must lie within each other. A task can wait for several things at once, and holds overlap as they
//! like; so a party has as many tracks of one name as needed, and Perfetto's view draws those together. The messages are
//! those of `trace.proto`; each is written when it is known.
use super::{Source, facts, title, unix_ns};
use crate::error::Error;
use lockprof_engine::findings::Context;
use lockprof_engine::model::Span;
use lockprof_trace::Party;
use prost::Message;
use std::collections::HashMap;
use std::io::{self, Write};

/// Tracks of one name that a party has at most; what overlaps still more is drawn in the last one.
const MOST: usize = 16;
/// All packets are of one writer.
const SEQUENCE: u32 = 1;
const SLICE_BEGIN: i32 = 1;
const SLICE_END: i32 = 2;

#[derive(Message)]
struct Packet {
    #[prost(uint64, optional, tag = "8")]
    timestamp: Option<u64>,
    #[prost(uint32, tag = "10")]
    trusted_packet_sequence_id: u32,
    #[prost(message, optional, tag = "11")]
    track_event: Option<TrackEvent>,
    #[prost(message, optional, tag = "60")]
    track_descriptor: Option<TrackDescriptor>,
}

#[derive(Message)]
struct TrackDescriptor {
    #[prost(uint64, tag = "1")]
    uuid: u64,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(message, optional, tag = "3")]
    process: Option<ProcessDescriptor>,
    #[prost(uint64, optional, tag = "5")]
    parent_uuid: Option<u64>,
}

#[derive(Message)]
struct ProcessDescriptor {
    #[prost(int32, tag = "1")]
    pid: i32,
    #[prost(string, tag = "6")]
    process_name: String,
}

#[derive(Message)]
struct TrackEvent {
    #[prost(message, repeated, tag = "4")]
    debug_annotations: Vec<Annotation>,
    #[prost(int32, tag = "9")]
    r#type: i32,
    #[prost(uint64, tag = "11")]
    track_uuid: u64,
    #[prost(string, repeated, tag = "22")]
    categories: Vec<String>,
    #[prost(string, optional, tag = "23")]
    name: Option<String>,
}

#[derive(Message)]
struct Annotation {
    #[prost(string, optional, tag = "6")]
    string_value: Option<String>,
    #[prost(string, optional, tag = "10")]
    name: Option<String>,
}

/// The tracks so far.
struct Tracks<'a> {
    out: &'a mut dyn Write,
    last: u64,
    /// Of processes, and of the spawn lines of tasks.
    groups: HashMap<(usize, u64), u64>,
    parties: HashMap<(usize, Party), u64>,
    /// Of a party's waits and holds: each track, and when its last span ended.
    lanes: HashMap<(u64, bool), Vec<(u64, u64)>>,
}

pub(super) fn write(source: &Source<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let mut tracks =
        Tracks { out, last: 0, groups: HashMap::new(), parties: HashMap::new(), lanes: HashMap::new() };
    let began = source.began();
    source.spans(|context, span| tracks.span(context, span, began))
}

impl Tracks<'_> {
    /// A message in the list of packets that a trace is.
    fn packet(&mut self, packet: &Packet) -> io::Result<()> {
        const FIELD: u8 = 1 << 3 | 2;
        let mut bytes = vec![FIELD];
        bytes.extend(packet.encode_length_delimited_to_vec());
        self.out.write_all(&bytes)
    }

    fn track(
        &mut self,
        parent_uuid: Option<u64>,
        name: Option<String>,
        process: Option<ProcessDescriptor>,
    ) -> io::Result<u64> {
        self.last += 1;
        let uuid = self.last;
        self.packet(&Packet {
            trusted_packet_sequence_id: SEQUENCE,
            track_descriptor: Some(TrackDescriptor { uuid, name, process, parent_uuid }),
            ..Packet::default()
        })?;
        Ok(uuid)
    }

    /// The track above all of a process, or above its tasks of one spawn line.
    fn group(&mut self, context: &Context<'_>, class: u64) -> io::Result<u64> {
        if let Some(known) = self.groups.get(&(context.process, class)) {
            return Ok(*known);
        }
        let session = &context.model.session;
        let track = if class == 0 {
            let process = ProcessDescriptor {
                pid: i32::try_from(session.pid).unwrap_or(i32::MAX),
                process_name: session.exe.clone(),
            };
            self.track(None, None, Some(process))?
        } else {
            let above = self.group(context, 0)?;
            self.track(Some(above), Some(context.class_name(class)), None)?
        };
        self.groups.insert((context.process, class), track);
        Ok(track)
    }

    fn party(&mut self, context: &Context<'_>, party: Party) -> io::Result<u64> {
        if let Some(known) = self.parties.get(&(context.process, party)) {
            return Ok(*known);
        }
        let class = context.model.parties.get(party).map_or(0, |facts| facts.class);
        let above = self.group(context, if party.is_task() { class } else { 0 })?;
        let track = self.track(Some(above), Some(context.party_name(party)), None)?;
        self.parties.insert((context.process, party), track);
        Ok(track)
    }

    /// A track on which nothing lies between these moments.
    fn lane(&mut self, above: u64, is_wait: bool, begin: u64, end: u64) -> io::Result<u64> {
        let lanes = self.lanes.entry((above, is_wait)).or_default();
        let full = lanes.len() >= MOST;
        let free = lanes.iter_mut().find(|(_, until)| *until <= begin);
        if let Some((track, until)) = free {
            *until = end;
            return Ok(*track);
        }
        if full && let Some((track, until)) = lanes.last_mut() {
            *until = (*until).max(end);
            return Ok(*track);
        }
        let track = self.track(Some(above), Some(if is_wait { "waits" } else { "holds" }.into()), None)?;
        self.lanes.entry((above, is_wait)).or_default().push((track, end));
        Ok(track)
    }

    fn span(&mut self, context: &Context<'_>, span: &Span, began: u64) -> io::Result<()> {
        let party = self.party(context, span.party)?;
        let is_wait = span.doing.is_wait();
        let [begin, end] = [span.begin, span.end].map(|ticks| unix_ns(context, ticks) - began);
        let track_uuid = self.lane(party, is_wait, begin, end)?;
        let annotation =
            |(name, text): (&str, String)| Annotation { name: Some(name.into()), string_value: Some(text) };
        let event = |at: u64, track_event: TrackEvent| Packet {
            timestamp: Some(at),
            trusted_packet_sequence_id: SEQUENCE,
            track_event: Some(track_event),
            track_descriptor: None,
        };
        self.packet(&event(
            begin,
            TrackEvent {
                debug_annotations: facts(context, span).into_iter().map(annotation).collect(),
                r#type: SLICE_BEGIN,
                track_uuid,
                categories: vec![if is_wait { "wait" } else { "hold" }.into()],
                name: Some(title(context, span)),
            },
        ))?;
        self.packet(&event(end, TrackEvent { r#type: SLICE_END, track_uuid, ..TrackEvent::default() }))
    }
}
