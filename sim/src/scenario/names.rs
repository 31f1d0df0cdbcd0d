//! The names that a file gives to its devices, sites and tickets, for the lines that use them.
//!
//! Gives none itself: the tables of the header do.

use std::collections::BTreeSet;

use gatecrash::id::UserId;

use super::diagnose::{Mistake, Problems, nearest, one_of};
use super::line::{Cursor, Word};
use super::{DeviceName, SiteName, TicketName};

/// What a user id looks like.
pub(super) const USER_ID: &str = "a user id: 1 to 32 of a-z A-Z 0-9 _ -";

/// The names that steps and expectations may use.
#[derive(Default)]
pub(super) struct Names {
    pub(super) devices: BTreeSet<DeviceName>,
    pub(super) sites: BTreeSet<SiteName>,
    pub(super) tickets: BTreeSet<TicketName>,
    /// The users of whom anything is said outside the expectations.
    pub(super) users: BTreeSet<UserId>,
    /// Of what kinds a mistake elsewhere may have kept a name out; none of these is called unknown.
    pub(super) incomplete: Incomplete,
    /// The keys of lines that are no TOML: they may have been meant as names of any kind.
    pub(super) lost: BTreeSet<String>,
}

/// Kinds of names that may not all be known.
#[derive(Clone, Copy, Default)]
pub(super) struct Incomplete {
    pub(super) devices: bool,
    pub(super) sites: bool,
    pub(super) tickets: bool,
    pub(super) users: bool,
}

impl Incomplete {
    /// Whether nobody can say what names there are.
    pub(super) const ALL: Incomplete = Incomplete { devices: true, sites: true, tickets: true, users: true };
}

impl Names {
    fn find<N: Clone + Ord + std::borrow::Borrow<str> + 'static>(
        &self,
        known: &BTreeSet<N>,
        (what, is_incomplete): (&str, bool),
        word: &Word,
        problems: &mut Problems<'_>,
    ) -> Option<N> {
        let found = known.get(word.text.as_str()).cloned();
        if found.is_none() && !is_incomplete && !self.lost.contains(&word.text) {
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
        self.find(&self.devices, ("device", self.incomplete.devices), word, problems)
    }

    /// The site that the next word names.
    pub(super) fn site(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<SiteName> {
        let word = cursor.word("a site")?;
        self.find(&self.sites, ("site", self.incomplete.sites), word, cursor.problems)
    }

    /// The site that the next word names, which nothing else need mention. What nearly is the name of one that is known
    /// is a slip.
    pub(super) fn new_site(&self, cursor: &mut Cursor<'_, '_, '_>) -> Option<SiteName> {
        let word = cursor.word("a site")?;
        let is_slip = nearest(&word.text, self.sites.iter().map(SiteName::as_str)).is_some();
        match word.text.parse() {
            Ok(site) if !is_slip => Some(site),
            Ok(_) | Err(_) => self.find(&self.sites, ("site", self.incomplete.sites), word, cursor.problems),
        }
    }

    /// The ticket of this name.
    pub(super) fn ticket_named(&self, word: &Word, problems: &mut Problems<'_>) -> Option<TicketName> {
        let found = self.tickets.get(word.text.as_str()).cloned();
        if found.is_none() && !self.incomplete.tickets && !self.lost.contains(&word.text) {
            let valid = || self.tickets.iter().map(TicketName::as_str).chain(["last"]);
            let message = format!("there is no ticket `{}`", word.text);
            problems.report(Mistake::new(word.at.clone(), message, one_of(valid())).near(&word.text, valid()));
        }
        found
    }

    /// The user that an expectation names: somebody of whom the file says something elsewhere.
    pub(super) fn user_named(&self, word: &Word, problems: &mut Problems<'_>) -> Option<UserId> {
        let user = user(word, problems)?;
        if !self.users.contains(&user) && !self.incomplete.users && !self.lost.contains(&word.text) {
            let valid = || self.users.iter().map(UserId::as_str);
            let message = format!("nothing in the file has to do with a user `{}`", word.text);
            let expected = if self.users.is_empty() { "a user who logs in".to_owned() } else { one_of(valid()) };
            problems.report(Mistake::new(word.at.clone(), message, expected).near(&word.text, valid()));
            return None;
        }
        Some(user)
    }
}

/// A user id, in quotes or not.
pub(super) fn user(word: &Word, problems: &mut Problems<'_>) -> Option<UserId> {
    let user = word.text.parse().ok();
    if user.is_none() {
        problems.report(Mistake::new(word.at.clone(), format!("`{}` is no user id", word.text), USER_ID));
    }
    user
}
