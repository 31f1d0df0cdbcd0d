//! Whether the server's silence leaves room for heartbeats (CONN-11).

use gatecrash::limits::silence_min;
use gatecrash::policy::Platform;

use super::super::LimitOverrides;
use super::super::config::{client_limits, server_limits};
use super::super::diagnose::Mistake;
use super::super::duration::print_duration;
use super::super::rules::rule;
use super::super::section::Section;
use super::Header;

/// One platform of each kind, with the keys that decide about it, the most telling first.
const KEYS: [(Platform, [&str; 3]); 2] = [
    (Platform::Android, ["silence", "heartbeat", "heartbeat_answer"]),
    (Platform::Web, ["silence_web", "heartbeat_web", "heartbeat_answer"]),
];

impl Header<'_, '_, '_> {
    pub(super) fn check_silence(&mut self, section: &Section<'_>, limits: &LimitOverrides) {
        for (platform, keys) in KEYS {
            let (silence, client) = (server_limits(limits).silence_of(platform), client_limits(limits, platform));
            let least = silence_min(platform, &client);
            let Some(entry) = keys.iter().find_map(|key| section.entry(key)).filter(|_| silence < least) else {
                continue;
            };
            let message = format!(
                "a server that closes after {} of silence leaves no room for two heartbeats, one each {}, and {} for an answer",
                print_duration(silence),
                print_duration(client.heartbeat),
                print_duration(client.heartbeat_answer),
            );
            let expected = format!("a `{}` of {} at least", keys[0], print_duration(least));
            self.problems.report(Mistake::new(entry.at, message, expected).breaking(rule("CONN-11")));
        }
    }
}
