//! The link: reconnecting, back-off, heartbeats, resumes, stale attempts (CONN, ATT).

use crate::client::rig::check;

/// CONN-1, CONN-2, CONN-3: the status stays; the delays double; an attempt lasts 10 s, its resume included.
#[test]
fn a_lost_link_is_made_again() {
    check(
        "
        > given alice
        > closed
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > refused
        event connect_failed [9508]
        note back-off 2 0.250
        > wait 1s
        @ 0.250
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.2 alice 1 t1
        > closed
        event connect_failed [9508]
        note back-off 3 0.500
        > wait 500ms
        @ 1.500
        event connecting
        connect 3
        > wait 9s
        > connected
        send 3 hello device 1
        send 3 resume 1.3 alice 1 t1
        > wait 1s
        @ 11.500
        close 3
        event connect_failed [9510]
        note back-off 4 1.000
        ",
    );
}

/// CONN-2: whom the server sends away comes back when it is wanted, and not before, whatever network it is on.
#[test]
fn a_server_that_closes_on_purpose_says_when_to_come_back() {
    check(
        "
        > given alice
        > send bob hello
        send 0 message 3 to bob hello
        > closing stopping 3s
        close 0
        note link lost
        result 3 [9520]
        note back-off 1 3.000
        > wait 2s
        > network
        note back-off 1 1.000
        > wait 1s
        @ 3.000
        event connecting
        connect 1
        > refused
        event connect_failed [9508]
        note back-off 2 0.250
        > network
        note back-off 1 0.000
        ",
    );
}

/// LOGIN-8, CONN-2: a login that the server did not do goes on waiting, and a resume is made again.
#[test]
fn what_was_asked_of_a_server_that_closes_on_purpose_is_asked_again() {
    check(
        "
        > given alice logging in
        > closing full 2s
        close 0
        note link lost
        event connect_failed [70169]
        note back-off 1 2.000
        > wait 2s
        @ 2.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 login 2 1.2 alice t1
        > closing stopping 40s
        close 1
        note link lost
        event connect_failed [9508]
        note back-off 1 40.000
        > wait 28s
        @ 30.000
        status LOGOUT
        result 2 [9508]
        ",
    );
    check(
        "
        > given alice resuming
        > closing full 1s
        close 1
        event connect_failed [70169]
        note back-off 1 1.000
        > wait 1s
        @ 1.000
        event connecting
        connect 2
        ",
    );
}

/// CONN-2: the back-off starts over after a link that lived 30 s, not after a shorter one.
#[test]
fn the_backoff_starts_over_after_a_link_that_lived() {
    check(
        "
        > given alice resuming
        > answer resume resumed
        event connect_success
        > wait 29s
        > closed
        note link lost
        note back-off 2 0.250
        > wait 1s
        @ 29.250
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.3 alice 1 t1
        > answer resume resumed
        event connect_success
        > wait 30s
        > closed
        note link lost
        note back-off 1 0.000
        ",
    );
}

/// CONN-4: a resume brings the list of conversations (API-2).
#[test]
fn a_resume_brings_the_conversations() {
    check(
        "
        > given alice resuming
        > answer resume resumed bob@7 carol@5
        disk conversations alice: bob@7 carol@5
        event connect_success
        > answer resume kicked alice 1
        > conversations
        result 3 list bob@7 carol@5
        ",
    );
}

/// CONN-4: the server is unable; CONN-8: nothing is repeated but the resume.
#[test]
fn an_unable_server_is_tried_again() {
    check(
        "
        > given alice resuming
        > answer resume unable [70500]
        close 1
        event connect_failed [70500]
        note back-off 2 0.250
        > wait 1s
        @ 0.250
        event connecting
        connect 2
        ",
    );
}

/// CONN-5: 120 s after anything was last sent, looked at when the timer fires; 15 s for the answer.
#[test]
fn a_silent_link_is_noticed_by_the_heartbeat() {
    check(
        "
        > given alice
        > wait 100s
        > send bob hello
        send 0 message 3 to bob hello
        > answer send 3 id 4
        disk conversations alice: bob@4
        result 3 id 4
        > wait 119s
        > wait 1s
        @ 220.000
        send 0 heartbeat
        > wait 14s
        > answer heartbeat
        > answer heartbeat
        > wait 106s
        @ 340.000
        send 0 heartbeat
        > wait 15s
        @ 355.000
        close 0
        note link lost
        note back-off 1 0.000
        event connecting
        connect 1
        > on 0 answer heartbeat
        ",
    );
}

/// CONN-11: half the time after an idle link that died without a word, and the usual one on another network. A
/// device that slept shortens nothing.
#[test]
fn heartbeats_come_oftener_where_idle_links_die() {
    check(
        "
        > given alice
        > wait 120s
        @ 120.000
        send 0 heartbeat
        > wait 15s
        @ 135.000
        close 0
        note link lost
        note back-off 1 0.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > answer resume resumed
        event connect_success
        > wait 60s
        @ 195.000
        send 1 heartbeat
        > answer heartbeat
        > sleep 200s
        > woken
        send 1 heartbeat
        > wait 1s
        @ 396.000
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.3 alice 1 t1
        > answer resume resumed
        close 1
        event connect_success
        > wait 60s
        @ 456.000
        send 2 heartbeat
        > answer heartbeat
        > network
        send 2 heartbeat
        event connecting
        connect 3
        > connected
        send 3 hello device 1
        send 3 resume 1.4 alice 1 t1
        > answer resume resumed
        close 2
        event connect_success
        > wait 60s
        > wait 60s
        @ 576.000
        send 3 heartbeat
        ",
    );
}

/// CONN-10: the link is probed at once; a heartbeat already out keeps its deadline.
#[test]
fn waking_probes_the_link() {
    check(
        "
        > given alice
        > sleep 300s
        > woken
        send 0 heartbeat
        > answer heartbeat
        > sleep 300s
        > woken
        send 0 heartbeat
        > wait 1s
        @ 601.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > answer resume resumed
        close 0
        event connect_success
        ",
    );
}

/// CONN-10: a wait is cut short, an attempt under way goes on, and the series starts over.
#[test]
fn a_new_network_starts_the_backoff_over() {
    check(
        "
        > given alice refused a second link
        > network
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 2
        > woken
        > refused
        event connect_failed [9508]
        note back-off 1 0.000
        ",
    );
}

/// CONN-8: link loss ends what was sent, once, and before a timeout of the same instant.
#[test]
fn link_loss_ends_what_was_sent() {
    check(
        "
        > given alice
        > wait 105s
        > send bob one
        send 0 message 3 to bob one
        > query bob
        send 0 query 4 of 1
        > closed
        note link lost
        result 3 [9520]
        result 4 [9520]
        note back-off 1 0.000
        > wait 0s
        @ 105.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > answer resume resumed
        event connect_success
        > answer send 3 id 4
        > wait 20s
        ",
    );
    check(
        "
        > given alice
        > wait 120s
        @ 120.000
        send 0 heartbeat
        > send bob one
        send 0 message 3 to bob one
        > wait 15s
        @ 135.000
        close 0
        note link lost
        result 3 [9520]
        note back-off 1 0.000
        event connecting
        connect 1
        ",
    );
}

/// CONN-7: what comes late on a connection that was closed changes nothing.
#[test]
fn a_closed_connection_is_deaf() {
    check(
        "
        > given alice
        > error
        close 0
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > closed 0
        > on 0 kick alice 1
        > on 1 answer heartbeat
        > connected 0
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > connected
        > on 0 answer resume resumed
        > answer resume resumed
        event connect_success
        ",
    );
}

/// ATT-1: told so on a resume, the SDK takes a new device id and goes on; the server will know no such session.
#[test]
fn a_stale_resume_takes_a_new_device_id() {
    check(
        "
        > given alice resuming
        > answer resume stale
        note new device
        disk device 2 starts 1
        close 1
        event connect_failed [9520]
        note back-off 2 0.250
        > wait 1s
        @ 0.250
        event connecting
        connect 2
        > connected
        send 2 hello device 2
        send 2 resume 1.1 alice 1 t1
        > answer resume kicked alice 1
        disk device 2 starts 1 ended alice 1
        status LOGOUT
        event kicked_offline alice 1
        send 2 confirmed alice 1
        close 2
        ",
    );
}

/// ATT-1: a stale login, owed end, renewal or logout fails the call it serves.
#[test]
fn a_stale_call_fails_and_the_device_is_new() {
    check(
        "
        > given alice logging in
        > answer login 2 stale
        note new device
        disk device 2 starts 1
        status LOGOUT
        event connect_failed [9520]
        result 2 [9520]
        close 0
        > login alice t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 2
        send 1 login 3 1.1 alice t1
        > answer login 3 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 3 ok
        send 1 acknowledged alice 1
        > login alice t2
        send 1 renew 4 1.2 alice 1 t2
        > answer renew 4 stale
        result 4 [9520]
        note new device
        disk device 3 starts 1
        close 1
        note link lost
        note back-off 1 0.000
        > login bob t1
        drop events
        status LOGOUT
        disk device 3 starts 1 owed-end
        status LOGINING
        event connecting
        connect 2
        > connected
        send 2 hello device 3
        send 2 logout 0 1.1
        send 2 login 5 1.2 bob t1
        > answer logout 0 stale
        note new device
        disk device 4 starts 1
        status LOGOUT
        event connect_failed [9520]
        result 5 [9520]
        close 2
        ",
    );
    check(
        "
        > given alice logging out
        > answer logout 3 stale
        note new device
        disk device 2 starts 1
        close 0
        result 3 [9520]
        ",
    );
}

/// ATT-1, LOGOUT-3: of a login that was cut off and is stale nothing was made, and nothing is said under the old id.
#[test]
fn a_stale_login_ends_the_logout_that_cut_it_off() {
    check(
        "
        > given alice logging in
        > logout
        drop events
        status LOGOUT
        result 2 [6023]
        disk device 1 starts 1 owed-end
        send 0 logout 3 1.2
        > answer login 2 stale
        note new device
        disk device 2 starts 1
        close 0
        result 3 ok
        ",
    );
}
