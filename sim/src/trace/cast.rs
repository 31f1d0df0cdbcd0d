//! Who and what the events of a trace name: devices, users, sites, tickets, texts, lists.
//!
//! Only grows: a number once given means the same to the end. Which real device id or ticket text
//! stands behind a number is known to `record` only.

use std::collections::BTreeMap;

use gatecrash::policy::Platform;
use gatecrash::protocol::{DeviceState, Presence};

use super::index::{DeviceIndex, ListIndex, SiteIndex, TextIndex, TicketIndex, UserIndex};
use crate::scenario::Scenario;

/// Everybody and everything a trace's events name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    devices: Vec<CastDevice>,
    sites: Vec<String>,
    users: Vec<String>,
    tickets: Vec<CastTicket>,
    texts: Vec<String>,
    lists: Vec<List>,
    device_by_name: BTreeMap<String, DeviceIndex>,
    site_by_name: BTreeMap<String, SiteIndex>,
    user_by_name: BTreeMap<String, UserIndex>,
    text_by_text: BTreeMap<String, TextIndex>,
    list_by_list: BTreeMap<List, ListIndex>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastDevice {
    /// What the scenario calls it.
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
    /// Where it is.
    pub site: SiteIndex,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastTicket {
    /// What the scenario calls it, or `t` and a number.
    pub name: String,
    /// When it was issued, in seconds since 1970; 0 when it cannot be read.
    pub issued: u64,
    /// How long it is valid, in seconds.
    pub ttl: u64,
}

/// A list that an event carries. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// The devices kicked by one change.
    Devices(Vec<DeviceIndex>),
    /// The users asked about, or the administrators.
    Users(Vec<UserIndex>),
    /// A conversation list, newest first.
    Conversations(Vec<ConversationLine>),
    /// A status report.
    Report(Vec<ReportLine>),
}

/// One line of a conversation list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConversationLine {
    /// With whom.
    pub peer: UserIndex,
    /// The last message's number.
    pub last: u32,
    /// How its text begins.
    pub preview: TextIndex,
}

/// One user of a status report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportLine {
    /// Who.
    pub user: UserIndex,
    /// Their presence; none when there is no such account.
    pub presence: Option<Presence>,
    /// Their devices, in the order of login.
    pub devices: Vec<ReportDevice>,
}

/// One device of a status report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportDevice {
    /// Which.
    pub device: DeviceIndex,
    /// Its platform.
    pub platform: Platform,
    /// Its link.
    pub state: DeviceState,
}

impl Cast {
    /// The sites and devices of a scenario, in the order of their names.
    pub fn of(scenario: &Scenario) -> Cast {
        let mut cast = Cast::default();
        for name in scenario.sites.keys() {
            cast.add_site(name.as_str());
        }
        for (name, device) in &scenario.devices {
            let site = cast.add_site(device.site.as_str());
            cast.add_device(name.as_str(), device.platform, site);
        }
        cast
    }

    /// Adds a site, or finds it.
    pub fn add_site(&mut self, name: &str) -> SiteIndex {
        if let Some(&index) = self.site_by_name.get(name) {
            return index;
        }
        let index = SiteIndex::new(self.sites.len());
        self.sites.push(name.to_owned());
        self.site_by_name.insert(name.to_owned(), index);
        index
    }

    /// Adds a device.
    ///
    /// # Panics
    ///
    /// When there is one of that name.
    pub fn add_device(&mut self, name: &str, platform: Platform, site: SiteIndex) -> DeviceIndex {
        let index = DeviceIndex::new(self.devices.len());
        self.devices.push(CastDevice { name: name.to_owned(), platform, site });
        let before = self.device_by_name.insert(name.to_owned(), index);
        assert!(before.is_none(), "two devices called {name}");
        index
    }

    /// The devices, by index.
    pub fn devices(&self) -> &[CastDevice] {
        &self.devices
    }

    /// The sites, by index.
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// The users, by index, in the order in which they were first named.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// The device with this name.
    pub fn find_device(&self, name: &str) -> Option<DeviceIndex> {
        self.device_by_name.get(name).copied()
    }

    /// The site with this name.
    pub fn find_site(&self, name: &str) -> Option<SiteIndex> {
        self.site_by_name.get(name).copied()
    }

    /// The user with this name, if an event names them.
    pub fn find_user(&self, name: &str) -> Option<UserIndex> {
        self.user_by_name.get(name).copied()
    }

    /// The ticket with this name.
    pub fn find_ticket(&self, name: &str) -> Option<TicketIndex> {
        self.tickets.iter().position(|ticket| ticket.name == name).map(TicketIndex::new)
    }

    /// The tickets, by index.
    pub fn tickets(&self) -> &[CastTicket] {
        &self.tickets
    }

    /// The texts, by index.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The number of this very text, if an event carries it.
    pub fn find_text(&self, text: &str) -> Option<TextIndex> {
        self.text_by_text.get(text).copied()
    }

    /// The device's name.
    pub fn device_name(&self, device: DeviceIndex) -> &str {
        if device == DeviceIndex::STRANGER { "stranger" } else { &self.devices[device.index()].name }
    }

    /// The site's name.
    pub fn site_name(&self, site: SiteIndex) -> &str {
        &self.sites[site.index()]
    }

    /// The user's name.
    pub fn user_name(&self, user: UserIndex) -> &str {
        &self.users[user.index()]
    }

    /// The ticket.
    pub fn ticket(&self, ticket: TicketIndex) -> &CastTicket {
        &self.tickets[ticket.index()]
    }

    /// The text.
    pub fn text(&self, text: TextIndex) -> &str {
        &self.texts[text.index()]
    }

    /// The list.
    pub fn list(&self, list: ListIndex) -> &List {
        &self.lists[list.index()]
    }

    /// The number of this user, and whether it is their first.
    pub(crate) fn user(&mut self, name: &str) -> (UserIndex, bool) {
        if let Some(&index) = self.user_by_name.get(name) {
            return (index, false);
        }
        let index = UserIndex::new(self.users.len());
        self.users.push(name.to_owned());
        self.user_by_name.insert(name.to_owned(), index);
        (index, true)
    }

    /// The number of this text, and whether it is its first.
    pub(crate) fn intern_text(&mut self, text: &str) -> (TextIndex, bool) {
        if let Some(&index) = self.text_by_text.get(text) {
            return (index, false);
        }
        let index = TextIndex::new(self.texts.len());
        self.texts.push(text.to_owned());
        self.text_by_text.insert(text.to_owned(), index);
        (index, true)
    }

    /// The number of this list, and whether it is its first.
    pub(crate) fn intern_list(&mut self, list: List) -> (ListIndex, bool) {
        if let Some(&index) = self.list_by_list.get(&list) {
            return (index, false);
        }
        let index = ListIndex::new(self.lists.len());
        self.lists.push(list.clone());
        self.list_by_list.insert(list, index);
        (index, true)
    }

    /// The number of another ticket.
    pub(crate) fn add_ticket(&mut self, name: Option<&str>, issued: u64, ttl: u64) -> TicketIndex {
        let index = TicketIndex::new(self.tickets.len());
        let name = name.map_or_else(|| format!("t{}", index.index() + 1), str::to_owned);
        self.tickets.push(CastTicket { name, issued, ttl });
        index
    }
}
