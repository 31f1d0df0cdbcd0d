//! The database of the server: what was committed is read back whole, and what cannot be used is refused
//! with a reason.

use std::sync::Arc;

use gatecrash::driver::store::{FileStore, SCHEMA_VERSION, Tables};
use gatecrash::driver::{OpenError, ServerStore};
use gatecrash::id::{Attempt, Change, DeviceId, Epoch, MessageId, SendId, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{Message, Presence};
use gatecrash::store::{Commit, EndReason, Fact, Records, SessionTicket};
use gatecrash::ticket::Signature;
use gatecrash::time::WallTime;
use redb::{Database, ReadableTable, TableDefinition, TableHandle};

use crate::loopback::{Directory, run};

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number; 16])
}

fn accepted(name: &str, number: u8, epoch: u64, keeper_before: Option<&str>) -> Fact {
    Fact::SessionAccepted {
        user: user(name),
        device: device(number),
        platform: Platform::Ios,
        epoch: Epoch(epoch),
        attempt: Attempt { start: 1, count: epoch as u32 },
        ticket: SessionTicket { issued_at: 10, last_second: 70, signature: Signature([3; 32]) },
        keeper_before: keeper_before.map(user),
    }
}

fn ended(name: &str, number: u8, epoch: u64) -> Fact {
    let (user, device, epoch) = (user(name), device(number), Epoch(epoch));
    Fact::SessionEnded { user, device, epoch, reason: EndReason::Logout, by: None }
}

/// Commits that leave something of every kind behind.
fn history() -> Vec<Commit> {
    let (alice, bob) = (user("alice"), user("bob"));
    let message = |number, text: &str| Fact::MessageStored {
        message: Message { id: MessageId(number), from: alice, to: bob, text: text.to_owned() },
        id: SendId::from_bytes(u128::from(number).to_be_bytes()),
        epoch: Epoch(1),
        last_second: 60,
    };
    let steps = vec![
        vec![
            Fact::AccountCreated { user: alice },
            Fact::DayCounted { user: alice, day: 19_675, users: 1 },
            accepted("alice", 1, 1, None),
            Fact::PresenceChanged { user: alice, number: 1, presence: Presence::Online, kicked: vec![] },
        ],
        vec![
            Fact::AccountCreated { user: bob },
            Fact::DayCounted { user: bob, day: 19_675, users: 2 },
            accepted("bob", 2, 1, None),
        ],
        vec![Fact::LoginAcknowledged { user: alice, device: device(1), epoch: Epoch(1) }],
        vec![
            Fact::SessionEnded {
                user: alice,
                device: device(1),
                epoch: Epoch(1),
                reason: EndReason::SamePlatform,
                by: Some(device(3).public_name()),
            },
            accepted("alice", 3, 2, None),
        ],
        vec![message(1, "hello"), message(2, "again")],
        vec![Fact::KickSettled { user: alice, device: device(1), epoch: Epoch(1) }],
        // The first device changes hands: its record moves.
        vec![accepted("bob", 1, 2, Some("alice"))],
        vec![Fact::LinkLost { user: alice, device: device(3), epoch: Epoch(2), at: WallTime::from_seconds(40) }],
        vec![
            Fact::TicketsVoided { user: bob, until: 50 },
            Fact::TicketVoided { user: bob, signature: Signature([9; 32]), last_second: 90 },
            Fact::DayCounted { user: bob, day: 19_676, users: 1 },
        ],
        vec![Fact::AttemptRaised { user: bob, device: device(2), attempt: Attempt { start: 4, count: 1 } }],
        // Without a session, let go, and back again.
        vec![ended("bob", 2, 1)],
        vec![Fact::DeviceForgotten { user: bob, device: device(2) }],
        vec![accepted("bob", 2, 3, None)],
        vec![ended("bob", 2, 3), Fact::DeviceForgotten { user: bob, device: device(2) }],
        vec![accepted("bob", 2, 4, None)],
        vec![ended("bob", 2, 4)],
    ];
    let numbered = steps.into_iter().enumerate();
    numbered.map(|(index, facts)| Commit { number: Change(index as u64 + 1), facts }).collect()
}

/// DUR-2: whatever the batches were, what is read back is what the core had.
#[test]
fn what_was_committed_is_read_back() {
    run(async {
        for batch_size in [1, 3, 100] {
            let directory = Directory::new();
            let mut store = FileStore::new(&directory.0);
            let mut expected = store.open().await.unwrap();
            for batch in history().chunks(batch_size) {
                batch.iter().for_each(|commit| expected.apply(commit));
                store.commit(batch.to_vec()).await.unwrap();
                expected.count_start();
                assert_eq!(store.open().await.unwrap(), expected);
            }
            assert_eq!(expected.daily_active_users(19_675), 2);
            assert_eq!(expected.starts, 1 + history().chunks(batch_size).count() as u64);
        }
    });
}

/// API-6, API-7: what sessions are owed, and what users called their messages, until it is gone.
fn messages() -> Vec<Commit> {
    let (alice, bob) = (user("alice"), user("bob"));
    let of_bob = |epoch| (bob, device(2), Epoch(epoch));
    let stored = |number: u64| {
        let message = Message { id: MessageId(number), from: alice, to: bob, text: format!("text {number}") };
        let id = SendId::from_bytes(u128::from(number).to_be_bytes());
        Fact::MessageStored { message, id, epoch: Epoch(1), last_second: 60 }
    };
    let owed = |number: u64, epoch| {
        let ((user, device, epoch), text) = (of_bob(epoch), format!("text {number}"));
        let message = Arc::new(Message { id: MessageId(number), from: alice, to: bob, text });
        Fact::MessageOwed { user, device, epoch, message }
    };
    let received = |through| {
        let (user, device, epoch) = of_bob(1);
        Fact::MessagesReceived { user, device, epoch, through }
    };
    let dropped = |through| {
        let (user, device, epoch) = of_bob(1);
        Fact::MessagesDropped { user, device, epoch, through }
    };
    let ended = || {
        let (user, device, epoch) = of_bob(1);
        Fact::SessionEnded { user, device, epoch, reason: EndReason::Replaced, by: None }
    };
    let steps = vec![
        vec![Fact::AccountCreated { user: alice }, Fact::AccountCreated { user: bob }],
        vec![accepted("bob", 2, 1, None)],
        vec![stored(1), owed(1, 1)],
        vec![stored(2), owed(2, 1), received(1)],
        vec![stored(3), owed(3, 1), dropped(2)],
        vec![Fact::SentForgotten { user: alice, through: MessageId(2) }],
        vec![stored(4), owed(4, 1), received(4)],
        vec![stored(5), owed(5, 1)],
        // The next session of the device begins anew.
        vec![ended(), accepted("bob", 2, 2, None), stored(6), owed(6, 2)],
        vec![stored(7), owed(7, 2)],
    ];
    let numbered = steps.into_iter().enumerate();
    numbered.map(|(index, facts)| Commit { number: Change(index as u64 + 1), facts }).collect()
}

#[test]
fn messages_that_wait_are_read_back() {
    run(async {
        for batch_size in [1, 2, 3, 100] {
            let directory = Directory::new();
            let mut store = FileStore::new(&directory.0);
            let mut expected = store.open().await.unwrap();
            for batch in messages().chunks(batch_size) {
                batch.iter().for_each(|commit| expected.apply(commit));
                store.commit(batch.to_vec()).await.unwrap();
                expected.count_start();
                assert_eq!(store.open().await.unwrap(), expected);
            }
            let session = &expected.users[&user("bob")].sessions[&device(2)];
            assert_eq!(session.owed.iter().map(|(place, _)| place).collect::<Vec<_>>(), [1, 2]);
        }
    });
}

/// API-6: a message is remembered by the ticket that its session lived by at the end, whenever that was written.
#[test]
fn the_last_ticket_of_a_session_that_sent_is_read_back() {
    for batch_size in [1, 2, 100] {
        run(async {
            let directory = Directory::new();
            let (alice, bob) = (user("alice"), user("bob"));
            let stored = |number: u64, epoch| Fact::MessageStored {
                message: Message { id: MessageId(number), from: alice, to: bob, text: "text".to_owned() },
                id: SendId::from_bytes(u128::from(number).to_be_bytes()),
                epoch: Epoch(epoch),
                last_second: 70,
            };
            let ticket = SessionTicket { issued_at: 60, last_second: 3_600, signature: Signature([4; 32]) };
            let (renewed, epoch) = (device(1), Epoch(1));
            let steps = [
                vec![Fact::AccountCreated { user: alice }, accepted("alice", 1, 1, None)],
                vec![Fact::AccountCreated { user: bob }, accepted("alice", 2, 2, None)],
                vec![stored(1, 1), stored(2, 2)],
                vec![Fact::SessionRenewed { user: alice, device: renewed, epoch, ticket }],
                vec![stored(3, 1), ended("alice", 1, 1), accepted("alice", 1, 3, None)],
                vec![stored(4, 3)],
            ];
            let commits = steps.into_iter().zip(1..).map(|(facts, number)| Commit { number: Change(number), facts });
            let mut store = FileStore::new(&directory.0);
            let mut expected = store.open().await.unwrap();
            for batch in commits.collect::<Vec<_>>().chunks(batch_size) {
                batch.iter().for_each(|commit| expected.apply(commit));
                store.commit(batch.to_vec()).await.unwrap();
            }
            expected.count_start();
            assert_eq!(store.open().await.unwrap(), expected);
            let until = expected.users[&alice].sent.iter().map(|sent| sent.last_second);
            assert_eq!(until.collect::<Vec<_>>(), [3_600, 70, 3_600, 70]);
        });
    }
}

/// A database of the first version has no messages, and is taken over.
#[test]
fn the_first_schema_is_taken_over() {
    run(async {
        let directory = Directory::new();
        let mut store = FileStore::new(&directory.0);
        let mut expected = store.open().await.unwrap();
        let created = Commit { number: Change(1), facts: vec![Fact::AccountCreated { user: user("alice") }] };
        expected.apply(&created);
        store.commit(vec![created]).await.unwrap();
        drop(store);
        {
            let database = Database::create(directory.0.join("gatecrash.redb")).unwrap();
            let writing = database.begin_write().unwrap();
            let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
            writing.open_table(numbers).unwrap().insert("schema", 1).unwrap();
            for table in ["sent", "queues", "owed", "away"] {
                let table = writing.list_tables().unwrap().find(|one| one.name() == table).unwrap();
                writing.delete_table(table).unwrap();
            }
            writing.commit().unwrap();
        }
        expected.count_start();
        let mut store = FileStore::new(&directory.0);
        assert_eq!(store.open().await.unwrap(), expected);
        expected.count_start();
        assert_eq!(store.open().await.unwrap(), expected, "it is of this version now");
    });
}

/// Version 1 kept every device that was last a user's beside the account, and version 2 by itself; neither wrote down
/// when its last ticket ran out. They are found there, and written as this version does from then on.
#[test]
fn devices_of_earlier_schemas_are_taken_over() {
    for schema in [1, 2] {
        run(async {
            let directory = Directory::new();
            let alice = user("alice");
            let mut store = FileStore::new(&directory.0);
            let mut expected = store.open().await.unwrap();
            let facts = vec![Fact::AccountCreated { user: alice }, accepted("alice", 1, 1, None), ended("alice", 1, 1)];
            let commit = Commit { number: Change(1), facts };
            expected.apply(&commit);
            expected.devices.get_mut(&device(1)).unwrap().last_second = None;
            store.commit(vec![commit]).await.unwrap();
            drop(store);
            {
                let database = Database::create(directory.0.join("gatecrash.redb")).unwrap();
                as_of_schema(&database, schema);
            }
            expected.count_start();
            let mut store = FileStore::new(&directory.0);
            assert_eq!(store.open().await.unwrap(), expected);
            let again = Commit { number: Change(2), facts: vec![accepted("alice", 1, 2, None)] };
            let over = Commit { number: Change(3), facts: vec![ended("alice", 1, 2)] };
            [&again, &over].into_iter().for_each(|commit| expected.apply(commit));
            store.commit(vec![again, over]).await.unwrap();
            expected.count_start();
            assert_eq!(store.open().await.unwrap(), expected);
            assert_eq!(expected.devices[&device(1)].last_second, Some(70));
        });
    }
}

/// Puts the only device without a session where that version had it.
fn as_of_schema(database: &Database, schema: u64) {
    let writing = database.begin_write().unwrap();
    {
        let users: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
        let away: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("away");
        let devices: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("devices");
        let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
        let row = writing.open_table(away).unwrap().remove([1; 16]).unwrap().unwrap().value().to_vec();
        // It ends with the last second, of which there is one.
        let (record, [1, 70]) = row.split_at(row.len() - 2) else { panic!("the last second of its ticket is 70") };
        if schema == 1 {
            let mut users = writing.open_table(users).unwrap();
            let row = users.get("alice").unwrap().unwrap().value().to_vec();
            // It ends with the list of its devices, of which there was none.
            let (without, [0]) = row.split_at(row.len() - 1) else { panic!("no device stands in the row") };
            users.insert("alice", &*[without, &[1_u8][..], &[1; 16], record].concat()).unwrap();
        } else {
            writing.open_table(devices).unwrap().insert([1; 16], record).unwrap();
        }
        writing.open_table(numbers).unwrap().insert("schema", schema).unwrap();
    }
    writing.delete_table(TableDefinition::<'_, [u8; 16], &[u8]>::new("away")).unwrap();
    writing.commit().unwrap();
}

/// A login costs the same for a user who has had ten thousand devices: what is written for it is no more.
#[test]
fn a_login_writes_no_more_for_a_user_of_many_devices() {
    let row_after = |devices: u16| {
        let directory = Directory::new();
        run(async {
            let mut store = FileStore::new(&directory.0);
            store.open().await.unwrap();
            let (alice, mut epoch) = (user("alice"), 0);
            let mut facts = vec![Fact::AccountCreated { user: alice }];
            for number in 0..devices {
                let device = DeviceId::from_bytes(u128::from(number).to_be_bytes());
                epoch += 1;
                let Fact::SessionAccepted { platform, attempt, ticket, .. } = accepted("alice", 0, 1, None) else {
                    unreachable!("that is what it is")
                };
                let (epoch, reason) = (Epoch(epoch), EndReason::Logout);
                let keeper_before = None;
                facts.push(Fact::SessionAccepted {
                    user: alice,
                    device,
                    platform,
                    epoch,
                    attempt,
                    ticket,
                    keeper_before,
                });
                facts.push(Fact::SessionEnded { user: alice, device, epoch, reason, by: None });
            }
            facts.push(accepted("alice", 255, epoch + 1, None));
            store.commit(vec![Commit { number: Change(1), facts }]).await.unwrap();
        });
        let database = Database::create(directory.0.join("gatecrash.redb")).unwrap();
        let rows = dump(&database);
        assert_eq!(rows.lines().filter(|line| line.starts_with("away")).count(), usize::from(devices));
        rows.lines().find(|line| line.starts_with("users alice")).unwrap().len()
    };
    let (few, many) = (row_after(1), row_after(10_000));
    assert!(many <= few + 8, "{many} digits where {few} do for one device: a number may be longer, and nothing else");
}

/// DUR-3: what an earlier server gave and lost is below what the next one gives.
#[test]
fn epochs_of_each_start_are_above_those_of_the_one_before() {
    let mut records = Records::default();
    records.count_start();
    assert_eq!(records.epoch_floor(), Epoch(0));
    records.apply(&Commit { number: Change(1), facts: vec![Fact::AccountCreated { user: user("alice") }] });
    records.count_start();
    assert_eq!(records.epoch_floor(), Epoch(1_000_000));
    // Whoever logs in more than a million times between two starts gets ahead of the others.
    records.users.get_mut(&user("alice")).unwrap().last_epoch = Epoch(3_950_000);
    records.count_start();
    assert_eq!(records.epoch_floor(), Epoch(5_000_000), "a hundred thousand lost ones might have reached 4,050,000");
}

/// A second server on the same directory would undo what the first one answers.
#[test]
fn a_database_in_use_is_refused() {
    run(async {
        let directory = Directory::new();
        let mut store = FileStore::new(&directory.0);
        store.open().await.unwrap();
        let error = FileStore::new(&directory.0).open().await.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
        assert!(error.to_string().ends_with("gatecrash.redb is in use by another process"), "{error}");
        drop(store);
        FileStore::new(&directory.0).open().await.unwrap();
    });
}

#[test]
fn a_later_schema_and_another_file_are_refused() {
    run(async {
        let directory = Directory::new();
        let path = directory.0.join("gatecrash.redb");
        FileStore::new(&directory.0).open().await.unwrap();
        {
            let database = Database::create(&path).unwrap();
            let writing = database.begin_write().unwrap();
            let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
            writing.open_table(numbers).unwrap().insert("schema", SCHEMA_VERSION + 1).unwrap();
            writing.commit().unwrap();
        }
        let before = dump(&Database::create(&path).unwrap());
        let error = FileStore::new(&directory.0).open().await.unwrap_err();
        let said = "gatecrash.redb has schema version 4; this program knows versions up to 3";
        assert!(error.to_string().ends_with(said) && !error.may_pass(), "{error}");
        assert_eq!(dump(&Database::create(&path).unwrap()), before, "what is refused is not changed");

        std::fs::write(&path, "these are my holiday notes, and no database").unwrap();
        let error = FileStore::new(&directory.0).open().await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"these are my holiday notes, and no database");

        let error = FileStore::new("/dev/null/records").open().await.unwrap_err();
        assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    });
}

/// A power loss while the file is being made leaves one that holds nothing: it is made again.
#[test]
fn a_file_left_unfinished_is_made_again() {
    run(async {
        let directory = Directory::new();
        std::fs::create_dir_all(&directory.0).unwrap();
        std::fs::write(directory.0.join("gatecrash.redb"), [0; 40_000]).unwrap();
        assert_eq!(FileStore::new(&directory.0).open().await.unwrap().starts, 1);
    });
    assert!(!Tables::is_unfinished(b""));
    assert!(!Tables::is_unfinished(b"redb and so on"));
}

const ROWS: &str = "\
users alice 020103030303030303030303030303030303020101020a460303030303030303030303030303030303030303\
030303030303030303030303000180b48913000001db99010100010303030303030303030303030303030305616c69636501\
020105616c69636500
users bob 040101010101010101010101010101010101020101020a46030303030303030303030303030303030303030303\
0303030303030303030303000001320109090909090909090909090909090909090909090909090909090909090909095a02\
db9901dc99010002010101010101010101010101010101010103626f6201020103626f6200
away 02020202020202020202020202020202 03626f62010400000146
conversations alice bob 03626f620205616761696e
conversations bob alice 05616c6963650205616761696e
sent alice 1 0100000000000000000000000000000001013c
sent alice 2 0200000000000000000000000000000002013c
days 19675 2
days 19676 1
numbers change 16
numbers message 2
numbers schema 3
numbers starts 1
";

/// What is written down is a promise to later versions: whoever changes it changes [`SCHEMA_VERSION`] too,
/// and teaches the program to read the old one.
#[test]
fn the_form_of_a_row_is_fixed() {
    let directory = Directory::new();
    run(async {
        let mut store = FileStore::new(&directory.0);
        store.open().await.unwrap();
        store.commit(history()).await.unwrap();
    });
    let database = Database::create(directory.0.join("gatecrash.redb")).unwrap();
    assert_eq!(dump(&database), ROWS);
}

/// Every entry, in hexadecimal digits.
fn dump(database: &Database) -> String {
    use redb::ReadableDatabase;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let reading = database.begin_read().unwrap();
    let mut text = String::new();
    let users: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
    for entry in reading.open_table(users).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("users {} {}\n", key.value(), hex(value.value()));
    }
    let away: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("away");
    for entry in reading.open_table(away).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("away {} {}\n", hex(&key.value()), hex(value.value()));
    }
    let conversations: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("conversations");
    for entry in reading.open_table(conversations).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("conversations {} {} {}\n", key.value().0, key.value().1, hex(value.value()));
    }
    let sent: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("sent");
    for entry in reading.open_table(sent).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("sent {} {} {}\n", key.value().0, key.value().1, hex(value.value()));
    }
    let days: TableDefinition<'_, u32, u64> = TableDefinition::new("days");
    for entry in reading.open_table(days).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("days {} {}\n", key.value(), value.value());
    }
    let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
    for entry in reading.open_table(numbers).unwrap().iter().unwrap() {
        let (key, value) = entry.unwrap();
        text += &format!("numbers {} {}\n", key.value(), value.value());
    }
    text
}
