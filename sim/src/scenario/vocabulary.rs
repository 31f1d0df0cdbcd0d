//! Which words of a scenario mean something to an SDK and a server that are not ours.
//!
//! Much of a scenario speaks of gatecrash alone: its limits, its database, its administrators. What a system does not know
//! is refused before a run begins, never passed over. Drawing seeds without those words is `generate`'s business.

use super::{Action, App, Call, Clock, Fault, Init, LimitOverrides, Scenario, TicketChoice};

/// The words that not every system knows. Those that each must know are logins and logouts, messages, and whatever befalls
/// links, clocks and processes.
///
/// ```
/// use gatecrash_sim::scenario::Vocabulary;
///
/// let knows = Vocabulary { files: true, ..Vocabulary::default() };
/// assert!(!knows.tickets);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The list of conversations.
    pub conversations: bool,
    /// Tickets that run out, or are not what they claim to be. A system without them is given good ones only.
    pub tickets: bool,
    /// What a device keeps on its disk: it may be wiped, or copied onto another device.
    pub files: bool,
}

impl Vocabulary {
    /// Why a step with this action says nothing to the system; none if it does.
    pub fn refuses(&self, action: &Action) -> Option<&'static str> {
        match action {
            Action::Call { call, .. } | Action::On { call, .. } => self.refuses_call(call),
            Action::Raw { .. } => Some("a stranger speaks gatecrash's own protocol"),
            Action::App(_) => Some("the app's configuration is gatecrash's own"),
            Action::Fault(fault) => self.refuses_fault(fault),
        }
    }

    fn refuses_call(&self, call: &Call) -> Option<&'static str> {
        match call {
            Call::Login { ticket: TicketChoice::Fresh { ttl: None }, .. }
            | Call::Logout
            | Call::Send { .. }
            | Call::NetworkChanged => None,
            Call::Login { .. } => (!self.tickets).then_some("the system has no tickets"),
            Call::Conversations => (!self.conversations).then_some("the system has no list of conversations"),
            Call::Init | Call::Uninit => Some("a device's SDK is made when its process starts"),
            Call::Kick { .. } | Call::Query { .. } => Some("administrative calls are gatecrash's own"),
        }
    }

    fn refuses_fault(&self, fault: &Fault) -> Option<&'static str> {
        match fault {
            Fault::Partition { .. }
            | Fault::Repair { .. }
            | Fault::Hold { .. }
            | Fault::Release { .. }
            | Fault::Latency { .. }
            | Fault::Portal { .. }
            | Fault::CrashServer
            | Fault::BounceServer { .. }
            | Fault::StartServer
            | Fault::PowerLossServer
            | Fault::SuspendServer
            | Fault::WakeServer
            | Fault::Reset { .. }
            | Fault::Kill { .. }
            | Fault::Start { .. }
            | Fault::Suspend { .. }
            | Fault::Wake { .. }
            | Fault::Move { .. }
            | Fault::Skew { clock: Clock::Server | Clock::Device(_), .. }
            | Fault::Drift { clock: Clock::Server | Clock::Device(_), .. } => None,
            Fault::Wipe { .. } | Fault::Clone { .. } => {
                (!self.files).then_some("the system keeps nothing on a device's disk")
            }
            Fault::StopServer | Fault::UpgradeServer { .. } => Some("how a server is stopped is gatecrash's own"),
            Fault::PowerLossAt { .. }
            | Fault::PowerLossInDisk { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::SlowDisk { .. }
            | Fault::MendDisk
            | Fault::DeviceDiskError { .. }
            | Fault::DeviceDiskFull { .. }
            | Fault::DeviceSlowDisk { .. }
            | Fault::DeviceMendDisk { .. }
            | Fault::DamageRecord { .. }
            | Fault::DamageCache { .. } => Some("operations of a disk are those of gatecrash's database and records"),
            Fault::LateTimers { .. } => Some("timers can be delayed only where they are gatecrash's own"),
        }
    }

    /// Everything in the scenario that says nothing to the system, a line each.
    pub fn refusals(&self, scenario: &Scenario) -> Vec<String> {
        let mut refusals = Vec::new();
        for step in &scenario.steps {
            if let Some(why) = self.refuses(&step.action) {
                refusals.push(format!("`{step}`: {why}"));
            }
        }
        if scenario.limits != LimitOverrides::default() {
            refusals.push("[limits]: the limits are gatecrash's own, and the system has its own".to_owned());
        }
        let app = &scenario.app;
        let App { id, seats, start, ticket_ttl, .. } = app.clone();
        let plain = App { id, seats, start, ticket_ttl, ..App::default() };
        if *app != plain {
            refusals
                .push("[app]: beside `policy`, `max_instances`, `start` and tickets it is gatecrash's own".to_owned());
        }
        if !self.tickets && !scenario.tickets.is_empty() {
            refusals.push("[tickets]: the system has no tickets".to_owned());
        }
        for (name, device) in &scenario.devices {
            if device.init == Init::Manual {
                refusals
                    .push(format!("[devices] {name}: its SDK is made when its process starts, so `init` is no choice"));
            }
        }
        refusals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(knows: Vocabulary, steps: &str) -> Vec<String> {
        let text = format!(
            "title = \"Words\"\nrules = [\"LOGIN-3\"]\nseed = 1\ndevices.phone = {{ platform = \"ios\", site = \"home\" }}\n\
             script.until = \"9s\"\nscript.steps = \"\"\"\n{steps}\n\"\"\"\n"
        );
        let scenario = Scenario::parse("words.toml", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        knows.refusals(&scenario)
    }

    #[test]
    fn what_every_system_knows_is_never_refused() {
        let steps = "0s phone login alice\n1s phone send bob \"hello\"\n2s fault partition home\n3s phone logout";
        assert_eq!(refusals(Vocabulary::default(), steps), Vec::<String>::new());
    }

    #[test]
    fn every_word_that_a_system_does_not_know_is_named_with_its_reason() {
        let steps =
            "0s phone login alice ttl=5s\n1s fault disk-error server\n2s phone conversations\n3s fault wipe phone";
        let found = refusals(Vocabulary::default(), steps);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[2], "`2s  phone  conversations`: the system has no list of conversations");
        let knows = Vocabulary { conversations: true, tickets: true, files: true };
        assert_eq!(refusals(knows, steps).len(), 1);
    }
}
