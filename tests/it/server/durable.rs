//! Restarts: the server goes on from its records and nothing else.
//!
//! That the commits alone give the records, and that each output waits for what it tells, `world`
//! checks after every input of every test here (DUR-1). What a disk may lose is not this file's.

use super::script::check;

#[test]
fn connected_sessions_begin_their_link_loss_at_the_start() {
    // DUR-4: at that instant, in one change, with one presence event per user. DUR-2: devices resume.
    check(
        "
        phone/1 open android
        web/1 open web
        desk/1 open mac
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        desk/1 login bob
            desk/1 < login ok 1
        show commits
        +5s
        restart
            commit 4 lost alice phone 1
            commit 4 lost alice web 2
            commit 4 lost bob desk 1
            commit 4 presence alice #3 push_online
            commit 4 presence bob #2 offline
        phone/2 open android
        phone/2 resume alice 1
            commit 5 attempt phone 1.2
            commit 5 resumed alice phone 1
            commit 5 presence alice #4 online
            phone/2 < resume ok
        +90s
            dormant alice web 2
        ",
    );
}

#[test]
fn dormancy_and_tickets_run_on_while_the_server_is_down() {
    // DUR-4, TICKET-6
    check(
        "
        config policy=multi
        web/1 open web
        given alice on phone for a minute
        web/1 login alice
            web/1 < login ok 2
        web/1 close
        show commits
        restart +80s
            commit 4 lost alice phone 1
            commit 4 presence alice #4 push_online
            commit 5 ended alice phone 1 expired
            commit 5 presence alice #5 offline
        +10s
            dormant alice web 2
        phone/2 open android
        phone/2 resume alice 1
            commit 6 attempt phone 1.2
            phone/2 < resume expired
        ",
    );
}

#[test]
fn seven_days_that_passed_are_told_once() {
    // PRES-1, DUR-4: those that passed before the server stopped are not told again.
    check(
        "
        given alice on phone
        phone/1 close
        show commits
        +8d
            dormant alice phone 1
            commit 3 presence alice #3 offline
        restart
            dormant alice phone 1
        ",
    );
}

#[test]
fn seven_days_that_passed_while_the_server_was_down_are_told_at_the_start() {
    // PRES-1, DUR-4: and those that pass later, in time.
    check(
        "
        phone/1 open android
        pad/1 open ipad
        phone/1 login alice
            phone/1 < login ok 1
        pad/1 login bob
            pad/1 < login ok 1
        phone/1 close
        +20s
        pad/1 close
        show commits
        +400s
            dormant alice phone 1
            dormant bob pad 1
        restart +604390s
            commit 5 presence alice #3 offline
            dormant alice phone 1
            dormant bob pad 1
        +9s
        +1s
            commit 6 presence bob #3 offline
        ",
    );
}

#[test]
fn kicks_still_owed_survive() {
    // DUR-2, KICK-3, KICK-7: with their reason, and whether the login had been acknowledged.
    check(
        "
        config notify_offline_kick
        given alice displaced while away, her login acknowledged
        restart
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 close
        restart
        phone/3 open android
        phone/3 login alice
            phone/3 < login [6208]
        restart
        phone/4 open android
        phone/4 login alice
            phone/4 < login ok 3
        pad/2 open ipad
        pad/2 resume alice 2
            pad/2 < resume kick alice 2 other_platform by phone
        ",
    );
}

#[test]
fn accounts_epochs_and_message_numbers_go_on() {
    // DUR-2, DUR-3
    check(
        "
        given alice on phone
        phone/1 send alice one
            phone/1 < sent #1
        phone/1 logout
            phone/1 < logout ok
        restart
        phone/2 open android
        phone/2 login alice
            phone/2 < login ok 2 alice#1
        phone/2 send alice two
            phone/2 < sent #2
        ",
    );
}

#[test]
fn a_session_lives_by_the_ticket_that_renewed_it() {
    // DUR-2, LOGIN-5, CONN-4: by a renewal or by a resume, the record has the new one.
    check(
        "
        phone/1 open android
        web/1 open web
        phone/1 login alice ttl=60
            phone/1 < login ok 1
        web/1 login alice ttl=60
            web/1 < login ok 2
        phone/1 renew alice 1 ttl=120
            phone/1 < renew ok
        web/1 resume alice 2 ttl=120
            web/1 < resume ok
        show commits
        restart
            commit 5 lost alice phone 1
            commit 5 lost alice web 2
            commit 5 presence alice #4 push_online
        +90s
            dormant alice web 2
        +30s
        +1s
            commit 6 ended alice phone 1 expired
            commit 6 presence alice #5 offline
            commit 7 ended alice web 2 expired
            commit 7 presence alice #6 offline
        ",
    );
}
