//! How an event writes its fields into a [`Put`] and reads them from a [`Get`]: made from the one list of events. The file's
//! coding (`crate::file`) and the coding in shared memory (`crate::words`) each implement both, once.
use std::borrow::Cow;

/// Where the fields of an event are written.
pub trait Put {
    /// A plain number.
    fn number(&mut self, value: u64);
    /// A point in time.
    fn time(&mut self, value: u64);
    /// An address in the process.
    fn address(&mut self, value: u64);
    /// A text.
    fn text(&mut self, value: &str);
    /// Addresses in the process.
    fn addresses(&mut self, value: &[u64]);
}

/// What is wrong with the fields of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They end too early.
    Short,
    /// A number has more than 64 bits.
    Number,
    /// A text is not UTF-8.
    Text,
    /// A length is beyond [`MAX_TEXT`](crate::MAX_TEXT) or [`MAX_FRAMES`](crate::MAX_FRAMES).
    Length,
}

/// Where the fields of an event are read from.
pub trait Get<'a> {
    /// A plain number.
    fn number(&mut self) -> Result<u64, Malformed>;
    /// A point in time.
    fn time(&mut self) -> Result<u64, Malformed>;
    /// An address in the process.
    fn address(&mut self) -> Result<u64, Malformed>;
    /// A text.
    fn text(&mut self) -> Result<Cow<'a, str>, Malformed>;
    /// Addresses in the process.
    fn addresses(&mut self) -> Result<Cow<'a, [u64]>, Malformed>;
}

/// The coding of one field: a letter for the schema, and the way in and out.
macro_rules! field {
    (letter number) => { "n" };
    (letter time) => { "t" };
    (letter address) => { "a" };
    (letter text) => { "s" };
    (letter addresses) => { "l" };
    (letter party) => { "n" };
    (letter $name:ident) => { "n" };
    (type number) => { u64 };
    (type time) => { u64 };
    (type address) => { u64 };
    (type text) => { Cow<'a, str> };
    (type addresses) => { Cow<'a, [u64]> };
    (type party) => { Party };
    (type $name:ident) => { $name };
    (put $out:ident $value:ident party) => { $out.number($value.0) };
    (put $out:ident $value:ident number) => { $out.number(*$value) };
    (put $out:ident $value:ident time) => { $out.time(*$value) };
    (put $out:ident $value:ident address) => { $out.address(*$value) };
    (put $out:ident $value:ident text) => { $out.text($value) };
    (put $out:ident $value:ident addresses) => { $out.addresses($value) };
    (put $out:ident $value:ident $name:ident) => { $out.number(*$value as u64) };
    (get $from:ident party) => { Party($from.number()?) };
    (get $from:ident number) => { $from.number()? };
    (get $from:ident time) => { $from.time()? };
    (get $from:ident address) => { $from.address()? };
    (get $from:ident text) => { $from.text()? };
    (get $from:ident addresses) => { $from.addresses()? };
    // A number of a later version: the event is passed over, its neighbours are not lost.
    (get $from:ident $name:ident) => { match $name::from_number($from.number()?) { Some(known) => known, None => return Ok(None) } };
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $number:literal { $($(#[$fdoc:meta])* $field:ident: $type:ident,)* })*) => {
        /// One event of a trace. See the module for what its fields mean.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Event<'a> {
            $($(#[$doc])* $variant { $($(#[$fdoc])* $field: field!(type $type),)* },)*
        }

        /// Number, name and fields of every event of this version; a letter a field: `n` number, `t` time, `a` address,
        /// `s` text, `l` addresses. A trace carries it, so that a reader can pass over what it does not know.
        pub const SCHEMA: &[(u8, &str, &str)] =
            &[$(($number, stringify!($variant), concat!($(field!(letter $type)),*)),)*];

        impl<'a> Event<'a> {
            /// Its number in the schema.
            pub const fn number(&self) -> u8 {
                match self { $(Event::$variant { .. } => $number,)* }
            }

            /// Writes its fields.
            pub fn put(&self, out: &mut impl Put) {
                self.put_here(out);
            }

            /// The same as part of the caller: where that knows which event it is, nothing else is left.
            #[inline(always)]
            pub(crate) fn put_here(&self, out: &mut impl Put) {
                match self { $(Event::$variant { $($field),* } => { $(field!(put out $field $type);)* })* }
            }

            /// Reads the event with this number. `None` where this version does not know one of the event's numbers.
            ///
            /// # Errors
            /// The fields are malformed; or `number` is not in the [`SCHEMA`], which is [`Malformed::Number`].
            #[allow(unused_variables)]
            #[inline(always)] // An event is large, and a reader's loop is the one place where it is made.
            pub fn get(number: u8, from: &mut impl Get<'a>) -> Result<Option<Self>, Malformed> {
                match number {
                    $($number => {
                        $(let $field = field!(get from $type);)*
                        Ok(Some(Event::$variant { $($field),* }))
                    })*
                    _ => Err(Malformed::Number),
                }
            }

            /// The same without a borrow.
            pub fn into_owned(self) -> Event<'static> {
                match self {
                    $(Event::$variant { $($field),* } => Event::$variant { $($field: owned!($field $type)),* },)*
                }
            }
        }
    };
}

macro_rules! owned {
    ($value:ident text) => {
        Cow::Owned($value.into_owned())
    };
    ($value:ident addresses) => {
        Cow::Owned($value.into_owned())
    };
    ($value:ident $type:ident) => {
        $value
    };
}

pub(super) use {events, field, owned};
