//! The events of one block, decoded one after the other.
use super::Error;
use super::again::{FIRST, Places};
use super::coding::{Fields, Shorter};
use super::schema::{How, Schema};
use crate::event::{Event, Get, Malformed};

/// The events of one block.
///
/// An event that breaks the rules although its block's checksum is right is an [`Error::Corrupt`] and ends the block.
pub struct Events<'r> {
    fields: Fields<'r>,
    places: Places,
    schema: &'r Schema,
    /// Where the block ends in the file.
    end: u64,
    skipped: &'r mut u64,
    damaged: &'r mut u64,
}

impl<'r> Events<'r> {
    /// Those in `bytes`, which end at byte `end` of the file.
    pub(super) fn new(
        bytes: &'r [u8],
        schema: &'r Schema,
        end: u64,
        skipped: &'r mut u64,
        damaged: &'r mut u64,
    ) -> Self {
        Self { fields: Fields::new(bytes), places: Places::new(), schema, end, skipped, damaged }
    }

    /// Reads one event; `None` where this version does not know it, which was passed over.
    #[inline(always)]
    fn step(&mut self) -> Result<Option<Event<'r>>, Error> {
        let left = self.fields.bytes;
        let event = decode(self.schema, &mut self.fields, &self.places)
            .map_err(|malformed| corrupt(self.end - left.len() as u64, malformed))?;
        self.places.learn(left.first().copied().unwrap_or_default(), event.as_ref());
        Ok(event)
    }
}

impl<'r> Iterator for Events<'r> {
    type Item = Result<Event<'r>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while !self.fields.bytes.is_empty() {
            match self.step() {
                Ok(Some(event)) => return Some(Ok(event)),
                Ok(None) => *self.skipped += 1,
                Err(error) => {
                    self.fields.bytes = &[];
                    *self.damaged += 1;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Reads an event; `None` where this version does not know it, which was passed over. What is read
/// [takes a place](Places::learn) only then.
#[inline(always)]
pub(super) fn decode<'a>(
    schema: &Schema,
    fields: &mut Fields<'a>,
    places: &Places,
) -> Result<Option<Event<'a>>, Malformed> {
    let number = fields.byte().ok_or(Malformed::Short)?;
    let begin = *fields;
    let event = match schema.how(number) {
        How::Known => Event::get(number, fields)?,
        How::Again => {
            let key = places.get(usize::from(number - FIRST)).ok_or(Malformed::Number)?;
            let (at, ticks) = (fields.time()?, fields.number()?);
            return Ok(key.map(|key| key.hold(at, ticks)));
        }
        how => return decode_other(schema, how, number, fields),
    };
    if event.is_none() {
        *fields = begin;
        fields.skip(schema.letters(number))?;
    }
    Ok(event)
}

#[cold]
fn decode_other<'a>(
    schema: &Schema,
    how: How,
    number: u8,
    fields: &mut Fields<'a>,
) -> Result<Option<Event<'a>>, Malformed> {
    let begin = *fields;
    let event = match how {
        How::Unlisted => return Err(Malformed::Number),
        How::Foreign => None,
        How::Shorter => {
            let left = schema.letters(number).len();
            Event::get(number, &mut Shorter { fields, left })?
        }
        How::Known | How::Again | How::Longer => Event::get(number, fields)?,
    };
    match event {
        None => {
            *fields = begin;
            fields.skip(schema.letters(number))?;
        }
        Some(_) if how == How::Longer => fields.skip(schema.extra(number))?,
        Some(_) => {}
    }
    Ok(event)
}

/// The error for an event at this byte of the file.
pub(super) fn corrupt(offset: u64, malformed: Malformed) -> Error {
    let what = match malformed {
        Malformed::Short => "an event ends with its block",
        Malformed::Number => "an event or a number that cannot be",
        Malformed::Text => "a text that is not UTF-8",
        Malformed::Length => "a text or stack beyond its limit",
    };
    Error::Corrupt { offset, what }
}
