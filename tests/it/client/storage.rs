//! A device whose record cannot be written (ATT-5).

use crate::client::rig::check;

/// ATT-5: a login that could not leave ends at once, however far its connection is; the next one works.
#[test]
fn a_login_whose_record_cannot_be_written_ends_at_once() {
    check(
        "
        > disk holds
        > given alice connecting
        > storage fails 0
        close 0
        status LOGOUT
        event connect_failed [6022]
        result 2 [6022]
        > wait 100s
        > given alice connecting once more
        send 1 login 3 1.1 alice t1
        > storage fails 2
        close 1
        status LOGOUT
        event connect_failed [6022]
        result 3 [6022]
        > login alice t1
        status LOGINING
        event connecting
        connect 2
        > refused
        event connect_failed [9508]
        note back-off 1 0.000
        > storage fails 0
        status LOGOUT
        result 4 [6022]
        > wait 100s
        ",
    );
}

/// ATT-5: what has left goes on.
#[test]
fn a_login_that_is_out_is_not_touched() {
    check(
        "
        > given alice logging in
        > storage fails 0
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 0 acknowledged alice 1
        > storage fails 1
        > send bob hello
        send 0 message 3 to bob hello
        > storage fails 0
        > answer send 3 id 1
        disk conversations alice: bob@1
        result 3 id 1
        ",
    );
}

/// ATT-5: a session's calls need nothing of the record, and go on.
#[test]
fn calls_of_a_session_need_no_record() {
    check(
        "
        > given alice
        > send bob hello
        send 0 message 3 to bob hello
        > login alice t2
        send 0 renew 4 1.2 alice 1 t2
        > storage fails 0
        > answer send 3 id 1
        disk conversations alice: bob@1
        result 3 id 1
        > answer renew 4 ok
        result 4 ok
        ",
    );
}

/// ATT-5, LOGOUT-1: who logs out is logged out, and is told that the end could not be kept.
#[test]
fn a_logout_that_could_not_leave_says_so() {
    check(
        "
        > given alice logging out
        > storage fails 1
        close 0
        result 3 [6022]
        note back-off 1 0.000
        > login bob t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 1.3
        send 1 login 4 1.4 bob t1
        ",
    );
}

/// ATT-5, SWITCH-3: a switch that could not leave fails, and the end of the one before stays owed.
#[test]
fn a_switch_that_could_not_leave_owes_the_end() {
    check(
        "
        > given alice
        > disk holds
        > given the switch to bob
        > storage fails 2
        close 0
        status LOGOUT
        event connect_failed [6022]
        result 3 [6022]
        note back-off 1 0.000
        > login bob t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 1.4
        send 1 login 4 1.5 bob t1
        ",
    );
}

/// ATT-5, LOGIN-5: a renewal that waits for a link waits for the record.
#[test]
fn a_renewal_that_waits_for_a_link_ends() {
    check(
        "
        > given alice without a link
        > login alice t2
        note back-off 1 0.000
        > storage fails 0
        result 3 [6022]
        ",
    );
    check(
        "
        > given alice resuming
        > login alice t2
        > storage fails 2
        close 1
        event connect_failed [6022]
        note back-off 1 0.000
        result 3 [6022]
        ",
    );
}

/// ATT-5, CONN-2: a resume that could not leave is an attempt that failed.
#[test]
fn a_resume_that_could_not_leave_is_tried_again() {
    check(
        "
        > given alice resuming
        > storage fails 2
        close 1
        event connect_failed [6022]
        note back-off 2 0.250
        > wait 250ms
        @ 0.250
        event connecting
        connect 2
        ",
    );
}

/// LOGIN-8, ATT-5: what waits for the disk was not sent. Its link is lost, and it is made again on the next.
#[test]
fn a_login_that_waits_for_the_disk_goes_on_without_its_link() {
    check(
        "
        > disk holds
        > given alice logging in
        > closed
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 login 2 1.2 alice t1
        > disk writes
        > answer login 2 epoch 1
        disk conversations alice:
        status LOGINED alice
        event connect_success
        result 2 ok
        send 1 acknowledged alice 1
        ",
    );
}

/// CONN-2: an attempt lasts ten seconds, also where its login waits for the disk by then; one that was sent has
/// its own timeout.
#[test]
fn an_attempt_does_not_wait_for_the_disk_without_end() {
    check(
        "
        > disk holds
        > given alice logging in
        > wait 10s
        @ 10.000
        close 0
        event connect_failed [9510]
        note back-off 1 0.000
        event connecting
        connect 1
        > wait 0s
        > connected
        send 1 hello device 1
        send 1 login 2 1.2 alice t1
        > disk writes
        > wait 19s
        > wait 1s
        @ 30.000
        close 1
        disk device 1 starts 1 owed-end
        status LOGOUT
        event connect_failed [9520]
        result 2 [9520]
        note back-off 2 0.250
        ",
    );
}

/// LOGOUT-3: a login that waits for the disk leaves nothing behind, and its logout waits for nothing.
#[test]
fn a_login_that_waits_for_the_disk_leaves_nothing_to_end() {
    check(
        "
        > disk holds
        > given alice logging in
        > logout
        drop events
        status LOGOUT
        result 2 [6023]
        close 0
        result 3 ok
        > disk writes
        > wait 100s
        ",
    );
}

/// CONN-10: what waits for the disk does not wait on the network before.
#[test]
fn a_login_that_waits_for_the_disk_moves_to_the_next_network() {
    check(
        "
        > disk holds
        > given alice logging in
        > network
        close 0
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        ",
    );
}

/// SWITCH-3, LOGIN-8: the link goes before either frame has left; the end stays owed, and the login goes on.
#[test]
fn a_switch_that_waits_for_the_disk_goes_on_without_its_link() {
    check(
        "
        > given alice
        > disk holds
        > given the switch to bob
        > closed
        note link lost
        event connect_failed [9508]
        note back-off 1 0.000
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 1.4
        send 1 login 3 1.5 bob t1
        ",
    );
}

/// CONN-12, LOGIN-8: a server that sends the device away has seen nothing of the login.
#[test]
fn a_login_that_waits_for_the_disk_comes_back_when_the_server_says() {
    check(
        "
        > disk holds
        > given alice logging in
        > closing full 5s
        close 0
        event connect_failed [70169]
        note back-off 1 5.000
        > wait 5s
        @ 5.000
        event connecting
        connect 1
        ",
    );
}

/// VERSION-1: the greeting that left ahead of it is refused, and so is a login that waits for the disk.
#[test]
fn a_login_that_waits_for_the_disk_hears_of_another_version() {
    check(
        "
        > disk holds
        > given alice logging in
        > error version
        status LOGOUT
        event connect_failed [7013]
        result 2 [7013]
        close 0
        ",
    );
}
