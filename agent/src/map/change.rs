//! What a `StateMap` tells of a write: who wrote the state that was there, and who wanted another. Without the feature
//! `record` there is nothing in here.
use super::meter::Site;
use super::written::Written;
use lockprof_trace::Change;

/// A state that is there.
#[derive(Clone)]
pub(super) struct Current<S> {
    pub(super) state: S,
    #[cfg_attr(not(feature = "record"), expect(dead_code))]
    pub(super) written: Written,
}

impl<S> Current<S> {
    pub(super) fn new(state: S, site: Site) -> Self {
        Self { state, written: Written::now(site) }
    }
}

/// A write: what it came to, which state was expected if any, and which was to be.
#[cfg_attr(not(feature = "record"), expect(dead_code))]
pub(super) struct Attempt<'a, S> {
    pub(super) change: Change,
    pub(super) expected: Option<&'a S>,
    pub(super) to: &'a S,
}

#[cfg(feature = "record")]
mod on {
    use super::{Attempt, Current};
    use crate::clock::ticks;
    use crate::key::salted;
    use crate::map::meter::{Meter, Site};
    use crate::recorder::{self, emit, party, site_of};
    use lockprof_trace::{Change, Event, Party};
    use std::fmt::{self, Debug, Write};
    use std::hash::Hash;

    impl<S: Debug> Attempt<'_, S> {
        /// Tells of it, made at `site`, where it is not as it should be, or where all is told. `there` is the state that
        /// it met.
        #[inline]
        pub(in crate::map) fn tell<Q: Hash + ?Sized>(
            &self,
            meter: &Meter,
            key: &Q,
            there: Option<&Current<S>>,
            site: Site,
        ) {
            let wanted = self.change != Change::Accepted || recorder::is_full();
            let object = meter.id(0);
            if wanted && object != 0 {
                self.write(object, salted(key), there, site);
            }
        }

        #[cold]
        #[inline(never)]
        fn write(&self, object: u32, key: u64, there: Option<&Current<S>>, site: Site) {
            let [from, expected, to] =
                [there.map(|there| &there.state), self.expected, Some(self.to)].map(Name::of);
            let by = there.map(|there| there.written);
            emit(&Event::StateChange {
                at: ticks(),
                object: object.into(),
                key,
                change: self.change,
                party: party(),
                site: site_of(site),
                from: from.as_str().into(),
                expected: expected.as_str().into(),
                to: to.as_str().into(),
                writer: by.map_or(Party::UNKNOWN, |by| by.party),
                writer_site: by.map_or(0, |by| site_of(by.site)),
                written: by.map_or(0, |by| by.at),
            });
        }
    }

    /// The name of a state: the first word of its `Debug`. What follows there is what the state carries, and is not told.
    struct Name {
        bytes: [u8; 32],
        len: usize,
    }

    impl Name {
        fn of<S: Debug>(state: Option<&S>) -> Self {
            let mut name = Self { bytes: [0; 32], len: 0 };
            if let Some(state) = state {
                // An error says that the word has ended.
                let _ = write!(name, "{state:?}");
            }
            name
        }

        fn as_str(&self) -> &str {
            str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
        }
    }

    impl Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                let room =
                    self.bytes.get_mut(self.len).filter(|_| byte.is_ascii_alphanumeric() || byte == b'_');
                *room.ok_or(fmt::Error)? = byte;
                self.len += 1;
            }
            Ok(())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_state_is_known_by_its_name_alone() {
            #[derive(Debug)]
            #[allow(dead_code)]
            enum State {
                Idle,
                Failed(&'static str),
                Running { by: &'static str },
                WithANameThatIsLongerThanAnybodyNeeds,
            }
            let name = |state: State| Name::of(Some(&state)).as_str().to_owned();
            assert_eq!(name(State::Idle), "Idle");
            assert_eq!(name(State::Failed("secret")), "Failed");
            assert_eq!(name(State::Running { by: "secret" }), "Running");
            assert_eq!(
                name(State::WithANameThatIsLongerThanAnybodyNeeds),
                "WithANameThatIsLongerThanAnybodyN"[..32]
            );
            assert_eq!(Name::of(Some(&"secret")).as_str(), "");
            assert_eq!(Name::of::<State>(None).as_str(), "");
        }
    }
}

#[cfg(not(feature = "record"))]
mod off {
    use super::{Attempt, Current};
    use crate::map::meter::{Meter, Site};

    impl<S> Attempt<'_, S> {
        pub(in crate::map) fn tell<Q: ?Sized>(&self, _: &Meter, _: &Q, _: Option<&Current<S>>, _: Site) {}
    }
}
