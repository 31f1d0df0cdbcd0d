//! Logins, renewals, switches and logouts as the server sees them, and the attempts they carry.

use super::script::check;

#[test]
fn the_first_login_creates_the_account_and_a_refused_one_nothing() {
    // LOGIN-1
    check(
        "
        phone/1 open android
        show commits
        phone/1 login alice forged
            phone/1 < login [70009]
        accounts
        phone/1 login alice
            commit 1 account alice
            commit 1 counted alice 19675 of 1
            commit 1 accepted alice phone 1
            commit 1 presence alice #1 online
            phone/1 < login ok 1
        accounts
            alice
        ",
    );
}

#[test]
fn logins_and_resumes_beyond_what_the_server_can_are_turned_away() {
    // CONN-12: not acted upon and not counted as refused; the place that is named is nobody else's.
    check(
        "
        config capacity=2
        phone/1 open android
        desk/1 open mac
        web/1 open web
        page/1 open web
        pad/1 open ipad
        phone/1 login alice
            phone/1 < login ok 1
        desk/1 login bob
            desk/1 < login ok 1
        show commits
        web/1 login carol forged
            web/1 < closing busy after 500ms spread 250ms
            web/1 closed
        page/1 resume dora 1
            page/1 < closing busy after 1s spread 250ms
            page/1 closed
        +500ms
        web/2 open web
        web/2 login carol forged
            web/2 < login [70009]
        pad/1 login emil
            pad/1 < closing busy after 1s spread 250ms
            pad/1 closed
        ",
    );
}

#[test]
fn resumes_of_one_device_are_bounded() {
    // CONN-12: whatever comes of them; logins do not count here, and other devices have a count of their own.
    check(
        "
        config logins_max=2
        phone/1 open android
        phone/1 login alice
            phone/1 < login ok 1
        phone/2 open android
        phone/2 resume alice 1
            phone/1 closed
            phone/2 < resume ok
        phone/3 open android
        phone/3 resume alice 1 forged
            phone/3 < resume [70009]
        phone/4 open android
        phone/4 resume alice 1
            phone/4 < closing busy after 1s spread 250ms
            phone/4 closed
        desk/1 open mac
        desk/1 resume bob 1
            desk/1 < resume kick bob 1 gone
        +1s
        phone/5 open android
        phone/5 resume alice 1
            phone/3 closed
            phone/2 closed
            phone/5 < resume ok
        ",
    );
}

#[test]
fn logins_of_one_user_or_device_are_bounded() {
    // LOGIN-11: for the user and for the device, accepted ones only; one more in each second.
    check(
        "
        config logins_max=2
        phone/1 open android
        desk/1 open mac
        web/1 open web
        phone/1 login alice forged
            phone/1 < login [70009]
        2x phone/1 login alice
            phone/1 < login ok 1
            phone/1 < login ok 2
        phone/1 login alice
            phone/1 < login [60007]
        phone/1 login bob
            phone/1 < login [60007]
        web/1 login alice
            web/1 < login [60007]
        desk/1 login bob
            desk/1 < login ok 1
        +999ms
        phone/1 login alice
            phone/1 < login [60007]
        phone/1 login alice forged
            phone/1 < login [70009]
        +1ms
        phone/1 login alice
            phone/1 < login ok 3
        phone/1 login alice
            phone/1 < login [60007]
        ",
    );
}

#[test]
fn a_user_id_is_checked_by_the_server_too() {
    // LOGIN-2
    check(
        "
        phone/1 open android
        phone/1 login (empty)
            phone/1 < login [70402]
        phone/1 login al.ice
            phone/1 < login [70402]
        phone/1 login élise
            phone/1 < login [70402]
        phone/1 login abcdefghijklmnopqrstuvwxyz01234567
            phone/1 < login [70402]
        phone/1 login abcdefghijklmnopqrstuvwxyz-_AZ09
            phone/1 < login ok 1
        ",
    );
}

#[test]
fn a_lower_or_equal_attempt_changes_nothing() {
    // ATT-1
    check(
        "
        phone/1 open android
        phone/1 login alice attempt=5
            phone/1 < login ok 1
        show commits
        phone/1 login alice attempt=4
            phone/1 < login stale
        phone/1 login alice attempt=5
            phone/1 < login stale
        phone/1 resume alice 1 attempt=5
            phone/1 < resume stale
        phone/1 renew alice 1 attempt=5
            phone/1 < renew stale
        phone/1 logout attempt=5
            phone/1 < logout stale
        phone/1 heartbeat
            phone/1 < heartbeat
        ",
    );
}

#[test]
fn a_refused_attempt_counts_as_acted_upon() {
    // ATT-1: the login held up by the network comes after a newer one was refused.
    check(
        "
        phone/1 open android
        phone/2 open android
        phone/2 login alice attempt=2 forged
            phone/2 < login [70009]
        phone/1 login alice attempt=1
            phone/1 < login stale
            phone/1 closed
        accounts
        ",
    );
}

#[test]
fn the_highest_attempt_of_an_admitted_device_survives_a_restart() {
    // ATT-1, DUR-2
    check(
        "
        phone/1 open android
        phone/1 login alice attempt=5
            phone/1 < login ok 1
        phone/1 logout attempt=8
            phone/1 < logout ok
        restart
        phone/2 open android
        phone/2 login alice attempt=7
            phone/2 < login stale
        phone/2 login alice attempt=9
            phone/2 < login ok 2
        ",
    );
}

#[test]
fn a_logout_ends_the_login_whose_answer_never_came() {
    // ATT-2, LOGOUT-3: the device gave up its first connection before the server noticed.
    check(
        "
        phone/1 open android
        show commits
        phone/1 login alice attempt=1
            commit 1 account alice
            commit 1 counted alice 19675 of 1
            commit 1 accepted alice phone 1
            commit 1 presence alice #1 online
            phone/1 < login ok 1
        phone/2 open android
        phone/2 logout attempt=2
            commit 2 attempt phone 1.2
            commit 2 ended alice phone 1 logout
            commit 2 presence alice #2 offline
            phone/1 closed
            phone/2 < logout ok
        ",
    );
}

#[test]
fn the_late_login_of_a_device_that_logged_out_is_stale_even_if_it_was_never_admitted() {
    // ATT-1, ATT-2, LOGIN-8: in memory, for a device the server has never admitted.
    check(
        "
        phone/1 open android
        phone/2 open android
        phone/2 logout attempt=2
            phone/2 < logout ok
        phone/1 login alice attempt=1
            phone/1 < login stale
            phone/1 closed
        accounts
        ",
    );
}

#[test]
fn others_see_the_public_name_of_a_device() {
    // ATT-3: the script knows devices by their public names alone.
    check(
        "
        given alice on phone
        pad/1 open ipad
        show commits
        pad/1 login alice
            commit 2 ended alice phone 1 other_platform
            commit 2 accepted alice pad 2
            commit 2 presence alice #2 online kicked phone
            phone/1 < kick alice 1 other_platform by pad
            pad/1 < login ok 2
        ",
    );
}

#[test]
fn a_renewal_keeps_epoch_and_place_and_counts_nothing() {
    // LOGIN-5, DAU-1, POLICY-3: on another day, and the renewed session stays the oldest.
    check(
        "
        config policy=multi android=2
        clock +106m
        one/1 open android
        two/1 open android
        three/1 open android
        one/1 login alice ttl=60
            one/1 < login ok 1
        two/1 login alice
            two/1 < login ok 2
        +41s
        show commits
        one/1 renew alice 1 ttl=600
            commit 3 attempt one 1.2
            commit 3 renewed alice one 1
            one/1 < renew ok
        dau
            day 19675: 1
        three/1 login alice
            commit 4 counted alice 19676 of 1
            commit 4 ended alice one 1 same_platform
            commit 4 accepted alice three 3
            commit 4 presence alice #3 online kicked one
            one/1 < kick alice 1 same_platform by three
            three/1 < login ok 3
        ",
    );
}

#[test]
fn a_renewed_session_ends_with_its_new_ticket() {
    // LOGIN-5, TICKET-5: later or sooner.
    check(
        "
        given alice on phone for a minute
        phone/1 renew alice 1 ttl=300
            phone/1 < renew ok
        +300s
        phone/1 renew alice 1 issued=-10 ttl=30
            phone/1 < renew ok
        +20s
        +1s
            phone/1 < expired alice 1
        ",
    );
}

#[test]
fn a_refused_renewal_leaves_the_session_as_it_was() {
    // LOGIN-5
    check(
        "
        given alice on phone for a minute
        phone/1 renew alice 1 forged ttl=600
            phone/1 < renew [70009]
        phone/1 renew alice 1 of=bob ttl=600
            phone/1 < renew [70013]
        phone/1 heartbeat
            phone/1 < heartbeat
        +61s
            phone/1 < expired alice 1
        ",
    );
}

#[test]
fn a_renewal_for_another_session_than_the_connections_changes_nothing() {
    // LOGIN-5: never a login. INPUT-1: without any session it is out of place.
    check(
        "
        given alice on phone
        phone/1 renew alice 2
            phone/1 < renew [6014]
        phone/1 renew bob 1
            phone/1 < renew [6014]
        phone/1 logout
            phone/1 < logout ok
        phone/1 renew alice 1
            phone/1 < error out_of_place
            phone/1 closed
        ",
    );
}

#[test]
fn a_login_of_the_same_device_replaces_its_session_without_a_kick() {
    // LOGIN-10: no second place taken, nobody else displaced; on another connection and on the same.
    check(
        "
        config policy=multi android=2
        tablet/1 open android
        tablet/1 login alice
            tablet/1 < login ok 1
        phone/1 open android
        phone/1 login alice
            phone/1 < login ok 2
        phone/2 open android
        show commits
        phone/2 login alice
            commit 3 attempt phone 1.2
            commit 3 ended alice phone 2 replaced
            commit 3 accepted alice phone 3
            commit 3 presence alice #3 online
            phone/1 closed
            phone/2 < login ok 3
        phone/2 login alice
            commit 4 attempt phone 1.3
            commit 4 ended alice phone 3 replaced
            commit 4 accepted alice phone 4
            commit 4 presence alice #4 online
            phone/2 < login ok 4
        tablet/1 heartbeat
            tablet/1 < heartbeat
        phone/1 heartbeat
        ",
    );
}

#[test]
fn a_switch_ends_the_first_account_as_by_a_logout() {
    // SWITCH-3: both frames at once, on the same connection.
    check(
        "
        given alice on phone
        show commits
        phone/1 logout
            commit 2 attempt phone 1.2
            commit 2 ended alice phone 1 logout
            commit 2 presence alice #2 offline
            phone/1 < logout ok
        phone/1 login bob
            commit 3 attempt phone 1.3
            commit 3 account bob
            commit 3 counted bob 19675 of 2
            commit 3 accepted bob phone 1
            commit 3 presence bob #1 online
            phone/1 < login ok 1
        ",
    );
}

#[test]
fn an_accepted_login_ends_the_devices_sessions_of_other_users() {
    // SWITCH-5: in the same change, and nobody of the other user's devices is touched.
    check(
        "
        given alice on phone and web
        phone/2 open android
        show commits
        phone/2 login bob
            commit 3 attempt phone 1.2
            commit 3 account bob
            commit 3 counted bob 19675 of 2
            commit 3 ended alice phone 1 other_user
            commit 3 accepted bob phone 1
            commit 3 presence alice #3 online
            commit 3 presence bob #1 online
            phone/1 closed
            phone/2 < login ok 1
        web/1 heartbeat
            web/1 < heartbeat
        ",
    );
}

#[test]
fn a_refused_login_of_another_user_ends_nothing() {
    // SWITCH-5 speaks of accepted logins only.
    check(
        "
        given alice on phone
        phone/1 login bob forged
            phone/1 < login [70009]
        phone/1 send alice still here
            phone/1 < sent #1
        ",
    );
}

#[test]
fn an_owed_end_goes_ahead_of_the_login_and_counts_even_if_that_is_refused() {
    // LOGOUT-2, LOGOUT-5: alice's other device stays.
    check(
        "
        given alice on phone and web
        phone/1 close
        phone/2 open android
        phone/2 logout
            phone/2 < logout ok
        phone/2 login bob forged
            phone/2 < login [70009]
        web/1 login root
            web/1 < login ok 1
        config admin=root
        web/1 query alice bob
            web/1 < status alice offline (); bob unknown
        ",
    );
}

#[test]
fn a_logout_without_a_session_succeeds() {
    // LOGOUT-2: an owed end may find nothing to end.
    check(
        "
        phone/1 open android
        phone/1 logout
            phone/1 < logout ok
        phone/1 logout
            phone/1 < logout ok
        ",
    );
}

#[test]
fn a_ticket_is_valid_through_its_last_second() {
    // TICKET-2
    check(
        "
        phone/1 open android
        phone/1 login alice issued=-60 ttl=60
            phone/1 < login ok 1
        phone/1 login alice issued=-61 ttl=60
            phone/1 < login [70001]
        +999ms
        phone/1 login alice issued=-60 ttl=60
            phone/1 < login ok 2
        phone/1 login alice issued=3600 ttl=0
            phone/1 < login ok 3
        ",
    );
}

#[test]
fn refusals_come_in_the_order_of_the_rule() {
    // TICKET-3: each ticket deserves all the refusals after its own, too.
    check(
        "
        config admin=root
        given root on desk
        phone/1 open android
        phone/1 login alice issued=-100 ttl=50 other_app of=bob forged
            phone/1 < login [70014]
        phone/1 login alice issued=-100 ttl=50 of=bob forged
            phone/1 < login [70013]
        phone/1 login alice issued=-100 ttl=50 forged
            phone/1 < login [70009]
        phone/1 login alice issued=-100 ttl=50
            phone/1 < login [70001]
        phone/1 login alice
            phone/1 < login ok 1
        desk/1 admin-kick alice
            desk/1 < admin-kick ok
            phone/1 < kick alice 1 administrator
        phone/1 login alice issued=-100 ttl=50
            phone/1 < login [70052]
        phone/1 login alice issued=-100 ttl=50 forged
            phone/1 < login [70009]
        phone/1 login alice empty
            phone/1 < login [70002]
        phone/1 login alice malformed
            phone/1 < login [70003]
        ",
    );
}

#[test]
fn ten_refused_tickets_in_a_minute_lock_device_and_user() {
    // TICKET-4: until a minute after the tenth, unchecked and uncounted; others are not affected.
    check(
        "
        given alice on phone
        phone/1 renew alice 1 forged
            phone/1 < renew [70009]
        8x phone/1 login alice forged
            phone/1 < login [70009] ×8
        +59s
        phone/1 login alice forged
            phone/1 < login [70009]
        +59s
        phone/1 login alice
            phone/1 < login [70050]
        phone/1 renew alice 1
            phone/1 < renew [70050]
        phone/1 resume alice 1
            phone/1 < resume ok
        web/1 open web
        web/1 login alice
            web/1 < login ok 2
        phone/1 login bob forged
            phone/1 < login [70009]
        +999ms
        phone/1 login alice
            phone/1 < login [70050]
        +1ms
        phone/1 login alice
            phone/1 < login ok 3
        ",
    );
}

#[test]
fn refusals_a_minute_old_do_not_count_and_resumes_never_do() {
    // TICKET-4: the window slides.
    check(
        "
        given alice on phone
        phone/1 resume alice 1 forged
            phone/1 < resume [70009]
        phone/1 login alice forged
            phone/1 < login [70009]
        +30s
        8x phone/1 login alice forged
            phone/1 < login [70009] ×8
        +30s
        phone/1 login alice forged
            phone/1 < login [70009]
        phone/1 login alice
            phone/1 < login ok 2
        phone/1 login alice forged
            phone/1 < login [70009]
        phone/1 login alice
            phone/1 < login [70050]
        ",
    );
}

#[test]
fn a_session_ends_one_second_after_its_ticket_was_last_valid() {
    // TICKET-5
    check(
        "
        phone/1 open android
        phone/1 login alice issued=-10 ttl=60
            phone/1 < login ok 1
        +50s
        phone/1 heartbeat
            phone/1 < heartbeat
        +999ms
        phone/1 heartbeat
            phone/1 < heartbeat
        +1ms
            phone/1 < expired alice 1
        phone/1 confirm alice 1
            phone/1 closed
        ",
    );
}

#[test]
fn the_tickets_end_follows_the_servers_wall_clock() {
    // TICKET-5: ahead it ends at once, back it lives on.
    check(
        "
        phone/1 open android
        pad/1 open ipad
        phone/1 login alice ttl=3600
            phone/1 < login ok 1
        pad/1 login bob ttl=7200
            pad/1 < login ok 1
        clock +1h
        clock +1s
            phone/1 < expired alice 1
        clock -2h
        +100s
            phone/1 closed
        pad/1 heartbeat
            pad/1 < heartbeat
        ",
    );
}

#[test]
fn an_expired_session_can_be_followed_by_a_login_with_a_fresh_ticket() {
    // TICKET-7: with the expired one [70001].
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60 ticket=old
            phone/1 < login ok 1
        +61s
            phone/1 < expired alice 1
        phone/2 open android
        phone/2 login alice ticket=old
            phone/1 closed
            phone/2 < login [70001]
        phone/2 login alice
            phone/2 < login ok 2
        ",
    );
}
