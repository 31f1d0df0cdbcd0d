//! Who is logged in: logins, renewals, switches and logouts (LOGIN, SWITCH, LOGOUT).

use crate::client::rig::check;

/// LOGIN-6, LOGIN-7, CONN-3: status, event, result; KICK-7: the answer is acknowledged.
#[test]
fn a_login_succeeds() {
    check(
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > login alice t1
        status LOGINING
        event connecting
        connect 0
        > connected
        send 0 hello device 1
        send 0 login 2 1.1 alice t1
        > answer login 2 epoch 1 bob@9
        disk conversations alice: bob@9
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        > answer login 2 epoch 2
        > answer login 2 [70001]
        ",
    );
}

/// LOGIN-2, TICKET-3: what is in vain is refused at once; INIT-2's order of checks: the state first.
#[test]
fn arguments_are_checked_without_the_network() {
    check(
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > login - t1
        result 2 [7003]
        > login not/a/user t1
        result 3 [7003]
        > login abcdefghijklmnopqrstuvwxyz-123456 -
        result 4 [7003]
        > login alice -
        result 5 [70002]
        > login-with-long-ticket alice
        result 6 [70003]
        > wait 100s
        ",
    );
}

/// LOGIN-4: whoever it is for, and the pending one goes on.
#[test]
fn a_login_during_a_login_is_refused() {
    check(
        "
        > given alice connecting
        > login alice t1
        result 3 [7501]
        > login bob t1
        result 4 [7501]
        > login - -
        result 5 [7501]
        > connected
        send 0 hello device 1
        send 0 login 2 1.1 alice t1
        > login bob t1
        result 6 [7501]
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        ",
    );
}

/// LOGIN-6, LOGIN-9, CONN-9: a refused login leaves nothing, is not repeated, and another may follow.
#[test]
fn a_refused_login_is_over() {
    check(
        "
        > given alice logging in
        > answer login 2 [70009]
        status LOGOUT
        event connect_failed [70009]
        result 2 [70009]
        close 0
        > wait 300s
        > login alice t2
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 login 3 1.2 alice t2
        ",
    );
}

/// LOGIN-8, CONN-2: connecting is retried until the timeout; never sent, so the last attempt's end
/// decides: [9510] if it timed out or is cut short, [9508] if it was refused.
#[test]
fn a_login_without_a_network_is_told_why() {
    check(
        "
        > given alice connecting
        > refused
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > wait 10s
        @ 10.000
        close 1
        event connect_failed [9510]
        note back-off 2 0.250
        > wait 10s
        @ 10.250
        event connecting
        connect 2
        > refused
        event connect_failed [9508]
        note back-off 3 0.500
        > wait 500ms
        @ 20.500
        event connecting
        connect 3
        > wait 9500ms
        @ 30.000
        close 3
        status LOGOUT
        event connect_failed [9510]
        result 2 [9510]
        > connected 3
        > wait 300s
        ",
    );
    check(
        "
        > given alice connecting
        > wait 9s
        > refused
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 9.000
        event connecting
        connect 1
        > wait 10s
        @ 19.000
        close 1
        event connect_failed [9510]
        note back-off 2 0.250
        > wait 10s
        @ 19.250
        event connecting
        connect 2
        > closed
        event connect_failed [9508]
        note back-off 3 0.500
        > wait 500ms
        @ 29.500
        event connecting
        connect 3
        > refused
        event connect_failed [9508]
        note back-off 4 1.000
        > wait 60s
        @ 30.000
        status LOGOUT
        result 2 [9508]
        ",
    );
}

/// LOGIN-8, ATT-2: sent and unanswered. The outcome is unknown, a late answer ignored, and the end
/// goes ahead of the next login. LOGOUT-2: it is owed until the server's answer.
#[test]
fn an_unanswered_login_is_ended_ahead_of_the_next() {
    check(
        "
        > given alice connecting
        > wait 1s
        > connected
        send 0 hello device 1
        send 0 login 2 1.1 alice t1
        > wait 30s
        @ 30.000
        close 0
        disk device 1 starts 1 owed-end
        status LOGOUT
        event connect_failed [9520]
        result 2 [9520]
        note back-off 1 0.000
        connect 1
        > on 0 answer login 2 epoch 1
        > login alice t1
        status LOGINING
        close 1
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        disk device 1 starts 1 owed-end
        send 2 logout 0 1.2
        send 2 login 3 1.3 alice t1
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 3 epoch 2
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 3 ok
        send 2 acknowledged alice 2
        ",
    );
}

/// LOGOUT-2, CONN-9, CONN-2, CONN-3: with nobody logged in an owed end is delivered, and brought again until the
/// server has taken it; the application hears nothing of it.
#[test]
fn an_owed_end_is_delivered_without_a_login() {
    check(
        "
        > given alice logging in
        > closed
        note link lost
        disk device 1 starts 1 owed-end
        status LOGOUT
        event connect_failed [9520]
        result 2 [9520]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        connect 1
        > refused
        note back-off 2 0.250
        > wait 250ms
        @ 0.250
        connect 2
        > connected
        send 2 hello device 1
        send 2 logout 0 1.2
        > answer logout 0 [70500]
        close 2
        note back-off 3 0.500
        > wait 500ms
        @ 0.750
        connect 3
        > connected
        send 3 hello device 1
        send 3 logout 0 1.3
        > answer logout 0 ok
        disk device 1 starts 1
        close 3
        > wait 300s
        > logout
        result 3 [6014]
        ",
    );
}

/// INPUT-6, LOGIN-8: a page that answers in the server's place leaves the login waiting, with nothing to end.
#[test]
fn a_page_is_no_answer() {
    check(
        "
        > given alice logging in
        > page
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 login 2 1.2 alice t1
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 1 acknowledged alice 1
        ",
    );
}

/// LOGOUT-2: once the last ticket has run out, nobody connects for the end any more.
#[test]
fn an_owed_end_is_given_up_with_its_ticket() {
    check(
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > login alice t1 10
        status LOGINING
        event connecting
        connect 0
        > connected
        send 0 hello device 1
        send 0 login 2 1.1 alice t1
        > wait 1s
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        > closed
        note link lost
        note back-off 1 0.000
        > logout
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        result 3 ok
        note back-off 2 0.250
        > wait 9500ms
        @ 1.250
        connect 1
        > wait 60s
        @ 11.250
        close 1
        disk device 1 starts 1
        ",
    );
}

/// LOGIN-8, CONN-8: the link lost after sending; DUR-5: a server that could not store the change.
#[test]
fn a_login_of_unknown_outcome_owes_its_end() {
    check(
        "
        > given alice logging in
        > closed
        note link lost
        disk device 1 starts 1 owed-end
        status LOGOUT
        event connect_failed [9520]
        result 2 [9520]
        note back-off 1 0.000
        > login alice t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 1.2
        send 1 login 3 1.3 alice t1
        > answer logout 0 [70500]
        > answer login 3 [70500]
        close 1
        status LOGOUT
        event connect_failed [70500]
        result 3 [70500]
        note back-off 1 0.000
        > login bob t1
        drop events
        status LOGINING
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 logout 0 1.4
        send 2 login 4 1.5 bob t1
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 4 [70009]
        status LOGOUT
        event connect_failed [70009]
        result 4 [70009]
        close 2
        ",
    );
}

/// LOGIN-3: suspended time counts; on waking, what arrived meanwhile comes before the timers.
#[test]
fn a_login_that_slept_past_its_timeout_ends_on_waking() {
    check(
        "
        > given alice connecting
        > wait 600s
        @ 10.000
        close 0
        event connect_failed [9510]
        note back-off 1 0.000
        event connecting
        connect 1
        @ 20.000
        close 1
        event connect_failed [9510]
        note back-off 2 0.250
        @ 20.250
        event connecting
        connect 2
        @ 30.000
        close 2
        status LOGOUT
        event connect_failed [9510]
        result 2 [9510]
        ",
    );
    check(
        "
        > given alice logging in
        > sleep 600s
        > woken
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        > wait 0s
        ",
    );
}

/// LOGIN-5: accepted, refused, and a second login meanwhile [7501].
#[test]
fn a_renewal_does_not_change_the_status() {
    check(
        "
        > given alice renewing
        > login alice t3
        result 4 [7501]
        > login bob t3
        result 5 [7501]
        > answer renew 4 ok
        > answer renew 3 ok
        result 3 ok
        > login alice t3
        send 0 renew 6 1.3 alice 1 t3
        > answer renew 6 [70009]
        result 6 [70009]
        > given the link lost and another made
        send 1 resume 1.4 alice 1 t2
        ",
    );
}

/// LOGIN-5, CONN-2: without a link the renewal waits for the resume; the back-off starts over.
#[test]
fn a_renewal_waits_for_the_resume() {
    check(
        "
        > given alice refused a second link
        > login alice t2
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.2 alice 1 t1
        > answer resume resumed
        event connect_success
        send 2 renew 3 1.3 alice 1 t2
        > answer renew 3 ok
        result 3 ok
        ",
    );
}

/// LOGIN-5, LOGIN-8: never sent, a renewal is told [9508] or [9510] and the session stays.
#[test]
fn a_renewal_never_sent_is_told_why() {
    check(
        "
        > given alice without a link
        > login alice t2
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > wait 29s
        @ 10.000
        close 1
        event connect_failed [9510]
        note back-off 2 0.250
        @ 10.250
        event connecting
        connect 2
        @ 20.250
        close 2
        event connect_failed [9510]
        note back-off 3 0.500
        @ 20.750
        event connecting
        connect 3
        > wait 1s
        @ 30.000
        result 3 [9510]
        > refused
        event connect_failed [9508]
        note back-off 4 1.000
        > wait 1s
        @ 31.000
        event connecting
        connect 4
        > connected
        send 4 hello device 1
        send 4 resume 1.2 alice 1 t1
        > answer resume resumed
        event connect_success
        ",
    );
}

/// LOGIN-5, CONN-5: unanswered, then a heartbeat at once; the resume tries the new ticket, and once
/// the old one.
#[test]
fn after_an_unanswered_renewal_both_tickets_are_tried() {
    check(
        "
        > given alice renewing
        > wait 30s
        @ 30.000
        result 3 [9520]
        send 0 heartbeat
        > wait 1s
        @ 31.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.3 alice 1 t2
        > answer resume refused [70009]
        send 1 resume 1.4 alice 1 t1
        > answer earlier-resume resumed
        > answer resume resumed
        close 0
        event connect_success
        > closed
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 31.000
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.5 alice 1 t1
        ",
    );
}

/// LOGIN-5: the renewal was accepted and only its answer lost: the session runs with the new ticket.
#[test]
fn a_lost_renewal_answer_does_not_end_the_session() {
    check(
        "
        > given alice renewing
        > closed
        note link lost
        result 3 [9520]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.3 alice 1 t2
        > answer resume resumed
        event connect_success
        > error
        close 1
        note link lost
        note back-off 2 0.250
        > wait 1s
        @ 0.250
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.4 alice 1 t2
        ",
    );
}

/// LOGIN-5: a late answer on the living link says which ticket the session runs with.
#[test]
fn a_late_renewal_answer_still_counts() {
    check(
        "
        > given alice renewing
        > wait 30s
        @ 30.000
        result 3 [9520]
        send 0 heartbeat
        > answer renew 3 [70009]
        > answer heartbeat
        > closed
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 30.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.3 alice 1 t1
        ",
    );
}

/// SWITCH-1, SWITCH-2, SWITCH-3: both frames at once on the standing link; nothing of alice any more.
#[test]
fn a_switch_goes_over_the_standing_link() {
    check(
        "
        > given alice
        > send carol hello
        send 0 message 3 to carol hello
        > login bob t1
        drop events
        status LOGOUT
        result 3 [6014]
        disk device 1 starts 1 owed-end
        status LOGINING
        event connecting
        send 0 logout 0 1.2
        send 0 login 4 1.3 bob t1
        > answer send 3 id 9
        > message 10 carol alice hi
        > conversations
        result 5 list emil@4
        > kick alice 1
        disk device 1 starts 1 owed-end ended alice 1
        send 0 confirmed alice 1
        > expired alice 1
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 4 epoch 1
        disk conversations bob:
        status LOGINED bob
        event connect_success
        result 4 ok
        send 0 acknowledged bob 1
        > kick alice 1
        disk device 1 starts 1 ended alice 1
        send 0 confirmed alice 1
        > message 11 carol bob hi
        disk conversations bob: carol@11
        event message 11 from carol
        ",
    );
}

/// SWITCH-1: what the SDK refuses leaves alice untouched. SWITCH-4: what the server refuses does not
/// bring her back.
#[test]
fn a_refused_switch() {
    check(
        "
        > given alice
        > login b/b t1
        result 3 [7003]
        > login bob -
        result 4 [70002]
        > message 5 carol alice hi
        disk conversations alice: carol@5
        event message 5 from carol
        > login bob t1
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        status LOGINING
        event connecting
        send 0 logout 0 1.2
        send 0 login 5 1.3 bob t1
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 5 [70001]
        status LOGOUT
        event connect_failed [70001]
        result 5 [70001]
        close 0
        > conversations
        result 6 list emil@4
        ",
    );
}

/// SWITCH-3, LOGOUT-2: without a link the end of alice's session is owed; a half-open link is none.
#[test]
fn a_switch_without_a_link_owes_the_end() {
    check(
        "
        > given alice without a link
        > login bob t1
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 1.2
        send 1 login 3 1.3 bob t1
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 3 epoch 1
        disk conversations bob:
        status LOGINED bob
        event connect_success
        result 3 ok
        send 1 acknowledged bob 1
        > closed
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.4 bob 1 t1
        > login carol t1
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        status LOGINING
        close 2
        event connecting
        connect 3
        > on 2 answer resume resumed
        > connected
        send 3 hello device 1
        send 3 logout 0 1.5
        send 3 login 4 1.6 carol t1
        ",
    );
}

/// LOGOUT-1, LOGOUT-4, CONN-9: answered, settled, closed.
#[test]
fn a_logout_ends_everything() {
    check(
        "
        > given alice sending and renewing
        > logout
        drop events
        status LOGOUT
        result 3 [6014]
        result 4 [6014]
        disk device 1 starts 1 owed-end
        send 0 logout 5 1.3
        > message 5 carol alice hi
        > answer send 3 id 9
        > conversations
        result 6 [6014]
        > login bob t1
        result 7 [7502]
        > logout
        result 8 [7502]
        > answer logout 5 ok
        disk device 1 starts 1
        close 0
        result 5 ok
        > logout
        result 9 [6014]
        > wait 300s
        ",
    );
}

/// LOGOUT-1, LOGOUT-2, CONN-8, DUR-5: unanswered, link lost, no link, server unable: it succeeds and stays owed.
#[test]
fn a_logout_always_succeeds() {
    let endings = [
        (
            "",
            "send 0 logout 3 1.2
            > wait 20s
            @ 15.000
            close 0
            result 3 ok
            note back-off 1 0.000
            connect 1",
            "
            close 1",
        ),
        (
            "",
            "send 0 logout 3 1.2
            > closed
            note link lost
            result 3 ok
            note back-off 1 0.000",
            "",
        ),
        (
            "",
            "send 0 logout 3 1.2
            > answer logout 3 [70500]
            close 0
            result 3 ok
            note back-off 1 0.000",
            "",
        ),
        (
            "> closed
            note link lost
            note back-off 1 0.000",
            "result 3 ok
            note back-off 2 0.250",
            "",
        ),
    ];
    for (before, ending, goes_on) in endings {
        check(&format!(
            "
            > given alice
            {before}
            > logout
            drop events
            status LOGOUT
            disk device 1 starts 1 owed-end
            {ending}
            > logout
            result 4 [6014]
            > uninit
            drop events{goes_on}
            result 5 ok
            > init
            disk device 1 starts 2 owed-end
            result 6 ok
            note back-off 1 0.000
            "
        ));
    }
}

/// LOGOUT-3: whatever the server made of the pending login is ended by the later attempt.
#[test]
fn a_logout_cancels_a_pending_login() {
    check(
        "
        > given alice logging in
        > logout
        drop events
        status LOGOUT
        result 2 [6023]
        disk device 1 starts 1 owed-end
        send 0 logout 3 1.2
        > answer login 2 epoch 1
        > kick alice 1
        disk device 1 starts 1 owed-end ended alice 1
        send 0 confirmed alice 1
        > answer logout 3 ok
        disk device 1 starts 1
        close 0
        result 3 ok
        ",
    );
}

/// LOGOUT-3: a login that was never sent leaves nothing to end.
#[test]
fn a_logout_before_the_login_was_sent_needs_no_network() {
    check(
        "
        > given alice connecting
        > logout
        drop events
        status LOGOUT
        result 2 [6023]
        close 0
        result 3 ok
        > connected 0
        > login alice t1
        status LOGINING
        event connecting
        connect 1
        > refused
        event connect_failed [9508]
        note back-off 1 0.000
        > logout
        drop events
        status LOGOUT
        result 4 [6023]
        result 5 ok
        > wait 100s
        ",
    );
}

/// LOGOUT-2, LOGOUT-3: an answer to the owed end settles nothing while a later logout is unanswered.
#[test]
fn only_the_last_logout_settles_the_record() {
    check(
        "
        > given alice
        > given the switch to bob
        > logout
        drop events
        status LOGOUT
        result 3 [6023]
        send 0 logout 4 1.4
        > answer logout 4 ok
        > answer logout 0 ok
        > answer login 3 epoch 1
        > answer logout 4 ok
        disk device 1 starts 1
        close 0
        result 4 ok
        ",
    );
}
