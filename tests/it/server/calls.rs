//! Messages, administrative calls, days counted and presence.

use super::script::check;

#[test]
fn a_message_waits_for_a_session_without_a_link() {
    // API-7: it comes with the resume, once, and what the device says it has does not come again.
    check(
        "
        given alice on phone
        web/1 open web
        web/1 login bob
            web/1 < login ok 1
        phone/1 close
        web/1 send alice one
            web/1 < sent #1
        web/1 send alice two
            web/1 < sent #2
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume ok bob#2
            phone/2 < message #1 bob to alice: one
            phone/2 < message #2 bob to alice: two
        phone/2 close
        phone/3 open android
        phone/3 resume alice 1 received=1
            phone/3 < resume ok bob#2
            phone/3 < message #2 bob to alice: two
        phone/3 received alice 1 2
        phone/3 close
        restart
        phone/4 open android
        phone/4 resume alice 1 received=2
            phone/4 < resume ok bob#2
        ",
    );
}

#[test]
fn a_device_that_has_more_than_it_was_given_begins_anew() {
    // API-7: the records are a backup's, and its next message would be taken for one that it has.
    check(
        "
        given alice on phone
        web/1 open web
        web/1 login bob
            web/1 < login ok 1
        phone/1 close
        web/1 send alice one
            web/1 < sent #1
        phone/2 open android
        phone/2 resume alice 1 received=2
            phone/2 < resume kick alice 1 gone
        phone/3 open android
        phone/3 login alice
            phone/2 closed
            phone/3 < login ok 2 bob#1
        web/1 send alice two
            web/1 < sent #2
            phone/3 < message #2 bob to alice: two
        ",
    );
}

#[test]
fn a_message_that_is_sent_again_is_the_one_it_was() {
    // API-6: on whichever device of the user, and whatever it says.
    check(
        "
        given alice on phone
        web/1 open web
        web/1 login bob
            web/1 < login ok 1
        phone/1 send-as 7 bob one
            phone/1 < sent #1
            web/1 < message #1 alice to bob: one
        phone/1 send-as 7 bob two
            phone/1 < sent #1
        web/1 send-as 7 alice three
            web/1 < sent #2
            phone/1 < message #2 bob to alice: three
        ",
    );
}

#[test]
fn a_message_reaches_the_connected_devices_of_both_once() {
    // API-2: the sender's other devices, the receiver's, in the server's order.
    check(
        "
        config policy=triple
        phone/1 open android
        web/1 open web
        bob/1 open ios
        desk/1 open mac
        pad/1 open ipad
        phone/1 login alice
            phone/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        bob/1 login bob
            bob/1 < login ok 1
        desk/1 login bob
            desk/1 < login ok 2
        pad/1 login carol
            pad/1 < login ok 1
        desk/1 close
        phone/1 send bob hello
            phone/1 < sent #1
            web/1 < message #1 alice to bob: hello
            bob/1 < message #1 alice to bob: hello
        bob/1 send alice hi there
            bob/1 < sent #2
            phone/1 < message #2 bob to alice: hi there
            web/1 < message #2 bob to alice: hi there
        pad/1 send bob hey
            pad/1 < sent #3
            bob/1 < message #3 carol to bob: hey
        desk/2 open mac
        desk/2 resume bob 2
            desk/2 < resume ok carol#3 alice#2
            desk/2 < message #1 alice to bob: hello
            desk/2 < message #2 bob to alice: hi there
            desk/2 < message #3 carol to bob: hey
        phone/1 login alice
            phone/1 < login ok 3 bob#2
        ",
    );
}

#[test]
fn a_message_to_oneself_goes_to_the_other_devices() {
    // API-2
    check(
        "
        given alice on phone and web
        phone/1 send alice note
            phone/1 < sent #1
            web/1 < message #1 alice to alice: note
        ",
    );
}

#[test]
fn a_message_is_on_disk_before_anybody_sees_it() {
    // DUR-1, API-2: the commit comes first; `world` checks that answer and message wait for it.
    check(
        "
        given alice on phone and web
        show commits
        phone/1 send alice hello
            commit 3 message #1
            commit 3 owes alice web #1
            phone/1 < sent #1
            web/1 < message #1 alice to alice: hello
        ",
    );
}

#[test]
fn arguments_of_a_message_are_checked_and_refused_ones_get_no_number() {
    // API-4
    check(
        "
        given alice on phone
        show commits
        phone/1 send bob hello
            phone/1 < sent [70107]
        phone/1 send-bytes alice 12289
            phone/1 < sent [6017]
        phone/1 send-bytes bob 12289
            phone/1 < sent [6017]
        phone/1 send-bytes alice 12288
            commit 2 message #1
            phone/1 < sent #1
        ",
    );
}

#[test]
fn a_user_counts_once_a_day() {
    // DAU-1: renewals and resumes do not, refused logins do not; UTC midnight is 106 min 40 s away.
    check(
        "
        given alice on phone and web
        web/1 login carol forged
            web/1 < login [70009]
        clock +106m
        +39s
        +999ms
        web/1 login bob
            web/1 < login ok 1
        +1ms
        phone/1 renew alice 1
            phone/1 < renew ok
        phone/1 resume alice 1
            phone/1 < resume ok
        dau
            day 19675: 2
        web/1 login alice
            web/1 < login ok 3
        phone/1 login alice
            phone/1 < login ok 4
        dau
            day 19675: 2
            day 19676: 1
        clock -1h
        phone/1 login alice
            phone/1 < login ok 5
        dau
            day 19675: 2
            day 19676: 1
        ",
    );
}

#[test]
fn a_day_is_counted_although_its_answer_was_lost() {
    // DAU-1, DAU-2: committed with the acceptance, there after a restart.
    check(
        "
        given alice on phone
        phone/1 close
        restart
        dau
            day 19675: 1
        phone/2 open android
        phone/2 login alice
            phone/2 < login ok 2
        dau
            day 19675: 1
        ",
    );
}

#[test]
fn a_user_is_online_then_push_online_then_offline() {
    // PRES-1: seven days from the server noticing, dormant or not; one event each.
    check(
        "
        phone/1 open android
        show commits
        phone/1 login alice
            commit 1 account alice
            commit 1 counted alice 19675 of 1
            commit 1 accepted alice phone 1
            commit 1 presence alice #1 online
            phone/1 < login ok 1
        phone/1 close
            commit 2 lost alice phone 1
            commit 2 presence alice #2 push_online
        +400s
            dormant alice phone 1
        +6d
        +23h
        +53m
        +19s
        +999ms
        +1ms
            commit 3 presence alice #3 offline
        phone/2 open android
        phone/2 resume alice 1
            commit 4 attempt phone 1.2
            commit 4 resumed alice phone 1
            commit 4 presence alice #4 online
            phone/2 < resume ok
        phone/2 logout
            commit 5 attempt phone 1.3
            commit 5 ended alice phone 1 logout
            commit 5 presence alice #5 offline
            phone/2 < logout ok
        ",
    );
}

#[test]
fn only_mobile_devices_leave_a_user_push_online() {
    // PRES-1
    check(
        "
        desk/1 open mac
        show commits
        desk/1 login alice
            commit 1 account alice
            commit 1 counted alice 19675 of 1
            commit 1 accepted alice desk 1
            commit 1 presence alice #1 online
            desk/1 < login ok 1
        desk/1 close
            commit 2 lost alice desk 1
            commit 2 presence alice #2 offline
        +8d
            dormant alice desk 1
        ",
    );
}

#[test]
fn nobody_is_shown_offline_because_another_device_left() {
    // PRES-2
    check(
        "
        config admin=alice
        given alice on phone and web
        show commits
        web/1 logout
            commit 3 attempt web 1.2
            commit 3 ended alice web 2 logout
            commit 3 presence alice #3 online
            web/1 < logout ok
        web/1 login alice
            commit 4 attempt web 1.3
            commit 4 accepted alice web 3
            commit 4 presence alice #4 online
            web/1 < login ok 3
        phone/1 close
            commit 5 lost alice phone 1
            commit 5 presence alice #5 online
        web/1 query alice
            web/1 < status alice online (phone android link_lost, web web connected)
        ",
    );
}

#[test]
fn a_login_that_kicks_is_one_event_naming_the_devices() {
    // PRES-3: no event for the sessions that ended with it, and none of theirs afterwards.
    check(
        "
        config policy=multi web=2
        given alice on browsers a and b and on phone
        config policy=single
        desk/1 open mac
        show commits
        desk/1 login alice
            commit 4 ended alice a 1 other_platform
            commit 4 ended alice b 2 other_platform
            commit 4 ended alice phone 3 other_platform
            commit 4 accepted alice desk 4
            commit 4 presence alice #4 online kicked a b phone
            a/1 < kick alice 1 other_platform by desk
            b/1 < kick alice 2 other_platform by desk
            phone/1 < kick alice 3 other_platform by desk
            desk/1 < login ok 4
        a/1 close
        +15s
            b/1 closed
            phone/1 closed
        ",
    );
}

#[test]
fn an_administrative_kick_ends_every_session_and_voids_the_tickets() {
    // ADMIN-1: those issued up to this second, and those of the sessions whatever their issue time;
    // a ticket issued in a later second works, also that of a server's clock ahead. DUR-2: durable.
    check(
        "
        config admin=root
        given root on desk
        phone/1 open android
        web/1 open web
        phone/1 login alice ticket=now
            phone/1 < login ok 1
        web/1 login alice ticket=ahead issued=3600
            web/1 < login ok 2
        +500ms
        show commits
        desk/1 admin-kick alice
            commit 4 voided alice until 0
            commit 4 ended alice phone 1 administrator
            commit 4 voided alice one until 8643600
            commit 4 ended alice web 2 administrator
            commit 4 presence alice #3 offline kicked phone web
            desk/1 < admin-kick ok
            phone/1 < kick alice 1 administrator
            web/1 < kick alice 2 administrator
        phone/1 login alice ticket=now
            commit 5 attempt phone 1.2
            phone/1 < login [70052]
        web/1 login alice ticket=ahead
            commit 6 attempt web 1.2
            web/1 < login [70052]
        phone/1 login alice ticket=other issued=3601
            commit 7 attempt phone 1.3
            commit 7 accepted alice phone 3
            commit 7 presence alice #4 online
            phone/1 < login ok 3
        restart
            commit 8 lost alice phone 3
            commit 8 lost root desk 1
            commit 8 presence alice #5 push_online
            commit 8 presence root #2 offline
        web/2 open web
        web/2 login alice ticket=now
            commit 9 attempt web 1.3
            web/2 < login [70052]
        web/2 login alice ticket=ahead
            commit 10 attempt web 1.4
            web/2 < login [70052]
        +500ms
        web/2 login alice
            commit 11 attempt web 1.5
            commit 11 accepted alice web 4
            commit 11 presence alice #6 online
            web/2 < login ok 4
        ",
    );
}

#[test]
fn an_administrator_may_kick_themselves_and_hears_the_answer_first() {
    // ADMIN-1, KICK-10
    check(
        "
        config admin=root
        given root on desk
        desk/1 admin-kick root
            desk/1 < admin-kick ok
            desk/1 < kick root 1 administrator
        ",
    );
}

#[test]
fn an_administrative_kick_of_an_unknown_user_stores_nothing() {
    // ADMIN-1, [70107]
    check(
        "
        config admin=root
        given root on desk
        show commits
        desk/1 admin-kick nobody
            desk/1 < admin-kick [70107]
        accounts
            root
        ",
    );
}

#[test]
fn a_query_answers_presence_and_devices_and_lists_unknown_users_apart() {
    // ADMIN-2, ATT-3
    check(
        "
        config admin=root policy=multi
        given root on desk
        web/1 open web
        phone/1 open android
        pad/1 open ipad
        pad/1 login alice
            pad/1 < login ok 1
        web/1 login alice
            web/1 < login ok 2
        phone/1 login alice
            phone/1 < login ok 3
        phone/1 close
        web/1 close
        +90s
            dormant alice web 2
        desk/1 query alice nobody root
            desk/1 < status alice online (pad ipad connected, web web dormant, phone android link_lost); root online (desk windows connected); nobody unknown
        ",
    );
}

#[test]
fn administrative_calls_need_an_administrator() {
    // ADMIN-3, [60010]
    check(
        "
        config admin=root
        given alice on phone
        show commits
        phone/1 admin-kick alice
            phone/1 < admin-kick [60010]
        phone/1 admin-kick nobody
            phone/1 < admin-kick [60010]
        phone/1 query alice
            phone/1 < status [60010]
        ",
    );
}
