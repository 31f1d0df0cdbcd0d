//! From `init` to `uninit` (INIT), and the device's record (ATT-4).

use crate::client::rig::check;

/// INIT-1: before `init` and after `uninit` nothing works.
#[test]
fn nothing_works_without_init() {
    check(
        "
        > login alice t1
        result 1 [6013]
        > logout
        result 2 [6013]
        > conversations
        result 3 [6013]
        > send bob hello
        result 4 [6013]
        > admin-kick bob
        result 5 [6013]
        > query bob
        result 6 [6013]
        > uninit
        result 7 [6013]
        > init
        disk device 1 starts 1
        result 8 ok
        > uninit
        drop events
        result 9 ok
        > login alice t1
        result 10 [6013]
        > woken
        > connected 0
        ",
    );
}

/// INIT-4.
#[test]
fn a_second_init_changes_nothing() {
    check(
        "
        > given alice
        > init
        result 3 [6015]
        > send bob hello
        send 0 message 4 to bob hello
        ",
    );
}

/// INIT-2, ATT-4: the record is written at once, and a login may follow before it is synced.
#[test]
fn login_may_follow_init_at_once() {
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
        ",
    );
}

/// INIT-3: everything pending ends with [7009], and what comes late finds nobody.
#[test]
fn uninit_ends_every_pending_call() {
    check(
        "
        > given alice sending and renewing
        > uninit
        drop events
        status LOGOUT
        result 3 [7009]
        result 4 [7009]
        close 0
        result 5 ok
        > on 0 answer send 3 id 9
        > on 0 kick alice 1
        > closed 0
        > wait 100s
        ",
    );
    check(
        "
        > given alice connecting
        > uninit
        drop events
        status LOGOUT
        result 2 [7009]
        close 0
        result 3 ok
        ",
    );
}

/// INIT-5: the session is left to the server; INIT-6: the next process resumes nothing, its start
/// count goes up (ATT-1), and its login is a login.
#[test]
fn uninit_leaves_the_session_and_a_new_start_resumes_nothing() {
    check(
        "
        > given alice
        > uninit
        drop events
        status LOGOUT
        close 0
        result 3 ok
        > init
        disk device 1 starts 2
        result 4 ok
        > wait 100s
        > given alice connecting once more
        send 1 login 5 2.1 alice t1
        ",
    );
}

/// LOGOUT-2, INIT-3: a pending logout ends with [7009]; what it owes stays on the disk.
#[test]
fn uninit_during_a_logout_keeps_its_end_owed() {
    check(
        "
        > given alice logging out
        > uninit
        drop events
        result 3 [7009]
        close 0
        result 4 ok
        > init
        disk device 1 starts 2 owed-end
        result 5 ok
        note back-off 1 0.000
        > login bob t1
        status LOGINING
        event connecting
        connect 1
        > connected
        send 1 hello device 1
        send 1 logout 0 2.1
        send 1 login 6 2.2 bob t1
        ",
    );
}
