//! The product's configuration for a scenario: its own limits, and over them what the scenario sets.

use gatecrash::limits::{ClientLimits, ServerLimits, silence_min};
use gatecrash::policy::Platform;
use gatecrash::protocol::VERSION;
use gatecrash::server::Config;

use super::{LimitOverrides, Scenario};

/// The server's configuration when the run begins.
pub fn server(scenario: &Scenario) -> Config {
    let app = &scenario.app;
    Config {
        app_id: app.id,
        seats: app.seats,
        administrators: app.administrators.clone(),
        reconnect_kicks: app.reconnect_kicks,
        notify_offline_kick: app.notify_offline_kick,
        version: VERSION,
        limits: server_limits(&scenario.limits),
    }
}

/// The server's limits.
pub fn server_limits(set: &LimitOverrides) -> ServerLimits {
    server_limits_over(ServerLimits::default(), set)
}

/// What a scenario sets, over these.
pub(super) fn server_limits_over(rules: ServerLimits, set: &LimitOverrides) -> ServerLimits {
    ServerLimits {
        silence: set.silence.unwrap_or(rules.silence),
        silence_web: set.silence_web.unwrap_or(rules.silence_web),
        dormant: set.dormant.unwrap_or(rules.dormant),
        dormant_web: set.dormant_web.unwrap_or(rules.dormant_web),
        admission: set.admission.unwrap_or(rules.admission),
        kick_linger: set.kick_linger.unwrap_or(rules.kick_linger),
        refusals_max: set.refusals_max.unwrap_or(rules.refusals_max),
        refusals_window: set.refusals_window.unwrap_or(rules.refusals_window),
        refusals_lock: set.refusals_lock.unwrap_or(rules.refusals_lock),
        records_max: set.records_max.map_or(rules.records_max, |number| number as usize),
        conversations_max: set.conversations_max.map_or(rules.conversations_max, |number| number as usize),
        push_online: set.push_online.unwrap_or(rules.push_online),
        capacity: set.capacity.unwrap_or(rules.capacity),
        logins_max: set.logins_max.unwrap_or(rules.logins_max),
        logins_every: set.logins_every.unwrap_or(rules.logins_every),
        return_after: set.return_after.unwrap_or(rules.return_after),
        returns_per_second: set.returns_per_second.unwrap_or(rules.returns_per_second),
        return_spread_min: set.return_spread_min.unwrap_or(rules.return_spread_min),
        return_spread_max: set.return_spread_max.unwrap_or(rules.return_spread_max),
        heartbeat: set.told_heartbeat,
        owed_max: set.owed_max.map_or(rules.owed_max, |number| number as usize),
        owed_bytes_max: set.owed_bytes_max.map_or(rules.owed_bytes_max, |number| number as usize),
        remembered: set.remembered.unwrap_or(rules.remembered),
        remembered_max: set.remembered_max.map_or(rules.remembered_max, |number| number as usize),
        sent_max: set.sent_max.map_or(rules.sent_max, |number| number as usize),
    }
}

/// The limits of a device's SDK.
pub fn client_limits(set: &LimitOverrides, platform: Platform) -> ClientLimits {
    client_limits_over(ClientLimits::of(platform), set, platform)
}

/// What a scenario sets, over these.
pub(super) fn client_limits_over(rules: ClientLimits, set: &LimitOverrides, platform: Platform) -> ClientLimits {
    let is_web = platform == Platform::Web;
    ClientLimits {
        login_timeout: set.login_timeout.unwrap_or(rules.login_timeout),
        request_timeout: set.request_timeout.unwrap_or(rules.request_timeout),
        connect_timeout: set.connect_timeout.unwrap_or(rules.connect_timeout),
        heartbeat: if is_web { set.heartbeat_web } else { set.heartbeat }.unwrap_or(rules.heartbeat),
        heartbeat_answer: set.heartbeat_answer.unwrap_or(rules.heartbeat_answer),
        heartbeat_min: set.heartbeat_min.unwrap_or(rules.heartbeat_min),
        heartbeat_recovery: set.heartbeat_recovery.unwrap_or(rules.heartbeat_recovery),
        probe_answer: set.probe_answer.unwrap_or(rules.probe_answer),
        backoff_first: set.backoff_first.unwrap_or(rules.backoff_first),
        backoff_min: set.backoff_min.unwrap_or(rules.backoff_min),
        backoff_max: if is_web { set.backoff_max_web } else { set.backoff_max }.unwrap_or(rules.backoff_max),
        backoff_spread_percent: set.backoff_spread_percent.unwrap_or(rules.backoff_spread_percent),
        backoff_reset: set.backoff_reset.unwrap_or(rules.backoff_reset),
    }
}

/// Has the server's silence leave room for two heartbeats and an answer, as a file's must (CONN-11).
pub fn leave_room_for_heartbeats(limits: &mut LimitOverrides) {
    for platform in [Platform::Android, Platform::Web] {
        let least = silence_min(platform, &client_limits(limits, platform));
        if server_limits(limits).silence_of(platform) < least {
            match platform {
                Platform::Web => limits.silence_web = Some(least),
                _ => limits.silence = Some(least),
            }
        }
    }
}
