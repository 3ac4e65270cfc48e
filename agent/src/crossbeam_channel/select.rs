//! `Select` of crossbeam_channel, recorded: a selection among operations that are known only when the program runs.
use super::arms::{Arm, Receives, Sends, Waits, end};
use super::original::{
    self, ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};
use crate::recorder::{Site, Wait};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// [`crossbeam_channel::Select`](original::Select), recorded: as long as nothing is ready, the thread waits for all of the
/// operations at once. It takes ends of the original's too, of which nothing is recorded.
#[derive(Clone, Default)]
pub struct Select<'a> {
    inner: original::Select<'a>,
    /// The operations by their index; `None` where one is not recorded.
    arms: Vec<(usize, Option<Arm>)>,
}

/// [`crossbeam_channel::SelectedOperation`](original::SelectedOperation), recorded.
#[must_use]
pub struct SelectedOperation<'a> {
    inner: original::SelectedOperation<'a>,
    arm: Option<Arm>,
    wait: Option<Wait>,
}

impl<'a> Select<'a> {
    /// As [`Select::new`](original::Select::new).
    pub fn new() -> Self {
        Self { inner: original::Select::new(), arms: vec![] }
    }

    /// As [`Select::new_biased`](original::Select::new_biased).
    pub fn new_biased() -> Self {
        Self { inner: original::Select::new_biased(), arms: vec![] }
    }

    /// As [`Select::send`](original::Select::send).
    pub fn send<S: Sends + ?Sized>(&mut self, s: &'a S) -> usize {
        let (arm, sender) = s.to_send();
        let index = self.inner.send(sender);
        self.arms.push((index, arm));
        index
    }

    /// As [`Select::recv`](original::Select::recv).
    pub fn recv<R: Receives + ?Sized>(&mut self, r: &'a R) -> usize {
        let (arm, receiver) = r.to_receive();
        let index = self.inner.recv(receiver);
        self.arms.push((index, arm));
        index
    }

    /// As [`Select::remove`](original::Select::remove).
    pub fn remove(&mut self, index: usize) {
        self.inner.remove(index);
        self.arms.retain(|(at, _)| *at != index);
    }

    /// As [`Select::try_select`](original::Select::try_select).
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        let selected = self.inner.try_select()?;
        Ok(self.operation(selected, Waits::default()))
    }

    /// As [`Select::select`](original::Select::select).
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        let Ok(tried) = self.try_select() else {
            let waits = self.wait(false, Location::caller());
            let selected = self.inner.select();
            return self.operation(selected, waits);
        };
        tried
    }

    /// As [`Select::select_timeout`](original::Select::select_timeout).
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.select_within(Location::caller(), |select| select.select_timeout(timeout))
    }

    /// As [`Select::select_deadline`](original::Select::select_deadline).
    #[track_caller]
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.select_within(Location::caller(), |select| select.select_deadline(deadline))
    }

    fn select_within(
        &mut self,
        site: Site,
        block: impl FnOnce(
            &mut original::Select<'a>,
        ) -> Result<original::SelectedOperation<'a>, SelectTimeoutError>,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        if let Ok(tried) = self.try_select() {
            return Ok(tried);
        }
        let mut waits = self.wait(true, site);
        match block(&mut self.inner) {
            Ok(selected) => Ok(self.operation(selected, waits)),
            Err(error) => {
                waits.none();
                Err(error)
            }
        }
    }

    /// As [`Select::try_ready`](original::Select::try_ready).
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.inner.try_ready()
    }

    /// As [`Select::ready`](original::Select::ready).
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let Ok(ready) = self.try_ready() else {
            let mut waits = self.wait(false, Location::caller());
            let ready = self.inner.ready();
            end(waits.selected(ready), true);
            return ready;
        };
        ready
    }

    /// As [`Select::ready_timeout`](original::Select::ready_timeout).
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.ready_within(Location::caller(), |select| select.ready_timeout(timeout))
    }

    /// As [`Select::ready_deadline`](original::Select::ready_deadline).
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.ready_within(Location::caller(), |select| select.ready_deadline(deadline))
    }

    fn ready_within(
        &mut self,
        site: Site,
        block: impl FnOnce(&mut original::Select<'a>) -> Result<usize, ReadyTimeoutError>,
    ) -> Result<usize, ReadyTimeoutError> {
        if let Ok(ready) = self.try_ready() {
            return Ok(ready);
        }
        let mut waits = self.wait(true, site);
        let ready = block(&mut self.inner);
        match &ready {
            Ok(ready) => end(waits.selected(*ready), true),
            Err(_) => waits.none(),
        }
        ready
    }

    /// Nothing is ready: it waits for all of the operations.
    fn wait(&self, limited: bool, site: Site) -> Waits {
        Waits::begin(self.arms.iter().copied(), limited, site)
    }

    fn operation(&self, inner: original::SelectedOperation<'a>, mut waits: Waits) -> SelectedOperation<'a> {
        let index = inner.index();
        let arm = self.arms.iter().find(|(at, _)| *at == index).and_then(|(_, arm)| *arm);
        SelectedOperation { inner, arm, wait: waits.selected(index) }
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl SelectedOperation<'_> {
    /// As [`SelectedOperation::index`](original::SelectedOperation::index).
    pub fn index(&self) -> usize {
        self.inner.index()
    }

    /// As [`SelectedOperation::send`](original::SelectedOperation::send).
    ///
    /// # Panics
    /// As the original: where another operation was selected.
    pub fn send<S: Sends + ?Sized>(self, s: &S, msg: S::Message) -> Result<(), SendError<S::Message>> {
        let Self { inner, arm, wait } = self;
        over(arm, wait, inner.send(s.to_send().1, msg))
    }

    /// As [`SelectedOperation::recv`](original::SelectedOperation::recv).
    ///
    /// # Panics
    /// As the original: where another operation was selected.
    pub fn recv<R: Receives + ?Sized>(self, r: &R) -> Result<R::Message, RecvError> {
        let Self { inner, arm, wait } = self;
        over(arm, wait, inner.recv(r.to_receive().1))
    }
}

fn over<T, E>(arm: Option<Arm>, wait: Option<Wait>, result: Result<T, E>) -> Result<T, E> {
    end(wait, result.is_ok());
    if let Some(arm) = arm {
        arm.passed(result.is_ok());
    }
    result
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
