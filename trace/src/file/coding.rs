//! How the fields of an event stand in a block: varints, differences, and texts with their length before them.
//!
//! Times and addresses are coded as the difference to the last one of their sort in the block: neighbours are close. 0
//! stands for "not known" and is common among them, so it is one byte, and no base for what follows.
use crate::event::{Get, Malformed, Put};
use crate::{MAX_FRAMES, MAX_TEXT};
use std::borrow::Cow;

/// The last value of a sort, and how the next is told from it.
#[derive(Clone, Copy, Default)]
struct Base(u64);

impl Base {
    /// 0 for 0, otherwise the zigzag difference plus one. Where that wraps to 0, what 0 would have had is free for it.
    #[inline]
    fn encode(&mut self, value: u64) -> u64 {
        if value == 0 {
            return 0;
        }
        let code = zigzag(value.wrapping_sub(self.0)).wrapping_add(1);
        let code = if code == 0 { zigzag(self.0.wrapping_neg()).wrapping_add(1) } else { code };
        self.0 = value;
        code
    }

    #[inline(always)]
    fn decode(&mut self, code: u64) -> u64 {
        if code == 0 {
            return 0;
        }
        let value = self.0.wrapping_add(unzigzag(code - 1));
        self.0 = if value == 0 { self.0.wrapping_add(1 << 63) } else { value };
        self.0
    }
}

#[inline(always)]
const fn zigzag(difference: u64) -> u64 {
    difference << 1 ^ ((difference as i64) >> 63) as u64
}

#[inline(always)]
const fn unzigzag(code: u64) -> u64 {
    code >> 1 ^ (code & 1).wrapping_neg()
}

/// What both sides keep from field to field; a block begins with [`Bases::default`].
#[derive(Clone, Copy, Default)]
pub(super) struct Bases {
    time: Base,
    address: Base,
}

/// Appends fields to the bytes of a block.
pub(super) struct Writer<'b> {
    pub(super) bytes: &'b mut Vec<u8>,
    pub(super) bases: &'b mut Bases,
}

impl Put for Writer<'_> {
    /// Up to eight bytes are put at once, nine and ten one by one.
    #[inline]
    fn number(&mut self, value: u64) {
        if value < 0x80 {
            return self.bytes.push(value as u8);
        }
        if value >> 56 != 0 {
            return self.any_number(value);
        }
        // Seven bits to a byte: the halves apart, then their halves, and theirs.
        let word = value & 0x0FFF_FFFF | (value & 0x00FF_FFFF_F000_0000) << 4;
        let word = word & 0x0000_3FFF_0000_3FFF | (word & 0x0FFF_C000_0FFF_C000) << 2;
        let word = word & 0x007F_007F_007F_007F | (word & 0x3F80_3F80_3F80_3F80) << 1;
        let length = (63 - value.leading_zeros() as usize) / 7 + 1;
        let more = 0x0080_8080_8080_8080 & (u64::MAX >> (72 - 8 * length));
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(&(word | more).to_le_bytes());
        self.bytes.truncate(begin + length);
    }

    #[inline]
    fn time(&mut self, value: u64) {
        let code = self.bases.time.encode(value);
        self.number(code);
    }

    #[inline]
    fn address(&mut self, value: u64) {
        let code = self.bases.address.encode(value);
        self.number(code);
    }

    fn text(&mut self, value: &str) {
        let text = &value[..value.floor_char_boundary(MAX_TEXT)];
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn addresses(&mut self, value: &[u64]) {
        let frames = &value[..value.len().min(MAX_FRAMES)];
        self.number(frames.len() as u64);
        frames.iter().for_each(|&frame| self.address(frame));
    }
}

impl Writer<'_> {
    #[cold]
    fn any_number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

/// Takes fields from the bytes of a block.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    bases: Bases,
}

impl<'a> Fields<'a> {
    /// From the begin of a block's events.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, bases: Bases::default() }
    }

    /// From within a block, as [`Fields::bases`] was there.
    pub(super) const fn within(bytes: &'a [u8], bases: Bases) -> Self {
        Self { bytes, bases }
    }

    /// What is kept from field to field.
    pub(super) const fn bases(&self) -> Bases {
        self.bases
    }

    /// The next byte, if there is one.
    #[inline(always)]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    /// Passes over the fields with these letters.
    pub(super) fn skip(&mut self, letters: &[u8]) -> Result<(), Malformed> {
        for letter in letters {
            match letter {
                b't' => drop(self.time()?),
                b'a' => drop(self.address()?),
                b's' => drop(self.raw_text()?),
                b'l' => {
                    for _ in 0..self.length(MAX_FRAMES)? {
                        self.address()?;
                    }
                }
                _ => drop(self.number()?),
            }
        }
        Ok(())
    }

    fn length(&mut self, limit: usize) -> Result<usize, Malformed> {
        let length = self.number()?;
        if length > limit as u64 { Err(Malformed::Length) } else { Ok(length as usize) }
    }

    fn raw_text(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length(MAX_TEXT)?;
        let (text, rest) = self.bytes.split_at_checked(length).ok_or(Malformed::Short)?;
        self.bytes = rest;
        Ok(text)
    }

    /// A number of any length. Up to eight bytes are taken at once, nine and ten one by one.
    #[inline(always)]
    fn long_number(&mut self) -> Result<u64, Malformed> {
        if let Some(bytes) = self.bytes.first_chunk() {
            let word = u64::from_le_bytes(*bytes);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let length = ends.trailing_zeros() / 8 + 1;
                self.bytes = &self.bytes[length as usize..];
                let word = word & (u64::MAX >> (64 - 8 * length)) & 0x7F7F_7F7F_7F7F_7F7F;
                let word = word & 0x007F_007F_007F_007F | (word & 0x7F00_7F00_7F00_7F00) >> 1;
                let word = word & 0x0000_3FFF_0000_3FFF | (word & 0x3FFF_0000_3FFF_0000) >> 2;
                return Ok(word & 0x0FFF_FFFF | (word & 0x0FFF_FFFF_0000_0000) >> 4);
            }
        }
        // By value, so that what is read from can stay in registers.
        let (value, rest) = any_number(self.bytes)?;
        self.bytes = rest;
        Ok(value)
    }
}

/// A number of any length, and what follows.
#[cold]
fn any_number(mut bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed::Short)?;
        bytes = rest;
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok((value, bytes));
        }
    }
    Err(Malformed::Number)
}

impl<'a> Get<'a> for Fields<'a> {
    #[inline(always)]
    fn number(&mut self) -> Result<u64, Malformed> {
        // One byte or two without a branch between them: which it is changes from event to event.
        if let Some(bytes) = self.bytes.first_chunk() {
            let word = u64::from(u16::from_le_bytes(*bytes));
            if word & 0x8080 != 0x8080 {
                let second = word >> 7 & 1;
                self.bytes = &self.bytes[1 + second as usize..];
                return Ok(word & 0x7F | (word >> 8 << 7) & second.wrapping_neg());
            }
        }
        self.long_number()
    }

    #[inline(always)]
    fn time(&mut self) -> Result<u64, Malformed> {
        let code = self.number()?;
        Ok(self.bases.time.decode(code))
    }

    #[inline(always)]
    fn address(&mut self) -> Result<u64, Malformed> {
        let code = self.number()?;
        Ok(self.bases.address.decode(code))
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        str::from_utf8(self.raw_text()?).map(Cow::Borrowed).map_err(|_| Malformed::Text)
    }

    fn addresses(&mut self) -> Result<Cow<'a, [u64]>, Malformed> {
        let length = self.length(MAX_FRAMES)?;
        (0..length).map(|_| self.address()).collect::<Result<Vec<_>, _>>().map(Cow::Owned)
    }
}

/// Fields of an event that an older writer knew with fewer of them: those that are missing are 0 or empty.
pub(super) struct Shorter<'f, 'a> {
    pub(super) fields: &'f mut Fields<'a>,
    /// How many there are.
    pub(super) left: usize,
}

impl Shorter<'_, '_> {
    fn take(&mut self) -> bool {
        let there = self.left > 0;
        self.left = self.left.saturating_sub(1);
        there
    }
}

impl<'a> Get<'a> for Shorter<'_, 'a> {
    fn number(&mut self) -> Result<u64, Malformed> {
        if self.take() { self.fields.number() } else { Ok(0) }
    }
    fn time(&mut self) -> Result<u64, Malformed> {
        if self.take() { self.fields.time() } else { Ok(0) }
    }
    fn address(&mut self) -> Result<u64, Malformed> {
        if self.take() { self.fields.address() } else { Ok(0) }
    }
    fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if self.take() { self.fields.text() } else { Ok("".into()) }
    }
    fn addresses(&mut self) -> Result<Cow<'a, [u64]>, Malformed> {
        if self.take() { self.fields.addresses() } else { Ok(Cow::Borrowed(&[])) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let edges = (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]);
        let numbers: Vec<u64> = edges.collect();
        let (mut bytes, mut bases) = (vec![], Bases::default());
        let mut writer = Writer { bytes: &mut bytes, bases: &mut bases };
        numbers.iter().for_each(|&number| {
            writer.number(number);
            writer.time(number);
            writer.address(number.wrapping_neg());
        });
        let mut fields = Fields::new(&bytes);
        for number in numbers {
            assert_eq!(fields.number(), Ok(number));
            assert_eq!(fields.time(), Ok(number));
            assert_eq!(fields.address(), Ok(number.wrapping_neg()));
        }
        assert!(fields.bytes.is_empty());
    }

    #[test]
    fn the_difference_that_wraps_comes_back() {
        for value in [1 << 63, 1, u64::MAX, 5] {
            let base = Base(value ^ 1 << 63);
            let code = { base }.encode(value);
            assert_ne!(code, 0);
            assert_eq!({ base }.decode(code), value);
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        let mut bytes = [0xFF; 10];
        bytes[9] = 2;
        assert_eq!(Fields::new(&bytes).number(), Err(Malformed::Number));
        bytes[9] = 1;
        assert_eq!(Fields::new(&bytes).number(), Ok(u64::MAX));
        assert_eq!(Fields::new(&bytes[..9]).number(), Err(Malformed::Short));
    }
}
