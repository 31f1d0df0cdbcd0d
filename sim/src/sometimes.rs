//! Stub.
use crate::trace::{Cast, Event, Observer};
/// Stub.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sometimes;
impl Sometimes {
    /// x
    pub fn merge(&mut self, _: &Sometimes) {}
    /// x
    pub fn hit(&self) -> impl Iterator<Item = &'static str> {
        [].into_iter()
    }
    /// x
    pub fn missed(&self) -> impl Iterator<Item = &'static str> {
        [].into_iter()
    }
}
impl Observer for Sometimes {
    fn observe(&mut self, _: &Cast, _: &Event) {}
}
