//! Devices that hold no session, and how long they are remembered (ATT-6).

use super::script::check;

/// Thirty days after its ticket, which outlasts its session here.
#[test]
fn a_device_is_let_go_thirty_days_after_its_ticket() {
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60
            phone/1 < login ok 1
        show commits
        phone/1 logout
            commit 2 attempt phone 1.2
            commit 2 ended alice phone 1 logout
            commit 2 presence alice #2 offline
            phone/1 < logout ok
        phone/1 close
        +61s
        +29d
        +86399s
        +1s
            commit 3 let go alice phone
        phone/2 open android
        phone/2 resume alice 1
            phone/2 < resume kick alice 1 gone
        ",
    );
}

/// One that logs in meanwhile is not away, and counts from its next ticket.
#[test]
fn a_device_that_comes_back_stays() {
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60
            phone/1 < login ok 1
        phone/1 logout
            phone/1 < logout ok
        +29d
            phone/1 closed
        phone/2 open android
        phone/2 login alice ttl=86400
            phone/2 < login ok 2
        show commits
        +2d
            commit 4 lost alice phone 2
            commit 4 presence alice #4 push_online
            phone/2 closed
            dormant alice phone 2
            commit 5 ended alice phone 2 expired
            commit 5 presence alice #5 offline
        +29d
        +1d
            commit 6 let go alice phone
        ",
    );
}

/// Its attempts are those of a stranger from then on: known until the server dies.
#[test]
fn the_attempt_of_a_device_let_go_is_kept_in_memory() {
    check(
        "
        phone/1 open android
        phone/1 login alice ttl=60 attempt=5
            phone/1 < login ok 1
        phone/1 logout attempt=6
            phone/1 < logout ok
        phone/1 close
        +31d
        phone/2 open android
        phone/2 login alice attempt=4
            phone/2 < login stale
        phone/2 close
        restart
        phone/3 open android
        phone/3 login alice attempt=4
            phone/3 < login ok 2
        ",
    );
}

/// Of too many the one goes whose ticket runs out first, of whichever device it is; another user's do not count.
#[test]
fn of_too_many_the_first_to_run_out_goes() {
    check(
        "
        config policy=single remembered_max=2
        phone/1 open android
        phone/1 login alice ttl=300
            phone/1 < login ok 1
        desk/1 open mac
        desk/1 login alice ttl=100
            phone/1 < kick alice 1 other_platform by desk
            desk/1 < login ok 2
        web/1 open web
        web/1 login bob ttl=10
            web/1 < login ok 1
        web/1 logout
            web/1 < logout ok
        show commits
        pad/1 open ipad
        pad/1 login alice ttl=200
            commit 5 ended alice desk 2 other_platform
            commit 5 accepted alice pad 3
            commit 5 presence alice #3 online kicked desk
            desk/1 < kick alice 2 other_platform by pad
            pad/1 < login ok 3
        web/1 login alice ttl=50
            commit 6 attempt web 1.3
            commit 6 ended alice pad 3 other_platform
            commit 6 accepted alice web 4
            commit 6 let go alice desk
            commit 6 presence alice #4 online kicked pad
            pad/1 < kick alice 3 other_platform by web
            web/1 < login ok 4
        desk/2 open mac
        desk/2 resume alice 2
            desk/1 closed
            desk/2 < resume kick alice 2 gone
        ",
    );
}
