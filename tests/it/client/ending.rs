//! Sessions that end without being asked: kicks, expiries, and what tells them apart (KICK, EVENT, TICKET).

use crate::client::rig::check;

/// KICK-1, KICK-4, KICK-10, EVENT-1, CONN-9: noted on the disk, told, confirmed, closed; then nothing.
#[test]
fn a_kick_ends_the_session() {
    check(
        "
        > given alice sending and renewing
        > kick alice 1
        disk device 1 starts 1 ended alice 1
        status LOGOUT
        result 3 [6014]
        result 4 [6014]
        event kicked_offline alice 1
        send 0 confirmed alice 1
        close 0
        > on 0 kick alice 1
        > send bob hello
        result 5 [6014]
        > logout
        result 6 [6014]
        > conversations
        result 7 list
        > woken
        > network
        > wait 600s
        > given alice connecting once more
        send 1 login 8 1.3 alice t1 ended alice 1
        > answer login 8 epoch 3
        disk device 1 starts 1
        status LOGINED alice
        event connect_success
        result 8 ok
        send 1 acknowledged alice 3
        ",
    );
}

/// KICK-2: a kick for another epoch or user is confirmed and changes nothing else, however late.
#[test]
fn a_kick_for_another_session_is_dropped() {
    check(
        "
        > given alice
        > kick alice 7
        disk device 1 starts 1 ended alice 7
        send 0 confirmed alice 7
        > kick bob 1
        disk device 1 starts 1 ended bob 1
        send 0 confirmed bob 1
        > expired alice 7
        > expired bob 1
        > send bob hello
        send 0 message 3 to bob hello
        ",
    );
}

/// KICK-3, KICK-5, EVENT-1: learnt at the resume; push and answer together give one event.
#[test]
fn a_kick_is_learnt_at_the_resume_once() {
    let before = "
        > given alice resuming
        > login alice t2
        ";
    let after = "
        disk device 1 starts 1 ended alice 1
        status LOGOUT
        result 3 [6014]
        event kicked_offline alice 1
        send 1 confirmed alice 1
        close 1
        > on 1 kick alice 1
        > on 1 answer resume kicked alice 1
        > wait 300s
        ";
    check(&format!("{before}> answer resume kicked alice 1\n{after}"));
    check(&format!("{before}> kick alice 1\n{after}"));
}

/// KICK-2: not even the answer to a resume ends another session than the one it names.
#[test]
fn a_resume_is_not_ended_by_a_kick_for_another_epoch() {
    check(
        "
        > given alice resuming
        > answer resume kicked alice 7
        disk device 1 starts 1 ended alice 7
        send 1 confirmed alice 7
        > answer resume resumed
        event connect_success
        ",
    );
}

/// KICK-8: a kick for the pending user waits for the answer, then LOGINED comes before `kicked_offline`.
#[test]
fn a_kick_that_overtakes_the_answer_is_applied_after_it() {
    check(
        "
        > given alice logging in
        > kick alice 4
        > answer login 2 epoch 4
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 4
        disk device 1 starts 1 ended alice 4
        status LOGOUT
        event kicked_offline alice 4
        send 0 confirmed alice 4
        close 0
        ",
    );
}

/// KICK-8: of several the highest epoch waits; one for another epoch or user never fails the login.
#[test]
fn a_kick_never_fails_a_pending_login() {
    let before = "
        > given alice logging in
        > kick bob 9
        disk device 1 starts 1 ended bob 9
        send 0 confirmed bob 9
        > kick alice 3
        > kick alice 3
        > kick alice 2
        disk device 1 starts 1 ended alice 2
        send 0 confirmed alice 2
        > kick alice 4
        disk device 1 starts 1 ended alice 3
        send 0 confirmed alice 3
        ";
    check(&format!(
        "{before}
        > answer login 2 epoch 5
        disk device 1 starts 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 5
        disk device 1 starts 1 ended alice 4
        send 0 confirmed alice 4
        "
    ));
    check(&format!(
        "{before}
        > answer login 2 [6208]
        status LOGOUT
        event connect_failed [6208]
        result 2 [6208]
        disk device 1 starts 1 ended alice 4
        send 0 confirmed alice 4
        close 0
        "
    ));
}

/// KICK-6: the resume was accepted as a login: another epoch, acknowledged; the application sees no login.
#[test]
fn a_resume_may_come_back_as_a_login() {
    check(
        "
        > given alice resuming
        > answer resume logged-in 4 bob@2
        send 1 acknowledged alice 4
        disk conversations alice: bob@2
        event connect_success
        > kick alice 1
        disk device 1 starts 1 ended alice 1
        send 1 confirmed alice 1
        > kick alice 4
        disk device 1 starts 1 ended alice 4
        status LOGOUT
        event kicked_offline alice 4
        send 1 confirmed alice 4
        close 1
        ",
    );
}

/// KICK-3, KICK-7: what is known to have ended survives the process, until a login names it or a logout settles it.
#[test]
fn a_known_end_survives_the_process() {
    check(
        "
        > given alice
        > given the kick told
        > uninit
        drop events
        result 3 ok
        > init
        disk device 1 starts 2 ended alice 1
        result 4 ok
        > login bob t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 login 5 2.1 bob t1 ended alice 1
        > logout
        drop events
        status LOGOUT
        result 5 [6023]
        disk device 1 starts 2 owed-end ended alice 1
        send 1 logout 6 2.2
        > answer logout 6 ok
        disk device 1 starts 2
        close 1
        result 6 ok
        ",
    );
}

/// TICKET-5, TICKET-8, EVENT-1: told once, the status first; no reconnect. API-1: the cache is still there.
#[test]
fn an_expiry_ends_the_session() {
    check(
        "
        > given alice
        > query bob
        send 0 query 3 of 1
        > expired alice 1
        status LOGOUT
        result 3 [6014]
        event user_sig_expired alice 1
        close 0
        > on 0 expired alice 1
        > conversations
        result 4 list
        > network
        > wait 600s
        ",
    );
}

/// TICKET-6, CONN-4: learnt at the resume, or told by the refusal of the only ticket. Of the latter the server is
/// owed the end, for it has the session still (LOGOUT-2).
#[test]
fn an_expiry_is_learnt_at_the_resume() {
    check(
        "
        > given alice resuming
        > answer resume expired
        status LOGOUT
        event user_sig_expired alice 1
        close 1
        > wait 300s
        ",
    );
    for code in [70001, 70009] {
        check(&format!(
            "
            > given alice resuming
            > answer resume refused [{code}]
            disk device 1 starts 1 owed-end
            status LOGOUT
            event user_sig_expired alice 1
            send 1 logout 0 1.3
            > answer logout 0 ok
            disk device 1 starts 1
            close 1
            > wait 300s
            "
        ));
    }
}

/// KICK-10, SWITCH-2: nothing of an ended session reaches the application.
#[test]
fn messages_are_for_who_is_logged_in() {
    check(
        "
        > given alice
        > message 4 bob carol hi
        > message 5 bob alice hi
        disk conversations alice: bob@5
        event message 5 from bob
        > message 6 alice bob hi
        disk conversations alice: bob@6
        event message 6 from alice
        > given the kick told
        > on 0 message 7 bob alice hi
        ",
    );
}
