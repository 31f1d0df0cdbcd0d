//! The table of sites.

use std::collections::BTreeMap;

use super::super::duration::{SPAN, parse_span};
use super::super::section::Section;
use super::super::site::PIECES;
use super::super::{Pieces, Site, SiteName, WINDOW_MAX};
use super::{Header, narrow};

/// The keys of a site.
pub(in crate::scenario) const SITE_KEYS: [&str; 4] = ["latency", "forgets_idle", "segments", "window"];

impl Header<'_, '_, '_> {
    pub(super) fn read_sites(&mut self, root: &Section<'_>) -> BTreeMap<SiteName, Site> {
        let mut sites = BTreeMap::new();
        let Some(section) = self.section(root, "sites") else { return sites };
        for entry in section.entries() {
            let mut site = Site::default();
            if let Some(table) = self.as_section(&entry) {
                self.check_keys(&table, &SITE_KEYS);
                let latency = self.optional(&table, "latency", |header, entry| header.value(entry, SPAN, parse_span));
                site.latency = latency.unwrap_or(site.latency);
                site.forgets_idle = self.optional(&table, "forgets_idle", Self::read_time);
                site.segments =
                    self.optional(&table, "segments", |header, entry| header.value(entry, PIECES, Pieces::parse));
                let window = self.optional(&table, "window", |header, entry| {
                    header.number(entry, 1..=u64::from(WINDOW_MAX)).map(narrow)
                });
                site.window = window;
            }
            for (name, _) in self.names::<SiteName>(&entry, "site") {
                if sites.insert(name.clone(), site.clone()).is_some() {
                    self.report_double(&entry, "site", name.as_str());
                }
            }
        }
        sites
    }
}
