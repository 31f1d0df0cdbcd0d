//! What is remembered of whom, and no more of them than so many: to make room, the oldest goes (TICKET-4).
//!
//! Naive on purpose, as everything here: looked through from the front, and what is noted anew is put last.

#[derive(Clone, Debug)]
pub(super) struct Newest<Who, What> {
    most: usize,
    /// The oldest first.
    noted: Vec<(Who, What)>,
}

impl<Who: Copy + PartialEq, What: Clone> Newest<Who, What> {
    pub(super) fn new(most: usize) -> Self {
        Newest { most, noted: Vec::new() }
    }

    pub(super) fn of(&self, who: Who) -> Option<What> {
        self.noted.iter().find(|(one, _)| *one == who).map(|(_, what)| what.clone())
    }

    pub(super) fn note(&mut self, who: Who, what: What) {
        self.forget(who);
        self.noted.push((who, what));
        if self.noted.len() > self.most {
            self.noted.remove(0);
        }
    }

    pub(super) fn forget(&mut self, who: Who) {
        self.noted.retain(|(one, _)| *one != who);
    }
}
