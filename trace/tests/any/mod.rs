//! Events with arbitrary fields, reproducible by a seed.
use lockprof_trace::{Event, Get, MAX_FRAMES, MAX_TEXT, Malformed, SCHEMA};
use std::borrow::Cow;

/// A source of arbitrary fields.
pub struct Any(pub u64);

impl Any {
    /// The next number of the splitmix64 sequence.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number of any length in bits, 0 and the largest among them.
    fn wide(&mut self) -> u64 {
        match self.bits() % 16 {
            0 => 0,
            1 => u64::MAX,
            _ => self.bits() >> (self.bits() % 64),
        }
    }

    /// An event with this number. Its enumerated fields are ones that this version knows.
    pub fn event(&mut self, number: u8) -> Event<'static> {
        loop {
            match Event::get(number, self) {
                Ok(Some(event)) => return event.into_owned(),
                Ok(None) => {}
                Err(error) => panic!("no event {number}: {error:?}"),
            }
        }
    }

    /// One event of each kind, `rounds` times.
    pub fn events(&mut self, rounds: usize) -> Vec<Event<'static>> {
        (0..rounds).flat_map(|_| SCHEMA).map(|&(number, ..)| self.event(number)).collect()
    }
}

impl<'a> Get<'a> for Any {
    fn number(&mut self) -> Result<u64, Malformed> {
        // Half of them small, so that enumerated fields are found soon.
        Ok(if self.bits().is_multiple_of(2) { self.bits() % 4 } else { self.wide() })
    }
    fn time(&mut self) -> Result<u64, Malformed> {
        Ok(self.wide())
    }
    fn address(&mut self) -> Result<u64, Malformed> {
        Ok(self.wide())
    }
    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let length = if self.bits().is_multiple_of(64) { MAX_TEXT } else { self.bits() as usize % 24 };
        let mut text: String =
            (0..length).map(|_| ['a', 'ß', '→', '/', '🔒'][self.bits() as usize % 5]).collect();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        Ok(text.into())
    }
    fn addresses(&mut self) -> Result<Cow<'a, [u64]>, Malformed> {
        let length = if self.bits().is_multiple_of(16) { MAX_FRAMES } else { self.bits() as usize % 8 };
        Ok((0..length).map(|_| self.wide()).collect())
    }
}
