//! The trace file: what is written is read, and what is damaged gives what is left of it, or a typed error.
mod any;

use any::Any;
use lockprof_trace::file::{
    Block, Error, FRAME, HoldKey, MARK, MAX_BLOCK, MAX_SCHEMA, Parts, Reader, VERSION, header,
};
use lockprof_trace::{
    Change, End, Event, HoldSource, Kind, Loss, MAX_FRAMES, MAX_TEXT, Mode, Operation, Outcome, Party, Role,
    SCHEMA, TaskState, WaitEnd,
};

/// A file of these events, `per_block` in each block; and where each block ends.
fn file_of(events: &[Event<'_>], per_block: usize) -> (Vec<u8>, Vec<usize>) {
    let (mut file, mut ends, mut block) = (header(), vec![], Block::new());
    for events in events.chunks(per_block) {
        events.iter().for_each(|event| block.push(event));
        block.finish(&mut file);
        ends.push(file.len());
    }
    (file, ends)
}

/// What a reader gives, errors in their place; and where the file was cut.
type Read = (Vec<Result<Event<'static>, Error>>, Option<u64>);

fn read_all(file: &[u8]) -> Result<Read, Error> {
    let mut reader = Reader::new(file)?;
    let mut read = vec![];
    loop {
        match reader.next() {
            Ok(Some(event)) => read.push(Ok(event.into_owned())),
            Ok(None) => break,
            Err(error) => read.push(Err(error)),
        }
    }
    // The same by blocks.
    let mut blocks = Reader::new(file)?;
    let mut at = 0;
    loop {
        match blocks.block() {
            Ok(Some(events)) => events.for_each(|event| {
                match (event, &read[at]) {
                    (Ok(left), Ok(right)) => assert_eq!(&left, right),
                    (Err(left), Err(right)) => assert_eq!(left.to_string(), right.to_string()),
                    (left, right) => panic!("{left:?} is not {right:?}"),
                }
                at += 1;
            }),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.to_string(), read[at].as_ref().unwrap_err().to_string());
                at += 1;
            }
        }
    }
    assert_eq!(at, read.len());
    let facts = |reader: &Reader<_>| (reader.cut(), reader.skipped(), reader.damaged());
    assert_eq!(facts(&reader), facts(&blocks));
    assert_same_apart(file, &read);
    Ok((read, reader.cut()))
}

/// Blocks that are taken apart tell the same: all but holds in the same order, and each group of holds in its order.
fn assert_same_apart(file: &[u8], read: &[Result<Event<'_>, Error>]) {
    let (mut holds, mut others, mut errors) = (vec![], vec![], vec![]);
    let (mut reader, mut parts, mut buffer) = (Reader::new(file).unwrap(), Parts::default(), vec![]);
    loop {
        match reader.raw_block(std::mem::take(&mut buffer)) {
            Ok(Some(block)) => {
                buffer = block.apart(&mut parts);
                let groups = parts.holds();
                holds
                    .extend(groups.flat_map(|(key, times)| {
                        times.iter().map(move |time| key.hold(time.at, time.ticks))
                    }));
                others.append(&mut parts.others);
                errors.extend(parts.error.take().map(|error| error.to_string()));
            }
            Ok(None) => break,
            Err(error) => errors.push(error.to_string()),
        }
    }
    let told = read.iter().filter_map(|read| read.as_ref().ok());
    let mut within = false;
    let (mut alone, rest): (Vec<_>, Vec<_>) = told.cloned().partition(|event| {
        !std::mem::replace(&mut within, matches!(event, Event::Within { .. }))
            && matches!(event, Event::Hold { .. })
    });
    assert!(others == rest);
    let order = |hold: &Event<'_>| {
        HoldKey::of(hold).map(|(key, at, ticks)| (at, ticks, key.party, key.object, key.source))
    };
    holds.sort_by_key(order);
    alone.sort_by_key(order);
    assert!(holds == alone);
    let told: Vec<_> = read.iter().filter_map(|read| Some(read.as_ref().err()?.to_string())).collect();
    assert_eq!(errors, told);
}

fn events_of(file: &[u8]) -> Vec<Event<'static>> {
    read_all(file).unwrap().0.into_iter().map(Result::unwrap).collect()
}

#[test]
fn every_event_comes_back() {
    for seed in 0..200 {
        let mut any = Any(seed);
        let events = any.events(3);
        let (file, _) = file_of(&events, 1 + any.bits() as usize % 40);
        assert_eq!(events_of(&file), events, "seed {seed}");
    }
}

#[test]
fn a_large_block_becomes_several() {
    let events = Any(7).events(2000);
    let (file, _) = file_of(&events, events.len());
    assert!(file.len() > 2 * MAX_BLOCK);
    assert_eq!(events_of(&file), events);
}

/// Holds by some threads of some objects, as full mode tells of them: with other events and spans between.
fn holds(seed: u64, count: usize) -> Vec<Event<'static>> {
    let mut any = Any(seed);
    let objects = 1 + any.bits() % 200;
    let mut at = any.bits() >> 8;
    let mut events = vec![];
    for _ in 0..count {
        at = at.wrapping_add(any.bits() % 5_000);
        let (ticks, party) = (any.bits() % 400, Party::thread(1 + any.bits() % 3));
        let object = any.bits() % objects;
        let source = HoldSource::ALL[any.bits() as usize % 2];
        match any.bits() % 50 {
            0 => events.push(Event::Name { object, name: "orders".into() }),
            1 => events.push(Event::Within { span: 7 }),
            _ => {}
        }
        events.push(Event::Hold { at, ticks, party, object, site: 0x5000_0000 + object * 4096, source });
    }
    events
}

#[test]
fn holds_come_back() {
    for seed in 0..20 {
        let events = holds(seed, 20_000);
        let (file, _) = file_of(&events, events.len());
        assert!(events_of(&file) == events, "seed {seed}");
    }
}

#[test]
fn a_hold_that_is_told_again_is_short() {
    let hold = |at| Event::Hold {
        at,
        ticks: 9,
        party: Party::thread(1),
        object: 5,
        site: 1 << 40,
        source: HoldSource::Full,
    };
    let sizes = [1, 2, 3]
        .map(|count| file_of(&(0..count).map(|at| hold((1 << 40) + at)).collect::<Vec<_>>(), 9).0.len());
    assert_eq!((sizes[1] - sizes[0], sizes[2] - sizes[1]), (3, 3), "number, end, length");
}

#[test]
fn a_hold_of_a_later_version_has_a_place_too() {
    let hold = |source: u8| [21, 3, 1, 2, 5, 3, source];
    let events = [&hold(2)[..], &hold(77), &hold(1), &[128, 3, 1], &[129, 3, 1], &[130, 3, 1]].concat();
    let (read, _) = read_all(&[&header()[..], &block_of(&events)].concat()).unwrap();
    let sources = read.into_iter().map(|event| match event.unwrap() {
        Event::Hold { source, .. } => source,
        other => panic!("{other:?}"),
    });
    assert_eq!(
        sources.collect::<Vec<_>>(),
        [2, 1, 2, 1].map(|source| HoldSource::from_number(source).unwrap())
    );
}

#[test]
fn an_empty_block_is_no_bytes() {
    let (mut out, mut block) = (vec![], Block::new());
    block.finish(&mut out);
    assert!(out.is_empty() && block.is_empty());
    block.push(&Event::Name { object: 1, name: "orders".into() });
    assert!(!block.is_empty());
    let length = block.len_bytes();
    block.finish(&mut out);
    assert!(block.is_empty() && out.len() == length);
}

#[test]
fn what_is_beyond_the_limits_is_cut() {
    let stack = Event::Stack { stack: 1, frames: vec![9; MAX_FRAMES + 1].into() };
    let name = Event::Name { object: 1, name: "ä".repeat(MAX_TEXT).into() };
    let (file, _) = file_of(&[stack, name], 2);
    let [Event::Stack { frames, .. }, Event::Name { name, .. }] = &events_of(&file)[..] else { panic!() };
    assert_eq!((frames.len(), name.len()), (MAX_FRAMES, MAX_TEXT));
}

#[test]
fn every_prefix_gives_its_whole_blocks() {
    let events = Any(1).events(1);
    let (file, ends) = file_of(&events, 3);
    for length in 0..=file.len() {
        let whole = ends.iter().filter(|end| **end <= length).count();
        match read_all(&file[..length]) {
            Ok((read, cut)) => {
                let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
                assert_eq!(read, events[..(whole * 3).min(events.len())], "{length} bytes");
                let begin = ends[..whole].last().copied().unwrap_or(header().len());
                assert_eq!(cut, (length > begin).then_some(begin as u64), "{length} bytes");
            }
            Err(Error::Empty) => assert_eq!(length, 0),
            Err(error) => {
                assert!(length < header().len() && matches!(error, Error::Corrupt { .. }), "{error}")
            }
        }
    }
}

#[test]
fn a_flipped_byte_costs_one_block() {
    let events = Any(2).events(1);
    let (file, ends) = file_of(&events, 5);
    for at in 0..file.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut file = file.clone();
            file[at] ^= flip;
            let Ok((read, cut)) = read_all(&file) else {
                assert!(at < header().len(), "byte {at}");
                continue;
            };
            assert!(at >= header().len(), "byte {at}");
            let hit = ends.iter().position(|end| at < *end).unwrap();
            let mut left = events.clone();
            left.drain(hit * 5..(hit * 5 + 5).min(left.len()));
            let begin = if hit == 0 { header().len() } else { ends[hit - 1] } as u64;
            let errors: Vec<_> = read.iter().filter_map(|read| read.as_ref().err()).collect();
            // A wrong length in the last block looks like a file that was cut off.
            match errors[..] {
                [Error::Corrupt { offset, .. }] => assert_eq!(*offset, begin, "byte {at}"),
                [] => assert!(cut == Some(begin) && hit == ends.len() - 1, "byte {at}"),
                _ => panic!("byte {at}: {errors:?}"),
            }
            let read: Vec<_> = read.into_iter().filter_map(Result::ok).collect();
            assert_eq!(read, left, "byte {at}");
        }
    }
}

#[test]
fn garbage_between_blocks_is_one_damage() {
    let events = Any(3).events(1);
    let (file, ends) = file_of(&events, 10);
    for garbage in [
        vec![0; 300_000],
        MARK.repeat(100_000),
        [&MARK[..], &[0xFF, 0xFF, 3, 0, 1, 2, 3, 4]].concat().repeat(5_000),
    ] {
        let file = [&file[..ends[0]], &garbage, &file[ends[0]..]].concat();
        let (read, cut) = read_all(&file).unwrap();
        let errors = read.iter().filter(|read| read.is_err()).count();
        assert_eq!((errors, cut), (1, None));
        assert_eq!(read.into_iter().filter_map(Result::ok).collect::<Vec<_>>(), events);
    }
}

#[test]
fn what_is_no_trace_is_told() {
    let error = |bytes: &[u8]| Reader::new(bytes).err().unwrap();
    assert!(matches!(error(b""), Error::Empty));
    assert!(matches!(error(b"fn main() {}\n"), Error::NotATrace));
    assert!(matches!(error(b"x"), Error::NotATrace));
    let mut newer = header();
    newer[8] += 1;
    assert!(
        matches!(error(&newer), Error::Version { found, known } if found == VERSION + 1 && known == VERSION)
    );
    let mut long = header();
    long[12..16].copy_from_slice(&(MAX_SCHEMA as u32 + 1).to_le_bytes());
    assert!(matches!(error(&long), Error::Corrupt { offset: 12, .. }));
    assert_eq!(
        error(&newer).to_string(),
        "the trace has format version 2, newer than 1, which is what this lockprof reads (byte 8)"
    );
}

#[test]
fn a_reader_that_gives_single_bytes_will_do() {
    struct Slowly<'a>(&'a [u8]);
    impl std::io::Read for Slowly<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = out.len().min(1).min(self.0.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let events = Any(4).events(1);
    let (file, _) = file_of(&events, 10);
    let mut reader = Reader::new(Slowly(&file)).unwrap();
    let mut count = 0;
    while reader.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, events.len());
    assert_eq!(reader.offset(), file.len() as u64);
}

/// A header with another schema, for files of other versions.
fn header_with(schema: &[(u8, &str, &str)]) -> Vec<u8> {
    let mut listed = vec![];
    for (number, name, letters) in schema {
        listed.push(*number);
        for text in [name, letters] {
            listed.push(text.len() as u8);
            listed.extend_from_slice(text.as_bytes());
        }
    }
    let mut out = header()[..12].to_vec();
    out.extend_from_slice(&(listed.len() as u32).to_le_bytes());
    out.extend_from_slice(&listed);
    let crc = crc32fast::hash(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn block_of(events: &[u8]) -> Vec<u8> {
    let length = (events.len() as u32).to_le_bytes();
    let crc = crc32fast::hash(&[&length, events].concat());
    [&MARK[..], &length, &crc.to_le_bytes(), events].concat()
}

#[test]
fn later_and_earlier_schemas_are_read() {
    // Population with one field more, ThreadEnd without its last, Name with other letters, and a kind that is new.
    let schema = [
        (25, "Population", "tnns"),
        (11, "ThreadEnd", "tn"),
        (7, "Name", "ss"),
        (5, "Class", "nnas"),
        (200, "Weather", "nlsta"),
    ];
    let events = [
        &[200, 1, 2, 9, 9, 1, b'x', 21, 21][..], // addresses 4 and 8, time 10, address 18
        &[25, 3, 4, 5, 1, b'!'],                 // time 11
        &[11, 3, 6],                             // time 12
        &[7, 1, b'a', 1, b'b'],
        &[5, 1, 0xFF, 0x7F, 5, 1, b'T'], // a kind of object that is not known; address 20
        &[5, 1, 1, 3, 1, b'T'],
    ];
    let file = [header_with(&schema), block_of(&events.concat())].concat();
    let (read, cut) = read_all(&file).unwrap();
    let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    assert_eq!(cut, None);
    assert!(matches!(read[0], Event::Population { at: 11, class: 4, live: 5 }), "{read:?}");
    assert!(
        matches!(read[1], Event::ThreadEnd { at: 12, outcome: lockprof_trace::Outcome::Finished, .. }),
        "{read:?}"
    );
    assert!(matches!(read[2], Event::Class { class: 1, kind: Kind::Mutex, site: 21, .. }), "{read:?}");
    assert_eq!(read.len(), 3);
    let mut reader = Reader::new(&file[..]).unwrap();
    while reader.next().unwrap().is_some() {}
    assert_eq!(reader.skipped(), 3);
}

#[test]
fn an_event_against_the_rules_ends_its_block() {
    let good = Event::Name { object: 1, name: "x".into() };
    let (file, _) = file_of(std::slice::from_ref(&good), 1);
    for bad in [
        &[199][..],
        &[128, 3, 1],
        &[191, 3, 1],
        &[7, 1],
        &[7, 1, 2, 0xFF, 0xFE],
        &[7, 1, 0xFF, 0x7F],
        &[7, 0xFF],
    ] {
        let file = [&header()[..], &block_of(bad), &file[header().len()..]].concat();
        let (read, _) = read_all(&file).unwrap();
        let begin = (header().len() + FRAME) as u64;
        assert!(matches!(read[0], Err(Error::Corrupt { offset, .. }) if offset == begin), "{read:?}");
        assert_eq!(read[1].as_ref().unwrap(), &good);
    }
}

#[test]
fn a_schema_of_garbage_is_refused() {
    for schema in [&[1u8][..], &[1, 5, b'a'], &[1, 0, 1, b'?']] {
        let mut out = header()[..12].to_vec();
        out.extend_from_slice(&(schema.len() as u32).to_le_bytes());
        out.extend_from_slice(schema);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        assert!(matches!(Reader::new(&out[..]).err(), Some(Error::Corrupt { offset: 16, .. })));
    }
}

#[test]
fn numbers_in_the_schema_are_told_once() {
    let mut numbers: Vec<u8> = SCHEMA.iter().map(|known| known.0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), SCHEMA.len());
}

#[test]
fn the_format_lists_every_event() {
    let format = include_str!("../FORMAT.md");
    for (number, name, letters) in SCHEMA {
        let row = format.lines().find(|line| line.starts_with(&format!("| {number} | {name} | ")));
        let row = row.unwrap_or_else(|| panic!("FORMAT.md has no row for {number}, {name}"));
        let told: String = row.split('`').skip(1).step_by(2).collect();
        assert_eq!(&told, letters, "FORMAT.md: {name}");
    }
}

#[test]
fn the_format_lists_every_choice() {
    macro_rules! rows {
        ($($list:ident)*) => {
            [$((stringify!($list), $list::ALL.iter().map(|one| format!("{} {one}", *one as u8)).collect::<Vec<_>>())),*]
        };
    }
    let format = include_str!("../FORMAT.md");
    for (list, choices) in
        rows!(Kind Operation WaitEnd Change Outcome Role HoldSource TaskState Loss End Mode)
    {
        let row = format!("| {list} | {} |", choices.join(", "));
        assert!(format.lines().any(|line| line == row), "FORMAT.md has no such row:\n{row}");
    }
}

/// A file of version 1 as it was written once, every kind of event in it. `LOCKPROF_BLESS=1` writes one of this version.
#[test]
fn a_trace_of_version_1_is_read_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/v1.bin");
    if std::env::var_os("LOCKPROF_BLESS").is_some() {
        std::fs::write(path, file_of(&Any(1).events(2), 20).0).unwrap();
    }
    let file = std::fs::read(path).unwrap();
    let mut numbers: Vec<u8> = events_of(&file).iter().map(Event::number).collect();
    assert_eq!(numbers.len(), 46);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 23);
}
