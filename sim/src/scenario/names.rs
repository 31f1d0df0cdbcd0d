//! The names that a file gives to its devices, sites and tickets, for the lines that use them.
//!
//! Gives none itself: the tables of the header do.

use std::collections::BTreeSet;

use super::diagnose::{Mistake, Problems, one_of};
use super::line::{Cursor, Word};
use super::{DeviceName, SiteName, TicketName};

/// The names that steps and expectations may use.
#[derive(Default)]
pub(super) struct Names {
    pub(super) devices: BTreeSet<DeviceName>,
    pub(super) sites: BTreeSet<SiteName>,
    pub(super) tickets: BTreeSet<TicketName>,
    /// Whether a mistake elsewhere may have kept a name out; then none is called unknown.
    pub(super) incomplete: bool,
}

impl Names {
    fn find<N: Clone + Ord + std::borrow::Borrow<str> + 'static>(
        &self,
        known: &BTreeSet<N>,
        what: &str,
        word: &Word,
        problems: &mut Problems<'_>,
    ) -> Option<N> {
        let found = known.get(word.text.as_str()).cloned();
        if found.is_none() && !self.incomplete {
            let valid = || known.iter().map(|name| name.borrow());
            let message = format!("there is no {what} `{}`", word.text);
            problems.report(Mistake::new(word.at.clone(), message, one_of(valid())).near(&word.text, valid()));
        }
        found
    }

    /// The device that the next word names.
    pub(super) fn device(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<DeviceName> {
        let word = cursor.word("a device")?;
        self.device_named(word, cursor.problems)
    }

    /// The device of this name.
    pub(super) fn device_named(&self, word: &Word, problems: &mut Problems<'_>) -> Option<DeviceName> {
        self.find(&self.devices, "device", word, problems)
    }

    /// The site that the next word names.
    pub(super) fn site(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<SiteName> {
        let word = cursor.word("a site")?;
        self.find(&self.sites, "site", word, cursor.problems)
    }
}
