//! The header and its schema: which events the file can hold, and how their fields are read by this version.
use super::again;
use super::{Error, MAGIC, MAX_SCHEMA, VERSION};
use crate::SCHEMA;
use std::io::Read;

/// How events of one number are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The schema does not list them: there is no passing over.
    Unlisted,
    /// With the fields that this version knows.
    Known,
    /// A hold told again.
    Again,
    /// With more fields than this version knows.
    Longer,
    /// With fewer fields than this version knows.
    Shorter,
    /// This version does not know them, or knows other fields: passed over.
    Foreign,
}

/// The schema of a file, by number.
pub(super) struct Schema {
    how: [How; 256],
    /// The letters of each number's fields.
    letters: Vec<Vec<u8>>,
}

impl Schema {
    /// How events with this number are read.
    #[inline(always)]
    pub(super) fn how(&self, number: u8) -> How {
        self.how[number as usize]
    }

    /// The letters of their fields in this file.
    pub(super) fn letters(&self, number: u8) -> &[u8] {
        &self.letters[number as usize]
    }

    /// Those that this version does not know.
    pub(super) fn extra(&self, number: u8) -> &[u8] {
        &self.letters(number)[known(number).map_or(0, <[u8]>::len)..]
    }

    fn parse(mut bytes: &[u8]) -> Result<Self, &'static str> {
        let mut schema = Schema { how: [How::Unlisted; 256], letters: vec![vec![]; 256] };
        while let Some((&number, rest)) = bytes.split_first() {
            let (_name, rest) = short_text(rest).ok_or("the header's schema ends within an event")?;
            let (letters, rest) = short_text(rest).ok_or("the header's schema ends within an event")?;
            if !letters.iter().all(|letter| b"ntasl".contains(letter)) {
                return Err("the header's schema has a field of unknown coding");
            }
            schema.how[number as usize] = match known(number) {
                _ if is_again(number) && letters == again::LETTERS.as_bytes() => How::Again,
                Some(known) if known == letters => How::Known,
                Some(known) if letters.starts_with(known) => How::Longer,
                Some(known) if known.starts_with(letters) => How::Shorter,
                _ => How::Foreign,
            };
            schema.letters[number as usize] = letters.to_vec();
            bytes = rest;
        }
        Ok(schema)
    }
}

/// The letters of an event's fields in this version.
fn known(number: u8) -> Option<&'static [u8]> {
    SCHEMA.iter().find(|known| known.0 == number).map(|(_, _, letters)| letters.as_bytes())
}

/// Whether events with this number tell of a hold again.
fn is_again(number: u8) -> bool {
    (again::FIRST..again::FIRST + again::PLACES as u8).contains(&number)
}

/// A text of up to 255 bytes behind its length, and what follows.
fn short_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(length as usize)
}

/// A header with this schema.
pub(super) fn header(schema: &[(u8, &str, &str)]) -> Vec<u8> {
    let mut listed = vec![];
    let again = (again::FIRST..again::FIRST + again::PLACES as u8)
        .map(|number| (number, again::NAME, again::LETTERS));
    for (number, name, letters) in schema.iter().copied().chain(again) {
        listed.push(number);
        for text in [name, letters] {
            listed.push(text.len() as u8);
            listed.extend_from_slice(text.as_bytes());
        }
    }
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&(listed.len() as u32).to_le_bytes());
    header.extend_from_slice(&listed);
    header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
    header
}

/// Reads a header; returns its schema and its length in bytes.
pub(super) fn read(from: &mut impl Read) -> Result<(Schema, u64), Error> {
    let mut bytes = vec![];
    take(from, &mut bytes, MAGIC.len())?;
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if !MAGIC.starts_with(&bytes) {
        return Err(Error::NotATrace);
    }
    let short =
        |bytes: &[u8]| Error::Corrupt { offset: bytes.len() as u64, what: "the file ends within its header" };
    if !take(from, &mut bytes, 4)? {
        return Err(short(&bytes));
    }
    let version = last_u32(&bytes);
    if version != VERSION {
        return Err(Error::version(version));
    }
    if !take(from, &mut bytes, 4)? {
        return Err(short(&bytes));
    }
    let length = last_u32(&bytes) as usize;
    if length > MAX_SCHEMA {
        return Err(Error::Corrupt { offset: 12, what: "the header's length is beyond its limit" });
    }
    if !take(from, &mut bytes, length + 4)? {
        return Err(short(&bytes));
    }
    let (covered, _) = bytes.split_at(bytes.len() - 4);
    if crc32fast::hash(covered) != last_u32(&bytes) {
        return Err(Error::Corrupt { offset: 0, what: "the header does not match its checksum" });
    }
    let schema = Schema::parse(&covered[16..]).map_err(|what| Error::Corrupt { offset: 16, what })?;
    Ok((schema, bytes.len() as u64))
}

/// Appends `count` bytes; false where there are fewer.
fn take(from: &mut impl Read, bytes: &mut Vec<u8>, count: usize) -> Result<bool, Error> {
    Ok(from.take(count as u64).read_to_end(bytes)? == count)
}

fn last_u32(bytes: &[u8]) -> u32 {
    bytes.last_chunk().map_or(0, |last| u32::from_le_bytes(*last))
}
