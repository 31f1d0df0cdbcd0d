//! Kicks: owed until confirmed, told on the way back, never for another epoch.

use super::script::check;

#[test]
fn a_kick_is_owed_until_it_is_confirmed() {
    // KICK-3: told at a heartbeat again; KICK-9; once confirmed the connection is closed (KICK-10).
    check(
        "
        given alice displaced
        phone/1 heartbeat
            phone/1 < kick alice 1 other_platform by pad
        show commits
        phone/1 confirm alice 1
            commit 3 settled alice phone 1
            phone/1 closed
        phone/2 open android
        phone/2 confirm alice 1
        ",
    );
}

#[test]
fn a_confirmation_is_for_the_epoch_it_names() {
    // KICK-2, KICK-3: neither another epoch nor another user, and never a live session.
    check(
        "
        given alice on phone
        show commits
        phone/1 confirm alice 1
        pad/1 open ipad
        pad/1 login alice
            commit 2 ended alice phone 1 other_platform
            commit 2 accepted alice pad 2
            commit 2 presence alice #2 online kicked phone
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 2
        phone/1 confirm alice 2
        phone/1 confirm bob 1
        pad/1 confirm alice 1
        pad/1 confirm alice 2
        pad/1 heartbeat
            pad/1 < heartbeat
        phone/1 confirm alice 1
            commit 3 settled alice phone 1
            phone/1 closed
        ",
    );
}

#[test]
fn a_kick_for_an_old_epoch_never_ends_the_new_session() {
    // KICK-2: the device came back before the server was told of the kick's fate.
    check(
        "
        given alice displaced
        phone/2 open android
        phone/2 login alice
            phone/1 closed
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        show commits
        phone/1 confirm alice 1
        phone/2 confirm alice 1
        +20s
            pad/1 closed
        phone/2 heartbeat
            phone/2 < heartbeat
        ",
    );
}

#[test]
fn an_unconfirmed_kick_closes_its_connection_and_is_told_on_the_way_back() {
    // KICK-10, KICK-3, KICK-5: 15 s, and heartbeats do not stretch them.
    check(
        "
        given alice displaced
        +14s
        phone/1 heartbeat
            phone/1 < kick alice 1 other_platform by pad
        +999ms
        +1ms
            phone/1 closed
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 close
        phone/3 open android
        phone/3 resume alice 1
            phone/3 < resume kick alice 1 other_platform by pad
        pad/1 heartbeat
            pad/1 < heartbeat
        ",
    );
}

#[test]
fn the_reason_stays_in_the_record_after_it_was_confirmed() {
    // KICK-3: until the next accepted login or a logout.
    check(
        "
        given alice displaced
        phone/1 confirm alice 1
            phone/1 closed
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 login alice forged
            phone/2 < login [70009]
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 logout
            phone/2 < logout ok
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 gone
        ",
    );
}

#[test]
fn a_login_that_names_the_ended_epoch_settles_it() {
    // KICK-3: even if it is refused; and then KICK-7 has nothing to tell.
    check(
        "
        config notify_offline_kick
        given alice displaced while away, her login acknowledged
        phone/2 open android
        show commits
        phone/2 login alice forged knows=alice:1
            commit 5 attempt phone 1.2
            commit 5 settled alice phone 1
            phone/2 < login [70009]
        phone/2 login alice
            commit 6 attempt phone 1.3
            commit 6 ended alice pad 2 other_platform
            commit 6 accepted alice phone 3
            commit 6 presence alice #4 online kicked pad
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        ",
    );
}

#[test]
fn a_resume_never_displaces_a_newer_login() {
    // KICK-6 as it is by default, F11
    check(
        "
        given alice displaced while away
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        pad/1 heartbeat
            pad/1 < heartbeat
        ",
    );
}

#[test]
fn with_reconnect_kicks_the_resume_of_a_displaced_session_is_a_login() {
    // KICK-6: new epoch, POLICY-3, no DAU: the day is tomorrow's.
    check(
        "
        config reconnect_kicks
        given alice displaced while away
        pad/1 ack alice 2
        clock +1d
        phone/2 open android
        show commits
        phone/2 resume alice 1
            commit 5 attempt phone 1.2
            commit 5 ended alice pad 2 other_platform
            commit 5 accepted alice phone 3
            commit 5 presence alice #4 online kicked pad
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < resume as login 3
        dau
            day 19675: 1
        ",
    );
}

#[test]
fn a_resume_that_was_a_login_and_had_no_answer_is_one_again() {
    // KICK-6: once acknowledged it is a session like any other, and the epoch before it is nobody's.
    check(
        "
        config reconnect_kicks
        given alice displaced while away
        phone/2 open android
        phone/2 resume alice 1
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < resume as login 3
        phone/2 close
        phone/3 open android
        phone/3 resume alice 1
            phone/3 < resume as login 3
        phone/3 close
        pad/2 open ipad
        pad/2 login alice
            pad/1 closed
            pad/2 < login ok 4
        phone/4 open android
        phone/4 resume alice 1
            pad/2 < kick alice 4 other_platform by phone
            phone/4 < resume as login 5
        phone/4 ack alice 5
        phone/4 close
        phone/5 open android
        phone/5 resume alice 1
            phone/5 < resume kick alice 1 gone
        ",
    );
}

#[test]
fn with_reconnect_kicks_what_the_device_was_told_stays_ended() {
    // KICK-6: not once it was told, not after an administrator's kick or an expiry, not without a ticket.
    check(
        "
        config reconnect_kicks admin=root
        given alice displaced
        phone/1 confirm alice 1
            phone/1 closed
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 login alice
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        +15s
            pad/1 closed
        pad/2 open ipad
        pad/2 resume alice 2 forged
            pad/2 < resume kick alice 2 other_platform by phone
        phone/2 heartbeat
            phone/2 < heartbeat
        given root on desk
        desk/1 admin-kick alice
            desk/1 < admin-kick ok
            phone/2 < kick alice 3 administrator
        +1s
        phone/3 open android
        phone/3 resume alice 3
            phone/2 closed
            phone/3 < resume kick alice 3 administrator
        ",
    );
}

#[test]
fn displaced_while_away_the_login_simply_succeeds() {
    // KICK-7 as it is by default
    check(
        "
        given alice displaced while away, her login acknowledged
        phone/2 open android
        phone/2 login alice
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        ",
    );
}

#[test]
fn with_notify_offline_kick_the_login_is_told_once() {
    // KICK-7: ticket refusals first; told is settled; the next one succeeds.
    check(
        "
        config notify_offline_kick
        given alice displaced while away, her login acknowledged
        phone/2 open android
        phone/2 login alice forged
            phone/2 < login [70009]
        show commits
        phone/2 login alice
            commit 6 attempt phone 1.3
            commit 6 settled alice phone 1
            phone/2 < login [6208]
        phone/2 login alice
            commit 7 attempt phone 1.4
            commit 7 ended alice pad 2 other_platform
            commit 7 accepted alice phone 3
            commit 7 presence alice #4 online kicked pad
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        ",
    );
}

#[test]
fn with_notify_offline_kick_what_the_device_cannot_have_known_is_not_told() {
    // KICK-7: a login whose answer was never acknowledged; another user's login; after a logout; an
    // administrator's kick. An acknowledgement may come after the displacement.
    check(
        "
        config notify_offline_kick admin=root
        given alice displaced while away
        phone/2 open android
        phone/2 login alice
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        pad/1 ack alice 2
        pad/1 login bob
            pad/1 < login ok 1
        pad/1 login alice
            phone/2 < kick alice 3 other_platform by pad
            pad/1 < login ok 4
        ",
    );
}

#[test]
fn an_acknowledgement_that_crosses_the_kick_counts() {
    // KICK-7
    check(
        "
        config notify_offline_kick
        given alice displaced
        show commits
        phone/1 ack alice 1
            commit 3 acknowledged alice phone 1
        phone/1 ack alice 1
        phone/1 close
        phone/2 open android
        phone/2 login alice
            commit 4 attempt phone 1.2
            commit 4 settled alice phone 1
            phone/2 < login [6208]
        ",
    );
}

#[test]
fn a_logout_settles_what_the_device_is_owed() {
    // KICK-7, KICK-3
    check(
        "
        config notify_offline_kick
        given alice displaced while away, her login acknowledged
        phone/2 open android
        show commits
        phone/2 logout
            commit 5 attempt phone 1.2
            commit 5 forgotten phone
            phone/2 < logout ok
        phone/2 login alice
            commit 6 attempt phone 1.3
            commit 6 ended alice pad 2 other_platform
            commit 6 accepted alice phone 3
            commit 6 presence alice #4 online kicked pad
            pad/1 < kick alice 2 other_platform by phone
            phone/2 < login ok 3
        ",
    );
}

#[test]
fn an_administrators_kick_is_no_displacement_to_tell_of() {
    // KICK-7 speaks of displacements.
    check(
        "
        config notify_offline_kick admin=root
        given root on desk
        given alice on phone
        phone/1 ack alice 1
        phone/1 close
        desk/1 admin-kick alice
            desk/1 < admin-kick ok
        +1s
        phone/2 open android
        phone/2 login alice
            phone/2 < login ok 2
        ",
    );
}

#[test]
fn the_answer_to_a_login_goes_out_before_any_kick_of_its_epoch() {
    // KICK-8: all at one instant; the order on the connection is the order of the rule.
    check(
        "
        phone/1 open android
        pad/1 open ipad
        phone/1 login alice
            phone/1 < login ok 1
        pad/1 login alice
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 2
        ",
    );
}

#[test]
fn after_its_end_a_connection_carries_nothing_but_the_end() {
    // KICK-10: requests answer [6014], messages pass it by.
    check(
        "
        config admin=alice policy=dual
        given alice on phone and web
        pad/1 open ipad
        pad/1 login alice
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 3
        web/1 send alice hello
            web/1 < sent #1
            pad/1 < message #1 alice to alice: hello
        phone/1 send alice hello
            phone/1 < sent [6014]
        phone/1 query alice
            phone/1 < status [6014]
        phone/1 admin-kick alice
            phone/1 < admin-kick [6014]
        phone/1 renew alice 1
            phone/1 < renew [6014]
        ",
    );
}

#[test]
fn an_expired_sessions_connection_carries_nothing_but_the_end_either() {
    // KICK-10: whatever the reason; the second end of a session is not told.
    check(
        "
        web/1 open web
        phone/1 open android
        web/1 login alice
            web/1 < login ok 1
        phone/1 login alice ttl=60
            phone/1 < login ok 2
        +61s
            phone/1 < expired alice 2
        pad/1 open ipad
        pad/1 login alice
            pad/1 < login ok 3
        web/1 send alice hello
            web/1 < sent #1
            pad/1 < message #1 alice to alice: hello
        phone/1 send alice hello
            phone/1 < sent [6014]
        phone/1 heartbeat
            phone/1 < expired alice 2
        +15s
            phone/1 closed
        ",
    );
}

#[test]
fn a_kicked_device_may_log_in_on_its_connection_and_starts_over() {
    // KICK-10, SWITCH-3: a switch crosses the kick; bob does not pay for alice's.
    check(
        "
        given alice displaced
        phone/1 logout
            phone/1 < logout ok
        phone/1 login bob
            phone/1 < login ok 1
        +20s
        phone/1 heartbeat
            phone/1 < heartbeat
        ",
    );
}
