//! Messages, administrative calls and the conversation list (API).

use crate::client::rig::check;

/// API-1: the cache answers from the accepted `login` on, also when it fails; after a logout [6014].
#[test]
fn the_cache_answers_before_the_login_has_ended() {
    check(
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > conversations
        result 2 [6014]
        > login alice t1
        status LOGINING
        event connecting
        connect 0
        > conversations
        result 4 list dora@3
        > send bob hello
        result 5 [6014]
        > connected
        send 0 hello device 1
        send 0 login 3 1.1 alice t1
        > query bob
        result 6 [6014]
        > answer login 3 [70009]
        status LOGOUT
        event connect_failed [70009]
        result 3 [70009]
        close 0
        > conversations
        result 7 list dora@3
        > login b/b t1
        result 8 [7003]
        > conversations
        result 9 list dora@3
        > login bob t1
        drop events
        status LOGINING
        event connecting
        connect 1
        > conversations
        result 11 list emil@4
        > logout
        drop events
        status LOGOUT
        result 10 [6023]
        close 1
        result 12 ok
        > conversations
        result 13 [6014]
        ",
    );
}

/// API-4, and the order of the checks: the state, the arguments, the link.
#[test]
fn arguments_are_checked_at_once() {
    check(
        "
        > init
        disk device 1 starts 1
        result 1 ok
        > send - hello
        result 2 [6014]
        ",
    );
    check(
        "
        > given alice without a link
        > send - hello
        result 3 [6017]
        > send b/b hello
        result 4 [6017]
        > send-bytes bob 12289
        result 5 [6017]
        > send-bytes bob 12288
        result 6 [9508]
        > admin-kick -
        result 7 [6017]
        > query
        result 8 [6017]
        > query bob b/b
        result 9 [6017]
        > query-many 101
        result 10 [6017]
        > query-many 100
        result 11 [9508]
        ",
    );
}

/// API-5: no link, also while the resume is unanswered: [9508] at once, nothing is queued.
#[test]
fn nothing_is_queued() {
    check(
        "
        > given alice without a link
        > send bob one
        result 3 [9508]
        > wait 0s
        @ 0.000
        event connecting
        connect 1
        > admin-kick bob
        result 4 [9508]
        > connected
        send 1 hello device 1
        send 1 resume 1.2 alice 1 t1
        > send bob two
        result 5 [9508]
        > answer resume resumed
        event connect_success
        > send bob three
        send 1 message 6 to bob three
        ",
    );
}

/// API-5, CONN-5: unanswered [9520], once, with a heartbeat at once; late and mismatched answers are ignored.
#[test]
fn an_unanswered_request_has_its_link_replaced() {
    check(
        "
        > given alice
        > send bob hello
        send 0 message 3 to bob hello
        > admin-kick bob
        send 0 admin-kick 4 bob
        > answer admin-kick 3 ok
        > answer query 4
        > wait 15s
        @ 15.000
        result 3 [9520]
        send 0 heartbeat
        result 4 [9520]
        > answer send 3 id 9
        > answer heartbeat
        > query bob
        send 0 query 5 of 1
        > answer query 5
        result 5 report
        ",
    );
}

/// API-2: own and received messages move their conversation to the front; codes reach the caller.
#[test]
fn messages_update_the_list() {
    check(
        "
        > given alice
        > send bob hello
        send 0 message 3 to bob hello
        > send nobody hello
        send 0 message 4 to nobody hello
        > message 8 carol alice hi
        disk conversations alice: carol@8
        event message 8 from carol
        > answer send 3 id 9
        disk conversations alice: bob@9 carol@8
        result 3 id 9
        > answer send 4 [70107]
        result 4 [70107]
        > message 10 carol alice again
        disk conversations alice: carol@10 bob@9
        event message 10 from carol
        > conversations
        result 5 list carol@10 bob@9
        > admin-kick bob
        send 0 received alice 1 2
        send 0 admin-kick 6 bob
        > answer admin-kick 6 [60010]
        result 6 [60010]
        ",
    );
}

/// API-3: a cache belongs to its user, also on a device that two use in turn.
#[test]
fn a_list_is_shown_to_nobody_else() {
    check(
        "
        > given alice
        > message 8 carol alice hi
        disk conversations alice: carol@8
        event message 8 from carol
        > given the switch to bob
        > conversations
        result 4 list emil@4
        > answer logout 0 ok
        disk device 1 starts 1
        > answer login 3 [70009]
        status LOGOUT
        event connect_failed [70009]
        result 3 [70009]
        close 0
        > conversations
        result 5 list emil@4
        > login alice t1
        drop events
        status LOGINING
        event connecting
        connect 1
        > conversations
        result 7 list carol@8
        ",
    );
}
