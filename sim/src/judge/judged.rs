//! A history that was judged, as it is handed on to whoever shows it.

use super::{Judgement, Recording};

/// A history that was judged, with what is kept of it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Its files, in the order in which lines name them.
    pub files: &'a [String],
    /// What came of it.
    pub judgement: &'a Judgement,
    /// What that comes to, in a sentence.
    pub said: &'a str,
    /// What is kept of it.
    pub recording: &'a Recording,
}

impl Judged<'_> {
    /// Why it is neither right nor wrong, where it is not.
    pub fn why_open(&self) -> String {
        let undecided = self.judgement.undecided.iter().map(String::as_str);
        std::iter::once(self.said).chain(undecided).collect::<Vec<_>>().join("; ")
    }
}
