//! A link that may be dead, and another one beside it (CONN-10).

use crate::client::rig::check;

/// CONN-10, CONN-7, CONN-8: the session goes over to the second connection. What came on the first until then
/// counts, what was sent on it and has no answer ends, and what was called meanwhile goes out.
#[test]
fn a_session_goes_over_to_a_second_connection() {
    check(
        "
        > given alice
        > wait 10s
        > send bob one
        send 0 message 3 to bob one
        > send bob two
        send 0 message 4 to bob two
        > network
        send 0 heartbeat
        event connecting
        connect 1
        > send bob three
        > on 0 answer send 3 id 4
        disk conversations alice: bob@4
        result 3 id 4
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > answer resume resumed
        disk conversations alice:
        close 0
        result 4 [9520]
        event connect_success
        send 1 message 5 to bob three
        > on 0 answer send 4 id 5
        > answer send 5 id 6
        disk conversations alice: bob@6
        result 5 id 6
        ",
    );
}

/// CONN-10: the second connection comes to nothing and the first has answered: it stays, and is asked once more.
#[test]
fn a_link_that_has_answered_stays() {
    check(
        "
        > given alice
        > network
        send 0 heartbeat
        event connecting
        connect 1
        > on 0 answer heartbeat
        > send bob one
        > refused
        note link kept
        event connect_success
        send 0 heartbeat
        > answer heartbeat
        send 0 message 3 to bob one
        > answer send 3 id 4
        disk conversations alice: bob@4
        result 3 id 4
        ",
    );
}

/// CONN-10, API-5: neither works, so the link is lost. What waited goes on waiting, and was never sent.
#[test]
fn a_link_that_has_not_answered_is_lost() {
    check(
        "
        > given alice
        > send bob one
        send 0 message 3 to bob one
        > network
        send 0 heartbeat
        event connecting
        connect 1
        > send bob two
        > wait 100ms
        > refused
        close 0
        note link lost
        result 3 [9520]
        event connect_failed [9508]
        note back-off 1 0.000
        > send bob three
        result 5 [9508]
        > wait 0s
        @ 0.100
        event connecting
        connect 2
        > wait 10s
        @ 10.100
        close 2
        event connect_failed [9510]
        note back-off 2 0.250
        > wait 250ms
        @ 10.350
        event connecting
        connect 3
        > wait 4650ms
        @ 15.000
        result 4 [9508]
        ",
    );
}

/// CONN-10: what ends the session ends it on whichever connection it comes, and nothing is replaced any more.
#[test]
fn a_kick_on_the_doubted_link_ends_the_session() {
    check(
        "
        > given alice
        > network
        send 0 heartbeat
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > on 0 kick alice 1
        close 1
        disk device 1 starts 1 ended alice 1
        status LOGOUT
        event kicked_offline alice 1
        send 0 confirmed alice 1
        close 0
        ",
    );
}

/// CONN-10: an attempt that was begun on the network before is not waited for.
#[test]
fn a_new_network_ends_the_attempt_under_way() {
    check(
        "
        > given alice refused a second link
        > wait 250ms
        @ 0.250
        event connecting
        connect 2
        > network
        close 2
        event connect_failed [9508]
        note back-off 1 0.000
        ",
    );
}

/// CONN-10, LOGOUT-2: who leaves does not wait for a link that may be dead.
#[test]
fn a_logout_does_not_wait_for_a_doubted_link() {
    check(
        "
        > given alice
        > woken
        send 0 heartbeat
        > logout
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        close 0
        result 3 ok
        note back-off 1 0.000
        ",
    );
}

/// CONN-10, CONN-2: the server does not want the device back yet, so the second connection waits.
#[test]
fn no_second_connection_is_made_before_the_server_wants_it() {
    check(
        "
        > given alice
        > network
        send 0 heartbeat
        event connecting
        connect 1
        > on 0 answer heartbeat
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > closing full 3s
        close 1
        note link kept
        event connect_success
        send 0 heartbeat
        > answer heartbeat
        > network
        send 0 heartbeat
        > wait 3s
        @ 3.000
        event connecting
        connect 2
        ",
    );
}

/// CONN-10: on waking, or on another network, calls wait for the attempt that is about to be made.
#[test]
fn a_call_waits_for_the_first_attempt_after_waking() {
    check(
        "
        > given alice refused a second link
        > send bob one
        result 3 [9508]
        > woken
        note back-off 1 0.000
        > send bob two
        > wait 0s
        @ 0.000
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.2 alice 1 t1
        > answer resume resumed
        event connect_success
        send 2 message 4 to bob two
        ",
    );
}
