//! The chat's bugs that are known. Whoever mends one strikes it off here.

/// A bug, and the file below `scenarios/` that shows it.
pub struct Bug {
    /// The file, without its ending.
    pub stem: &'static str,
    /// What does not hold in it.
    pub sentence: &'static str,
    /// Why not.
    pub why: &'static str,
}

/// All of them.
pub const KNOWN: [Bug; 7] = [
    Bug {
        stem: "login_while_logging_in_loses_the_first_result",
        sentence: "a call gets a result",
        why: "`login` puts its callback where that of the login before still waits",
    },
    Bug {
        stem: "login_forgets_what_is_being_sent",
        sentence: "a call gets a result",
        why: "`login` makes a new state, and the callbacks of messages under way are gone with the old one",
    },
    Bug {
        stem: "login_that_timed_out_succeeds_later",
        sentence: "a call gets no second result",
        why: "the time-out calls the callback and leaves it, and the loop goes on until somebody says welcome",
    },
    Bug {
        stem: "older_phone_comes_back_and_kicks_the_newer",
        sentence: "a login is displaced only by a later one",
        why: "a reconnect says `login` as the application does, so that the server takes it for a newer one",
    },
    Bug {
        stem: "silence_is_never_noticed",
        sentence: "everything comes to rest once the faults have ended",
        why: "the SDK's six seconds of silence begin anew whenever it sends a ping, which it does every two",
    },
    Bug {
        stem: "kick_over_a_dead_connection_is_lost",
        sentence: "no more devices are logged in than have a seat",
        why: "a kick is said once, to a connection of which nobody knows that it is dead, and nobody owes it any more",
    },
    Bug {
        stem: "message_to_a_dead_connection_is_lost",
        sentence: "a message that was accepted reaches every device that stayed logged in",
        why: "what is written to a connection counts as delivered",
    },
];
