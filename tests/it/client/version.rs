//! A server of another version of the protocol (VERSION-1).

use crate::client::rig::check;

/// VERSION-1: a login ends with a code of its own, and nothing is tried again.
#[test]
fn a_login_to_a_server_of_another_version_ends_at_once() {
    check(
        "
        > given alice logging in
        > error version
        status LOGOUT
        event connect_failed [7013]
        result 2 [7013]
        close 0
        > wait 100s
        > network
        > woken
        > given alice connecting once more
        send 1 login 3 1.2 alice t1
        > answer login 3 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 3 ok
        send 1 acknowledged alice 1
        ",
    );
}

/// VERSION-1, CONN-1: a session stays, its reconnecting ends; a renewal that waits for the link ends with it.
#[test]
fn reconnecting_to_a_server_of_another_version_ends() {
    check(
        "
        > given alice resuming
        > login alice t2
        > error version
        close 1
        event connect_failed [7013]
        result 3 [7013]
        > wait 1000s
        > network
        > woken
        > send bob hello
        result 4 [9508]
        > login alice t2
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.3 alice 1 t1
        > error version
        close 2
        event connect_failed [7013]
        result 5 [7013]
        > login alice t2
        event connecting
        connect 3
        > connected
        send 3 hello device 1
        send 3 resume 1.4 alice 1 t1
        > answer resume resumed
        event connect_success
        send 3 renew 6 1.5 alice 1 t2
        > answer renew 6 ok
        result 6 ok
        ",
    );
}

/// VERSION-1, SWITCH-3, LOGOUT-2: whoever gives up the session does so without the server, whose turn comes later.
#[test]
fn a_session_that_is_not_reconnected_is_given_up_as_without_a_link() {
    let given_up = "
        > given alice resuming
        > error version
        close 1
        event connect_failed [7013]
        ";
    check(&format!(
        "{given_up}
        > logout
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        result 3 ok
        "
    ));
    check(&format!(
        "{given_up}
        > login bob t1
        drop events
        status LOGOUT
        disk device 1 starts 1 owed-end
        status LOGINING
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 logout 0 1.3
        send 2 login 3 1.4 bob t1
        > error version
        status LOGOUT
        event connect_failed [7013]
        result 3 [7013]
        close 2
        "
    ));
}

/// VERSION-1: on a link that was up the server had understood the greeting: the next connection tells.
#[test]
fn another_version_in_the_middle_is_a_link_loss() {
    check(
        "
        > given alice
        > error version
        close 0
        note link lost
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        ",
    );
}
