//! The SDK's side of tickets: the very ticket reported expired is not asked about again (TICKET-7).

use crate::client::rig::check;

/// TICKET-7: a fresh ticket works, the reported one answers [6206], whoever reported it and however.
#[test]
fn a_ticket_reported_expired_is_refused_without_asking() {
    let reports = [
        (
            "
            > given alice
            > expired alice 1
            status LOGOUT
            event user_sig_expired alice 1
            close 0
            ",
            "list",
        ),
        (
            "
            > given alice resuming
            > answer resume refused [70001]
            disk device 1 starts 1 owed-end
            status LOGOUT
            event user_sig_expired alice 1
            send 1 logout 0 1.3
            > answer logout 0 ok
            disk device 1 starts 1
            close 1
            ",
            "list",
        ),
        (
            "
            > given alice logging in
            > answer login 2 [70001]
            status LOGOUT
            event connect_failed [70001]
            result 2 [70001]
            close 0
            ",
            "list dora@3",
        ),
    ];
    for (report, cached) in reports {
        check(&format!(
            "{report}
            > login alice t1
            result 3 [6206]
            > conversations
            result 4 {cached}
            > login b/b t1
            result 5 [7003]
            > uninit
            drop events
            result 6 ok
            "
        ));
    }
}

/// TICKET-7: the same for a renewal, which leaves the session as it was; only the last report is kept.
#[test]
fn a_renewal_with_a_reported_ticket_is_refused_without_asking() {
    check(
        "
        > given alice renewing
        > answer renew 3 [70001]
        result 3 [70001]
        > login alice t2
        result 4 [6206]
        > login bob t2
        result 5 [6206]
        > login alice t3
        send 0 renew 6 1.3 alice 1 t3
        > answer renew 6 [70001]
        result 6 [70001]
        > login alice t2
        send 0 renew 7 1.4 alice 1 t2
        ",
    );
}

/// TICKET-7, LOGIN-5: with a renewal unanswered nobody knows which ticket expired: neither is refused unasked.
#[test]
fn an_ambiguous_expiry_blocks_no_ticket() {
    check(
        "
        > given alice renewing
        > expired alice 1
        status LOGOUT
        result 3 [6014]
        event user_sig_expired alice 1
        close 0
        > login alice t2
        status LOGINING
        event connecting
        connect 1
        > logout
        drop events
        status LOGOUT
        result 4 [6023]
        close 1
        result 5 ok
        > login alice t1
        status LOGINING
        event connecting
        connect 2
        ",
    );
}

/// CONN-4, LOGIN-5: a ticket other than the refused one was left: one [70001] is not the end.
#[test]
fn the_expired_ticket_of_a_lost_renewal_is_not_the_end() {
    check(
        "
        > given alice renewing
        > answer renew 3 [70500]
        result 3 [70500]
        > given the link lost and another made
        send 1 resume 1.3 alice 1 t2
        > answer resume refused [70001]
        send 1 resume 1.4 alice 1 t1
        > closed
        event connect_failed [9508]
        note back-off 2 0.250
        > wait 1s
        @ 0.250
        event connecting
        connect 2
        > connected
        send 2 hello device 1
        send 2 resume 1.5 alice 1 t1
        > answer resume refused [70052]
        disk device 1 starts 1 owed-end
        status LOGOUT
        event user_sig_expired alice 1
        send 2 logout 0 1.6
        ",
    );
}
