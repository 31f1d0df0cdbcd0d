//! The rules of the session system: their ids, and what each demands in a sentence.
//!
//! Checks none of them: properties and expectations do, and a report of a violation prints the
//! sentence. `SPEC.md` states every rule in full.

use std::fmt;

/// The id of a rule that exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(&'static str);

impl RuleId {
    /// The rule with this id.
    pub fn find(id: &str) -> Option<RuleId> {
        RULES.iter().find(|(known, _)| *known == id).map(|(known, _)| RuleId(known))
    }

    /// Every rule, in the order of the specification.
    pub fn all() -> impl Iterator<Item = RuleId> {
        RULES.iter().map(|(id, _)| RuleId(id))
    }

    /// The id, such as `KICK-3`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What the rule demands, in a sentence.
    pub fn text(self) -> &'static str {
        RULES.iter().find(|(known, _)| *known == self.0).expect("only known rules are constructed").1
    }
}

/// The rule with this id, for constants: `const KICK: RuleId = rule("KICK-3");`.
///
/// # Panics
///
/// If there is none, so that a constant with a wrong id does not compile.
pub const fn rule(id: &str) -> RuleId {
    let mut index = 0;
    while index < RULES.len() {
        if is_same(RULES[index].0, id) {
            return RuleId(RULES[index].0);
        }
        index += 1;
    }
    panic!("no rule has this id")
}

/// Whether two words are the same, for constants.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Every rule: its id, and what it demands.
pub const RULES: [(&str, &str); 105] = [
    (
        "INIT-1",
        "Without a successful init, and after uninit, calls fail with 6013; only init, set_listener, login_status and login_user still work.",
    ),
    ("INIT-2", "The application may log in the moment init has returned."),
    ("INIT-3", "uninit settles every call under way with 7009 before it returns, and not one callback comes after it."),
    ("INIT-4", "init on an SDK that is initialised already fails with 6015 and has no effect."),
    (
        "INIT-5",
        "uninit of a logged-in SDK drops the connection and logs nobody out: the session lives on as after a killed process.",
    ),
    (
        "INIT-6",
        "A new process begins logged out and resumes nothing; its login gets a new epoch and counts as a login.",
    ),
    (
        "ATT-1",
        "The server acts upon a device's attempts in their order only: an attempt older than the newest it acted upon changes nothing and is answered as stale.",
    ),
    (
        "ATT-2",
        "A logout ends every session that earlier attempts of the device made, also one whose answer never arrived.",
    ),
    ("ATT-3", "A device id stays between the device and the server; everybody else sees a public name."),
    (
        "ATT-4",
        "Device id, start count and owed end are synced as one record before the first frame, and belong to one process at a time.",
    ),
    (
        "ATT-5",
        "While the device's record cannot be written, calls that need it end at once with 6022; a damaged file keeps nobody from logging in.",
    ),
    (
        "ATT-6",
        "A device without a session is let go long after its last ticket ran out, and of one user only so many are remembered.",
    ),
    ("LOGIN-1", "A user's first accepted login creates the account; a refused one leaves nothing behind."),
    (
        "LOGIN-2",
        "A user id outside 1 to 32 bytes of letters, digits, _ and - is refused: 7003 by the SDK without asking, 70402 by the server.",
    ),
    ("LOGIN-3", "Each login call gets one result and only one, no later than the login timeout."),
    ("LOGIN-4", "A login while another is pending fails with 7501 at once and does not disturb it."),
    (
        "LOGIN-5",
        "A login of the user who is logged in renews the ticket: same epoch, same place, nobody kicked, nothing counted; refused, it changes nothing.",
    ),
    (
        "LOGIN-6",
        "The status goes from LOGOUT to LOGINING at the call, and from there to LOGINED on success or back on failure; nothing else leads to LOGINED.",
    ),
    ("LOGIN-7", "login_user names the user while LOGINED and is empty otherwise."),
    (
        "LOGIN-8",
        "A login keeps trying to connect until its timeout; never sent it fails with 9508 or 9510, sent and unanswered with 9520, and its attempt is ended before anything else is sent.",
    ),
    ("LOGIN-9", "After a refused or timed-out login the SDK waits for the application to decide."),
    (
        "LOGIN-10",
        "A login from a device that still has a session of that user replaces it without a kick event and without a second place.",
    ),
    (
        "LOGIN-11",
        "So many logins of a user or from a device in a short time are refused with 60007, whatever their tickets are worth.",
    ),
    ("TICKET-1", "Tickets are TLSSigAPIv2 UserSigs, interchangeable with the public reference generator's."),
    ("TICKET-2", "A ticket is valid up to and including its issue time plus its ttl, and before its issue time too."),
    (
        "TICKET-3",
        "A bad ticket is refused with the code of the first thing wrong with it, in the fixed order of checks.",
    ),
    (
        "TICKET-4",
        "Ten refused tickets within 60 s lock that user on that device for 60 s with 70050; resumes, other devices and other users stay free.",
    ),
    (
        "TICKET-5",
        "A session ends one second after its ticket's last valid second, and a connected device hears user_sig_expired once, promptly.",
    ),
    (
        "TICKET-6",
        "A session that expires while the link is down ends for its device on reconnecting, with that one event.",
    ),
    (
        "TICKET-7",
        "After an expiry a fresh ticket logs in, the expired one fails with 70001 or, known as expired, 6206; the device's clock decides nothing.",
    ),
    ("TICKET-8", "After user_sig_expired the SDK does not reconnect for the ended session."),
    ("CONN-1", "Losing the link leaves the status LOGINED and login_user set."),
    (
        "CONN-2",
        "While LOGINED the SDK reconnects by itself with a doubling, spread, bounded back-off, each attempt bounded too.",
    ),
    (
        "CONN-3",
        "connecting opens every attempt, and one of four events, or a deliberate end, closes it; around a login come status, event, result.",
    ),
    (
        "CONN-4",
        "A resume keeps epoch and place and kicks nobody, or tells exactly how the session ended, or is tried again; a refused ticket's end is owed.",
    ),
    (
        "CONN-5",
        "An idle link is probed by heartbeats, and an unanswered one is given up by the device after 15 s and by the server after its silence limit.",
    ),
    ("CONN-6", "A dormant session keeps its place and can be resumed, but is the first to be displaced."),
    (
        "CONN-7",
        "Of two connections of a device the one with the higher attempt stays, and nothing that arrives late from the other has an effect.",
    ),
    ("CONN-8", "Requests unanswered when the link is lost end with 9520 and are not repeated in secret."),
    ("CONN-9", "An SDK with no session, no pending login, no pending logout and no owed end holds no connection."),
    (
        "CONN-10",
        "On a change of network the SDK resumes on a second connection beside its link at once; on waking, or when a request goes unanswered, once a probe has no answer within 1 s; calls wait meanwhile.",
    ),
    (
        "CONN-11",
        "Idle links that die without a word bring heartbeats twice as often, not more often than each 30 s, as long as the device stays on that network, and each hour without one half as often again.",
    ),
    (
        "CONN-12",
        "A server with more to do than it can says busy to a login or resume and when to come back, and nothing else comes of it.",
    ),
    ("POLICY-1", "The policy says which platforms compete: all, all but the web, mobile and desktop apart, or none."),
    (
        "POLICY-2",
        "Each platform has its number of devices within a fixed range; a number outside is refused when the configuration is read.",
    ),
    (
        "POLICY-3",
        "An accepted login wins and displaces exactly those it competes with: other platforms of its group, and the surplus on its own, dormant and oldest first.",
    ),
    (
        "POLICY-4",
        "After every acceptance, in the server's order, the user's sessions are exactly those the policy leaves.",
    ),
    ("POLICY-5", "A new policy ends no session; it applies when a user next logs in."),
    (
        "KICK-1",
        "A displaced device hears kicked_offline once if it learns of it while logged in with that epoch, and is logged out then; otherwise never.",
    ),
    ("KICK-2", "A kick ends the one session it names and no other, however late it comes."),
    (
        "KICK-3",
        "A kick is owed until its device confirms it; lost on the way, it is learnt at the next heartbeat or resume, and never told twice.",
    ),
    (
        "KICK-4",
        "A kicked SDK does nothing by itself; a session is displaced once at most, and displacements never outnumber accepted logins.",
    ),
    ("KICK-5", "A device displaced while its link was down is told on reconnecting and does not come online."),
    ("KICK-6", "A resume displaces no newer login, unless reconnect_kicks makes it count as a login."),
    (
        "KICK-7",
        "A login after a displacement of the dead process succeeds, or with notify_offline_kick fails once with 6208 first.",
    ),
    ("KICK-8", "A kick is told after the answer of the login it ends, and fails no pending login."),
    ("KICK-9", "Every kick says why: same platform, other platform, administrator, or gone."),
    (
        "KICK-10",
        "Once a session has ended nothing but that end reaches its device, and the connection is closed when the end is confirmed, or 15 s later.",
    ),
    (
        "EVENT-1",
        "A session ends with at most one terminal event, after the change of status and the end of its pending calls.",
    ),
    ("EVENT-2", "Every call may be made inside a listener, and one that fails keeps the SDK from nothing."),
    (
        "SWITCH-1",
        "A login as another user logs the former out first by itself; only a refusal by the SDK leaves the former logged in.",
    ),
    (
        "SWITCH-2",
        "From the accepted switch on nothing of the former user reaches the application, and their pending calls end with 6014.",
    ),
    (
        "SWITCH-3",
        "The former user's session ends as by a logout, nobody is kicked, and without a link that end is owed.",
    ),
    ("SWITCH-4", "A switch whose login fails leaves nobody logged in."),
    ("SWITCH-5", "An accepted login ends the device's sessions of all other users."),
    (
        "LOGOUT-1",
        "From the call of logout on the device is logged out and hears nothing more; the call has one result within the request timeout.",
    ),
    (
        "LOGOUT-2",
        "logout succeeds also without a link; the end is kept on the device's disk and delivered as soon as there is a network, before the next login.",
    ),
    ("LOGOUT-3", "A logout cancels a pending login with 6023, and whatever the server made of that login ends."),
    ("LOGOUT-4", "Calls that cross a pending logout fail with 7502, and a logout of nobody with 6014."),
    ("LOGOUT-5", "A logout touches no other device of the user."),
    (
        "API-1",
        "Before LOGINED only the conversation list answers, from the cache of the user of the latest accepted login call; everything else fails with 6014.",
    ),
    (
        "API-2",
        "A message is numbered, answered, and delivered at most once to each connected device of receiver and sender, in the server's order.",
    ),
    ("API-3", "The cache belongs to one user on one device, outlives the process, and is shown to nobody else."),
    ("API-4", "Wrong arguments fail with 6017 at once, a message to an unknown user with 70107."),
    ("API-5", "Every request has one result in time: 9508 without a link, 9520 unanswered; nothing is queued."),
    ("API-6", "A message sent again under its id keeps its number and is delivered once, as long as a login lives."),
    (
        "API-7",
        "A message comes once, in order, to each session that was entitled to it, after a link loss too; or the resume says how many were dropped.",
    ),
    ("DAU-1", "A user counts once for each UTC day with an accepted login; renewals and resumes do not count."),
    ("DAU-2", "A restart of the server keeps the count of days."),
    (
        "PRES-1",
        "A user is online with a connected session, push-online for 7 days after a mobile session lost its link, offline otherwise; each change is one event.",
    ),
    ("PRES-2", "No dead device is shown online beyond the timeouts, and no live one offline because another left."),
    ("PRES-3", "Presence events are numbered without gaps, and replayed they give the true presence."),
    ("ADMIN-1", "An administrative kick ends all sessions of a user and voids the tickets issued so far."),
    ("ADMIN-2", "A status query shows presence and devices of the users asked for, and lists unknown users apart."),
    ("ADMIN-3", "Administrative calls of anybody but an administrator fail with 60010."),
    (
        "DUR-1",
        "What the server has answered, delivered or told is on disk before; the rest happened wholly or not at all.",
    ),
    ("DUR-2", "A restarted server knows all that lasts; devices resume and nobody needs to log in again."),
    ("DUR-3", "Epochs never go back."),
    (
        "DUR-4",
        "At a restart the sessions that were connected begin their link loss, and time has passed while the server was down.",
    ),
    ("DUR-5", "A commit that fails answers 70500 to those who wait for it, and nothing is half applied."),
    (
        "STOP-1",
        "A stop accepts nobody from then on, answers what was decided, closes everybody within 5 s, and a successor waits 10 s for the records.",
    ),
    (
        "INPUT-1",
        "A malformed, oversized or misplaced frame gets an error and a closed connection, and changes nothing else.",
    ),
    ("INPUT-2", "A connection that is not admitted within 45 s is closed."),
    ("INPUT-3", "Nobody gets in without a ticket that passes every check."),
    (
        "INPUT-4",
        "A bad scenario or configuration is refused with its place, the rule and the nearest valid word, and nothing runs.",
    ),
    (
        "INPUT-5",
        "A full server makes room of whoever came first and has said nothing, and tells others that it is full.",
    ),
    (
        "INPUT-6",
        "What comes to an SDK before any frame and is none is no answer: the attempt failed as without a link.",
    ),
    ("INPUT-7", "A handshake that is not done in time is closed, and one that fails changes nothing for anybody."),
    (
        "INPUT-8",
        "One address has its share of connections and of refusals, and no connection is read faster than its bound.",
    ),
    (
        "VERSION-1",
        "A server that does not support the SDK's version ends a login with 7013 and a session's reconnecting, until the next login or init.",
    ),
    (
        "CONFIG-1",
        "Keys are trimmed, and no key where they are empty or no text; a configuration is looked at whole before anything is made.",
    ),
    (
        "CONFIG-2",
        "A server that is told to read its configuration again puts all of it in force, or says what is wrong and nothing changes.",
    ),
    ("TLS-1", "Nobody serves with a certificate that nobody could trust."),
    ("TLS-2", "An SDK that is told whom to trust sends nothing before whoever answers has proved to be the server."),
    ("TLS-3", "A renewed certificate is shown to whoever connects from then on, and closes nobody."),
];

#[cfg(test)]
mod tests {
    use super::*;

    const KICK: RuleId = rule("KICK-3");

    #[test]
    fn ids_are_found_and_have_a_text() {
        assert_eq!(RuleId::find("KICK-3"), Some(KICK));
        assert_eq!(RuleId::find("KICK-11"), None);
        assert_eq!(RuleId::all().count(), RULES.len());
        for rule in RuleId::all() {
            assert!(rule.text().ends_with('.'), "{rule}");
        }
    }

    #[test]
    fn ids_are_unique_and_numbered_without_gaps_within_their_family() {
        let mut expected = std::collections::BTreeMap::new();
        for rule in RuleId::all() {
            let (family, number) = rule.as_str().rsplit_once('-').unwrap();
            let next = expected.entry(family).or_insert(0_u32);
            *next += 1;
            assert_eq!(number.parse(), Ok(*next), "{rule}");
        }
    }
}
