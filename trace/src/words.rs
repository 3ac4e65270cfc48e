//! Events as 64-bit words: how they stand in shared memory, where a word is what is written at once.
//!
//! The first word is the event's number and its length in words (itself included); then come the fields: a number, a time
//! or an address is a word; a text is its length in bytes and the bytes, padded with zeros; addresses are their number and
//! themselves.
//!
//! One event has a shorter form, since full mode writes one for each hold: see [`held`].
use crate::event::{Event, Get, Malformed, Party, Put};
use crate::kind::HoldSource;
use crate::{MAX_FRAMES, MAX_TEXT};
use std::borrow::Cow;
use std::mem::ManuallyDrop;

/// Counts words.
struct Size(usize);

impl Put for Size {
    #[inline(always)]
    fn number(&mut self, _: u64) {
        self.0 += 1;
    }
    #[inline(always)]
    fn time(&mut self, _: u64) {
        self.0 += 1;
    }
    #[inline(always)]
    fn address(&mut self, _: u64) {
        self.0 += 1;
    }
    fn text(&mut self, value: &str) {
        self.0 += 1 + cut(value).len().div_ceil(8);
    }
    fn addresses(&mut self, value: &[u64]) {
        self.0 += 1 + value.len().min(MAX_FRAMES);
    }
}

/// Gives words to a function, one after the other.
struct Words<F>(F);

impl<F: FnMut(u64)> Put for Words<F> {
    #[inline(always)]
    fn number(&mut self, value: u64) {
        (self.0)(value);
    }
    #[inline(always)]
    fn time(&mut self, value: u64) {
        (self.0)(value);
    }
    #[inline(always)]
    fn address(&mut self, value: u64) {
        (self.0)(value);
    }
    fn text(&mut self, value: &str) {
        let bytes = cut(value).as_bytes();
        (self.0)(bytes.len() as u64);
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            (self.0)(u64::from_le_bytes(word));
        }
    }
    fn addresses(&mut self, value: &[u64]) {
        let frames = &value[..value.len().min(MAX_FRAMES)];
        (self.0)(frames.len() as u64);
        frames.iter().for_each(|&frame| (self.0)(frame));
    }
}

/// A text as long as may be, cut between characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// How many words the event takes.
#[inline(always)]
pub fn size(event: &Event<'_>) -> usize {
    let mut size = Size(1);
    event.put(&mut size);
    size.0
}

/// Gives the event's words, `size` of them, to `out`.
#[inline(always)]
pub fn put(event: &Event<'_>, size: usize, mut out: impl FnMut(u64)) {
    out(u64::from(event.number()) | (size as u64) << 8);
    event.put(&mut Words(out));
}

/// All `N` words of an event of which the caller knows which one it is, and that it has neither text nor addresses.
#[inline(always)]
pub fn fixed<const N: usize>(event: Event<'_>) -> [u64; N] {
    // Nothing in it is to be dropped, and without a call that would do so the compiler sees through all of it.
    let event = ManuallyDrop::new(event);
    let (mut words, mut len) = ([0; N], 1);
    event.put_here(&mut Words(|word| {
        words[len] = word;
        len += 1;
    }));
    debug_assert_eq!(len, N, "{event:?}");
    words[0] = u64::from(event.number()) | (N as u64) << 8;
    words
}

/// The number of a hold in four words. No event has it.
const HELD: u8 = 255;
/// Words of it.
pub const HELD_WORDS: usize = 4;

/// An [`Event::Hold`] of source [`HoldSource::Full`] in four words: number, length and object; when it ended; the site
/// and above it the low 16 bits of its length in ticks; the party and above it the next 32. `None` where a part of it
/// does not fit.
#[inline(always)]
pub fn held(at: u64, ticks: u64, party: Party, object: u32, site: u64) -> Option<[u64; HELD_WORDS]> {
    let head = u64::from(HELD) | (HELD_WORDS as u64) << 8 | u64::from(object) << 32;
    let fits = ticks >> 48 == 0 && site >> 48 == 0 && party.0 >> 32 == 0;
    fits.then_some([head, at, site | ticks << 48, party.0 | ticks >> 16 << 32])
}

fn unheld(words: &[u64]) -> Option<Event<'static>> {
    let &[head, at, site, party] = words else { return None };
    Some(Event::Hold {
        at,
        ticks: site >> 48 | party >> 32 << 16,
        party: Party(party & 0xFFFF_FFFF),
        object: head >> 32,
        site: site & (u64::MAX >> 16),
        source: HoldSource::Full,
    })
}

/// Reads events one after the other from words.
pub struct Reader<'a> {
    words: &'a [u64],
}

impl<'a> Reader<'a> {
    /// Reads from the first of `words`.
    pub fn new(words: &'a [u64]) -> Self {
        Self { words }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Event<'a>;

    /// Ends at the first event that is not whole; passes over those that this version does not know.
    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let (&head, _) = self.words.split_first()?;
            let (number, size) = (head as u8, (head >> 8 & 0xFF_FFFF) as usize);
            if size == 0 || size > self.words.len() {
                self.words = &[];
                return None;
            }
            let (event, rest) = self.words.split_at(size);
            self.words = rest;
            if number == HELD {
                match unheld(event) {
                    None => continue,
                    hold => return hold,
                }
            }
            let mut fields = Fields(&event[1..]);
            if let Ok(Some(event)) = Event::get(number, &mut fields) {
                return Some(event);
            }
        }
    }
}

struct Fields<'a>(&'a [u64]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u64], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn length(&mut self, limit: usize) -> Result<usize, Malformed> {
        let length = self.number()?;
        if length > limit as u64 { Err(Malformed::Length) } else { Ok(length as usize) }
    }
}

impl<'a> Get<'a> for Fields<'a> {
    fn number(&mut self) -> Result<u64, Malformed> {
        self.take(1).map(|word| word[0])
    }
    fn time(&mut self) -> Result<u64, Malformed> {
        self.number()
    }
    fn address(&mut self) -> Result<u64, Malformed> {
        self.number()
    }
    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let length = self.length(MAX_TEXT)?;
        let words = self.take(length.div_ceil(8))?;
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(length);
        String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Malformed::Text)
    }
    fn addresses(&mut self) -> Result<Cow<'a, [u64]>, Malformed> {
        let length = self.length(MAX_FRAMES)?;
        self.take(length).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(event: &Event<'_>) -> Vec<u64> {
        let mut words = vec![];
        put(event, size(event), |word| words.push(word));
        assert_eq!(words.len(), size(event));
        words
    }

    #[test]
    fn what_is_put_is_read() {
        let events = [
            Event::Site { site: 0x5555_0000, file: "src/größe.rs".into(), line: 12, column: 7 },
            Event::Stack { stack: 3, frames: vec![1, u64::MAX, 3].into() },
            Event::ThreadEnd { at: 9, thread: Party::thread(4), outcome: crate::Outcome::Finished },
        ];
        let words: Vec<u64> = events.iter().flat_map(words_of).collect();
        assert_eq!(Reader::new(&words).collect::<Vec<_>>(), events);
        for end in 0..words.len() {
            assert!(Reader::new(&words[..end]).count() < events.len());
        }
    }

    #[test]
    fn a_hold_in_four_words_is_the_hold() {
        let (ticks, site) = (0x1234_5678_9ABC, 0x7FFF_1234_5678);
        let words = held(77, ticks, Party::task(9), 0xF_FFFF, site).unwrap();
        let (at, party, object, source) = (77, Party::task(9), 0xF_FFFF, HoldSource::Full);
        let hold = Event::Hold { at, ticks, party, object, site, source };
        assert_eq!(Reader::new(&words).collect::<Vec<_>>(), [hold]);
        assert!(
            held(77, 1 << 48, party, 1, site).is_none() && held(77, 1, Party(1 << 32), 1, site).is_none()
        );
        assert!(crate::SCHEMA.iter().all(|(number, ..)| *number != HELD));
    }

    #[test]
    fn what_is_unknown_is_passed_over() {
        let mut words = vec![250 | 3 << 8, 1, 2];
        words.extend(words_of(&Event::Name { object: 1, name: "sessions".into() }));
        assert_eq!(Reader::new(&words).count(), 1);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let long = "ä".repeat(MAX_TEXT);
        let words = words_of(&Event::Name { object: 1, name: long.into() });
        let Some(Event::Name { name, .. }) = Reader::new(&words).next() else { panic!("no name") };
        assert_eq!(name.len(), MAX_TEXT);
    }
}
