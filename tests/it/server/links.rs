//! Connections: resumes, silence, dormancy, two connections of one device, and bad frames.

use super::script::check;

#[test]
fn a_resume_keeps_epoch_and_place_and_kicks_nobody() {
    // CONN-4, CONN-6, DAU-1: the resumed session is still the oldest.
    check(
        "
        given alice on one and two, as many as there may be
        one/1 close
        one/2 open android
        show commits
        one/2 resume alice 1
            commit 4 attempt one 1.2
            commit 4 resumed alice one 1
            commit 4 presence alice #4 online
            one/2 < resume ok
        two/1 heartbeat
            two/1 < heartbeat
        dau
            day 19675: 1
        three/1 open android
        three/1 login alice
            commit 5 ended alice one 1 same_platform
            commit 5 accepted alice three 3
            commit 5 presence alice #5 online kicked one
            one/2 < kick alice 1 same_platform by three
            three/1 < login ok 3
        ",
    );
}

#[test]
fn a_resume_of_an_ended_session_is_told_the_reason_recorded_first() {
    // CONN-4: displaced, and its ticket has expired since; KICK-5; it does not come online.
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60 ticket=short
            phone/1 < login ok 1
        phone/1 close
        pad/1 open ipad
        pad/1 login alice
            pad/1 < login ok 2
        +100s
        phone/2 open android
        phone/2 resume alice 1 ticket=short
            phone/2 < resume kick alice 1 other_platform by pad
        phone/2 send alice hello
            phone/2 < sent [6014]
        phone/2 heartbeat
            phone/2 < kick alice 1 other_platform by pad
        phone/2 confirm alice 1
            phone/2 closed
        pad/1 heartbeat
            pad/1 < heartbeat
        ",
    );
}

#[test]
fn a_resume_of_a_session_nobody_knows_is_gone() {
    // CONN-4, KICK-9: never made, replaced, logged out, another user's.
    check(
        "
        phone/1 open android
        phone/1 resume alice 1
            phone/1 < resume kick alice 1 gone
        phone/1 confirm alice 1
            phone/1 closed
        phone/2 open android
        phone/2 login alice
            phone/2 < login ok 1
        phone/2 login alice
            phone/2 < login ok 2
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 gone
        phone/2 heartbeat
            phone/2 < heartbeat
        phone/2 logout
            phone/2 < logout ok
        phone/2 resume alice 2
            phone/2 < resume kick alice 2 gone
        phone/2 resume bob 2
            phone/2 < resume kick bob 2 gone
        ",
    );
}

#[test]
fn a_session_that_expired_during_a_link_loss_is_told_so_on_reconnecting() {
    // TICKET-6, CONN-4: also when the resume brings a fresh ticket.
    check(
        "
        given alice on phone for a minute
        phone/1 close
        +61s
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume expired
        phone/2 heartbeat
            phone/2 < expired alice 1
        phone/2 confirm alice 1
            phone/2 closed
        ",
    );
}

#[test]
fn a_refused_ticket_of_a_resume_changes_nothing_and_another_one_renews() {
    // CONN-4, LOGIN-5
    check(
        "
        given alice on phone for a minute
        phone/1 close
        phone/2 open android
        phone/2 resume alice 1 forged
            phone/2 < resume [70009]
        phone/2 resume alice 1 ttl=120
            phone/2 < resume ok
        +61s
        phone/2 heartbeat
            phone/2 < heartbeat
        +60s
            phone/2 < expired alice 1
        ",
    );
}

#[test]
fn a_server_that_stood_still_reads_before_it_takes_anybody_for_silent() {
    // CONN-5, TICKET-5: what a ticket's end leads to waits for nobody.
    check(
        "
        phone/1 open android
        web/1 open web
        desk/1 open windows
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login bob
            web/1 < login ok 1
        desk/1 login carol ttl=60
            desk/1 < login ok 1
        pad/1 open ipad
        show commits
        standstill +400s
            commit 4 ended carol desk 1 expired
            commit 4 presence carol #2 offline
            desk/1 < expired carol 1
        +499ms
        phone/1 heartbeat
            phone/1 < heartbeat
        +1ms
            pad/1 closed
            commit 5 lost bob web 1
            commit 5 presence bob #2 offline
            web/1 closed
        ",
    );
}

#[test]
fn a_silent_connection_is_closed_after_its_time() {
    // CONN-5: counted from the last frame received, whatever it was; web sooner. PRES-2
    check(
        "
        phone/1 open android
        web/1 open web
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login bob
            web/1 < login ok 1
        +60s
        web/1 heartbeat
            web/1 < heartbeat
        phone/1 ack alice 1
        +89s
        +999ms
        show commits
        +1ms
            commit 4 lost bob web 1
            commit 4 presence bob #2 offline
            web/1 closed
        +309s
            dormant bob web 1
        +999ms
        +1ms
            commit 5 lost alice phone 1
            commit 5 presence alice #2 push_online
            phone/1 closed
        +400s
            dormant alice phone 1
        ",
    );
}

#[test]
fn a_dormant_session_is_resumable_and_displaced_first() {
    // CONN-6, POLICY-3: the older one is connected and stays.
    check(
        "
        given alice on one and two, as many as there may be
        two/1 close
        +300s
        one/1 heartbeat
            one/1 < heartbeat
        +100s
            dormant alice two 2
        two/2 open android
        two/2 resume alice 2
            two/2 < resume ok
        two/2 close
        +250s
        one/1 heartbeat
            one/1 < heartbeat
        +150s
            dormant alice two 2
        three/1 open android
        show commits
        three/1 login alice
            commit 6 ended alice two 2 same_platform
            commit 6 accepted alice three 3
            commit 6 presence alice #6 online kicked two
            three/1 < login ok 3
        one/1 heartbeat
            one/1 < heartbeat
        ",
    );
}

#[test]
fn a_lost_session_that_is_not_dormant_has_no_less_a_place() {
    // CONN-6: one millisecond earlier the oldest goes.
    check(
        "
        given alice on one and two, as many as there may be
        two/1 close
        +300s
        one/1 heartbeat
            one/1 < heartbeat
        +99s
        +999ms
        three/1 open android
        three/1 login alice
            one/1 < kick alice 1 same_platform by three
            three/1 < login ok 3
        ",
    );
}

#[test]
fn of_two_connections_of_a_device_the_higher_attempt_wins() {
    // CONN-7: late frames, close and timeouts of the other change nothing.
    check(
        "
        given alice on phone
        phone/2 open android
        phone/2 resume alice 1
            phone/1 closed
            phone/2 < resume ok
        phone/1 logout attempt=9
        phone/1 heartbeat
        phone/1 close
        +399s
        phone/2 heartbeat
            phone/2 < heartbeat
        +399s
        phone/2 heartbeat
            phone/2 < heartbeat
        ",
    );
}

#[test]
fn a_late_login_on_the_connection_left_behind_is_stale_and_closes_it() {
    // CONN-7, ATT-1
    check(
        "
        phone/1 open android
        phone/2 open android
        phone/2 login alice attempt=2
            phone/2 < login ok 1
        phone/1 login alice attempt=1
            phone/1 < login stale
            phone/1 closed
        phone/2 heartbeat
            phone/2 < heartbeat
        ",
    );
}

#[test]
fn the_connection_of_an_earlier_attempt_is_closed_also_when_it_carries_nothing() {
    // CONN-7
    check(
        "
        phone/1 open android
        phone/1 login alice forged
            phone/1 < login [70009]
        phone/2 open android
        phone/2 login alice forged
            phone/1 closed
            phone/2 < login [70009]
        phone/3 open android
        phone/2 login alice
            phone/2 < login ok 1
        ",
    );
}

#[test]
fn a_refused_attempt_elsewhere_leaves_the_session_on_its_connection() {
    // CONN-4, CONN-7: a refused ticket changes nothing.
    check(
        "
        given alice on phone
        phone/2 open android
        phone/2 resume alice 1 forged
            phone/2 < resume [70009]
        phone/1 send alice here
            phone/1 < sent #1
        phone/2 resume alice 1
            phone/1 closed
            phone/2 < resume ok alice#1
        ",
    );
}

#[test]
fn what_is_no_acceptable_frame_gets_an_error_and_a_closed_connection() {
    // INPUT-1: the session itself lives on and can be resumed.
    check(
        "
        given alice on phone
        phone/1 malformed oversized
            phone/1 < error oversized
            phone/1 closed
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume ok
        phone/2 hello android
            phone/2 < error out_of_place
            phone/2 closed
        phone/3 open android
        phone/3 malformed
            phone/3 < error malformed
            phone/3 closed
        phone/3 resume alice 1
        phone/4 connect
        phone/4 resume alice 1
            phone/4 < error out_of_place
            phone/4 closed
        phone/5 connect
        phone/5 hello android version=2
            phone/5 < error version
            phone/5 closed
        phone/6 open android
        phone/6 send alice hello
            phone/6 < error out_of_place
            phone/6 closed
        phone/7 open android
        phone/7 query alice
            phone/7 < error out_of_place
            phone/7 closed
        phone/8 open android
        phone/8 admin-kick alice
            phone/8 < error out_of_place
            phone/8 closed
        phone/9 open android
        phone/9 heartbeat
            phone/9 < heartbeat
        phone/9 resume alice 1
            phone/9 < resume ok
        ",
    );
}

#[test]
fn a_connection_that_admits_nobody_is_closed() {
    // INPUT-2: whatever is said on it meanwhile.
    check(
        "
        phone/1 connect
        pad/1 open ipad
        web/1 open web
        +15s
        pad/1 login alice forged
            pad/1 < login [70009]
        web/1 resume alice 1
            web/1 < resume kick alice 1 gone
        +14s
        web/1 resume alice 2
            web/1 < resume kick alice 2 gone
        pad/1 heartbeat
            pad/1 < heartbeat
        +1s
            web/1 closed
        +14s
        pad/1 logout
            pad/1 < logout ok
        +999ms
        +1ms
            phone/1 closed
            pad/1 closed
        ",
    );
}

#[test]
fn asking_for_ends_again_and_again_keeps_no_connection_open() {
    // INPUT-2, KICK-10: each resume would start the 15 s anew, each logout the 45 s.
    check(
        "
        web/1 open web
        +10s
        web/1 resume alice 1
            web/1 < resume kick alice 1 gone
        +10s
        web/1 logout
            web/1 < logout ok
        +10s
        web/1 resume alice 1
            web/1 < resume kick alice 1 gone
        +10s
        web/1 logout
            web/1 < logout ok
        +4s
        web/1 resume alice 1
            web/1 < resume kick alice 1 gone
        +1s
            web/1 closed
        ",
    );
}

#[test]
fn a_connection_left_by_a_logout_is_closed_in_time() {
    // CONN-9, INPUT-2
    check(
        "
        given alice on phone
        +100s
        phone/1 logout
            phone/1 < logout ok
        +44s
        +1s
            phone/1 closed
        ",
    );
}

#[test]
fn nobody_is_admitted_without_a_good_ticket() {
    // INPUT-3: one device's good ticket opens neither another user's session nor, expired, its own.
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60 ticket=alices
            phone/1 < login ok 1
        thief/1 open android
        thief/1 resume alice 1 of=bob
            thief/1 < resume kick alice 1 gone
        thief/1 login alice of=bob
            thief/1 < login [70013]
        thief/1 send alice hello
            thief/1 < sent [6014]
        thief/1 logout
            thief/1 < logout ok
        thief/1 confirm alice 1
        thief/1 ack alice 1
        phone/1 close
        phone/2 open android
        phone/2 resume alice 1 other_app
            phone/2 < resume [70014]
        phone/2 resume alice 1 empty
            phone/2 < resume [70002]
        phone/2 resume alice 1 issued=-100 ttl=10
            phone/2 < resume [70001]
        phone/2 send alice hello
            phone/2 < error out_of_place
            phone/2 closed
        ",
    );
}
