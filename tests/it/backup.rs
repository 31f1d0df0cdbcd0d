//! `gatecrashd backup`: a copy of the records while devices log in, from which another server goes on; a copy of a
//! database that no server has open; and what cannot be copied, with its reason.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatecrash::driver::ServerStore;
use gatecrash::driver::store::{CopyError, FileStore, SCHEMA_VERSION, STARTS_AHEAD, copy_at_rest, records_of};
use gatecrash::id::{Attempt, Change, DeviceId, Epoch};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ResumeOutcome, ServerFrame, VERSION};
use gatecrash::store::{Commit, Fact};
use redb::{Database, TableDefinition};

use crate::check_config::{command, said};
use crate::loopback::{APP, Directory, Raw, run, ticket};
use crate::serve::{Process, address_of, configured, ended, gatecrashd, stop};

fn serving() -> (Directory, Process, String) {
    let directory = configured(&format!("app_id = {APP}\nkey_files = [\"app.key\"]\nlisten = \"127.0.0.1:0\"\n"));
    let mut process = gatecrashd(&directory, &["--log", "error"]);
    let address = address_of(&mut process);
    (directory, process, address)
}

/// A device of its own for each login.
fn device(number: u32) -> DeviceId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DeviceId::from_bytes(bytes)
}

async fn hello(address: &str, number: u32) -> Raw {
    let mut raw = Raw::connect(address).await;
    raw.send(ClientFrame::Hello { version: VERSION, device: device(number), platform: Platform::Web }).await;
    raw
}

async fn login(address: &str, number: u32) -> Epoch {
    let mut raw = hello(address, number).await;
    let user = format!("user-{number}");
    raw.login_again(1, &user, ticket(&user)).await;
    let Ok(ServerFrame::LoginAnswer { outcome: Ok(admission), .. }) = raw.next().await else { panic!("{user}") };
    admission.epoch
}

async fn is_resumed(address: &str, number: u32, epoch: Epoch) -> bool {
    let mut raw = hello(address, number).await;
    let name = format!("user-{number}");
    let (attempt, user) = (Attempt { start: 1, count: 2 }, name.parse().unwrap());
    raw.send(ClientFrame::Resume { attempt, user, epoch, ticket: ticket(&name), received: 0 }).await;
    let answer = raw.next().await;
    matches!(answer, Ok(ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Resumed { .. }, .. }))
}

/// DUR-1, DUR-2, DUR-3: of what was answered before a backup began nothing is missing in it, whatever becomes of the
/// server that made it; and that one goes on.
#[test]
fn a_backup_holds_every_login_answered_before_it_began() {
    let (directory, mut process, address) = serving();
    run(async {
        let is_over = AtomicBool::new(false);
        let (is_over, shown) = (&is_over, address.as_str());
        let mut before = Vec::new();
        for number in 0..40 {
            before.push((number, login(shown, number).await));
        }
        let logging_in = async {
            let mut during = Vec::new();
            for number in 1_000.. {
                during.push((number, login(shown, number).await));
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
            during
        };
        let backing_up = async {
            let mut backup = begun(&directory, &["backup", "copy.redb"]);
            while backup.0.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            is_over.store(true, Ordering::Relaxed);
            backup
        };
        let (during, backup) = tokio::join!(logging_in, backing_up);
        let output = output_of(backup);
        assert!(output.0 == Some(0) && output.1.starts_with("copy.redb: "), "{output:?}");
        assert!(!during.is_empty(), "the server goes on meanwhile");
        assert!(login(shown, 5_000).await > Epoch(0), "and afterwards");
        let left: Vec<_> = std::fs::read_dir(&directory.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 4, "the configuration, the key, the data, the copy: {left:?}");
        assert!(!directory.0.join("gatecrash-data/backup.partial").exists());

        process.0.kill().unwrap();
        process.0.wait().unwrap();
        let restored = directory.0.join("restored");
        std::fs::create_dir(&restored).unwrap();
        std::fs::copy(directory.0.join("copy.redb"), restored.join("gatecrash.redb")).unwrap();
        let mut successor = gatecrashd(&directory, &["--data", "restored", "--log", "error"]);
        let address = address_of(&mut successor);
        for (number, epoch) in before {
            assert!(is_resumed(&address, number, epoch).await, "user-{number} was logged in before the backup began");
        }
        assert!(login(&address, 6_000).await > Epoch(STARTS_AHEAD * 1_000_000), "above all that the original gives");
        stop(&successor, "-TERM");
        assert_eq!(ended(successor), (Some(0), String::new()));
    });
}

fn begun(directory: &Directory, arguments: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrashd"));
    command.args(arguments).current_dir(&directory.0).stdout(Stdio::piped()).stderr(Stdio::piped());
    Process(command.spawn().unwrap())
}

fn output_of(process: Process) -> (Option<i32>, String, String) {
    let mut process = process;
    let mut out = String::new();
    std::io::Read::read_to_string(&mut process.0.stdout.take().unwrap(), &mut out).unwrap();
    let (code, problems) = ended(process);
    (code, out, problems)
}

/// A name that is taken is nobody's to overwrite, and a server that is asked twice answers twice.
#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_behind() {
    let (directory, process, _) = serving();
    std::fs::write(directory.0.join("taken"), "mine").unwrap();
    let output = command(&directory, &["backup", "taken"]);
    assert_eq!(said(&output), (Some(3), "", "error: taken is there already: nothing was changed\n"));
    assert_eq!(std::fs::read(directory.0.join("taken")).unwrap(), b"mine");

    let output = command(&directory, &["backup", "no/such/place"]);
    let (code, out, problems) = said(&output);
    assert_eq!((code, out), (Some(1), ""), "{problems}");
    assert!(problems.starts_with("error: no backup: no/such/.place."), "{problems}");

    for name in ["one.redb", "two.redb"] {
        let output = command(&directory, &["backup", name]);
        assert_eq!(said(&output), (Some(0), &*format!("{name}: 0 accounts, 0 sessions, up to change 0\n"), ""));
        assert_eq!(std::fs::metadata(directory.0.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // One after the other, though they ask at once.
    let at_once = ["a.redb", "b.redb", "c.redb"].map(|name| begun(&directory, &["backup", name]));
    for output in at_once.map(output_of) {
        assert!(output.0 == Some(0) && output.2.is_empty(), "{output:?}");
    }
    stop(&process, "-TERM");
    assert_eq!(ended(process), (Some(0), String::new()));
    let output = command(&directory, &["backup", "three.redb", "--data", "gatecrash-data"]);
    assert_eq!(said(&output).0, Some(0), "{:?}", said(&output));
}

/// The socket is its owner's alone, is gone when the server is, and one that nobody listens on any more is replaced.
#[test]
fn the_control_socket_comes_and_goes_with_its_server() {
    let (directory, process, _) = serving();
    let socket = directory.0.join("gatecrash-data/control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let ask = |request: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer
    };
    assert_eq!(ask(b"restore\n"), "error this server knows no such request, only `backup`\n");
    assert_eq!(ask(&[b'b'; 1_024]), "error this server knows no such request, only `backup`\n");
    stop(&process, "-TERM");
    let (code, log) = ended(process);
    assert_eq!(code, Some(0), "{log}");
    assert!(!socket.exists());

    // What a killed server leaves.
    let mut killed = gatecrashd(&directory, &[]);
    address_of(&mut killed);
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    assert!(socket.exists());
    let output = command(&directory, &["backup", "of-a-dead-one.redb"]);
    assert_eq!(said(&output).0, Some(0), "{:?}", said(&output));
    let mut next = gatecrashd(&directory, &["--log", "error"]);
    address_of(&mut next);
    let output = command(&directory, &["backup", "of-a-live-one.redb"]);
    assert_eq!(said(&output).0, Some(0), "{:?}", said(&output));
    stop(&next, "-TERM");
    assert_eq!(ended(next), (Some(0), String::new()));
}

fn write_schema(path: &Path, version: u64) {
    let database = Database::create(path).unwrap();
    let writing = database.begin_write().unwrap();
    let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
    writing.open_table(numbers).unwrap().insert("schema", version).unwrap();
    writing.commit().unwrap();
}

/// What a start would refuse is refused, for the reason that it would give, and nothing is made: no copy, no database.
#[test]
fn what_cannot_be_copied_is_told_as_a_start_would() {
    let directory = configured("");
    let data = directory.0.join("gatecrash-data");
    let path = data.join("gatecrash.redb");
    let refused = |what: &str| {
        let output = command(&directory, &["backup", "copy.redb"]);
        let (code, out, problems) = said(&output);
        assert_eq!((code, out), (Some(1), ""), "{problems}");
        assert_eq!(problems, format!("error: no backup: {what}\n"));
        let names: Vec<_> = std::fs::read_dir(&directory.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| ["app.toml", "app.key", "gatecrash-data"].map(Into::into).contains(name)));
    };
    refused("cannot use gatecrash-data/gatecrash.redb: No such file or directory (os error 2)");
    assert!(!data.exists());

    run(async { FileStore::new(&data).open().await.map(drop) }).unwrap();
    write_schema(&path, SCHEMA_VERSION + 1);
    refused("gatecrash-data/gatecrash.redb has schema version 4; this program knows versions up to 3");

    std::fs::write(&path, [0; 40_000]).unwrap();
    refused(
        "gatecrash-data/gatecrash.redb is damaged, or no database of this program: it was never finished, and holds nothing",
    );
    std::fs::write(&path, "these are my holiday notes, and no database").unwrap();
    let output = command(&directory, &["backup", "copy.redb"]);
    assert!(said(&output).2.contains("gatecrash.redb is damaged, or no database of this program"), "{output:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"these are my holiday notes, and no database");
}

/// A start trusts what the last one wrote; who relies on a copy wants to know that every page of it is what was written.
#[test]
fn a_page_that_changed_on_the_disk_is_found_before_there_is_a_copy() {
    run(async {
        let directory = configured("");
        let data = directory.0.join("gatecrash-data");
        let mut store = FileStore::new(&data);
        store.open().await.unwrap();
        store.commit(created(1)).await.unwrap();
        drop(store);
        let path = data.join("gatecrash.redb");
        let mut bytes = std::fs::read(&path).unwrap();
        let places: Vec<usize> = (0..bytes.len() - 6).filter(|&place| &bytes[place..place + 6] == b"user-1").collect();
        assert!(!places.is_empty());
        places.iter().for_each(|&place| bytes[place + 5] = b'2');
        std::fs::write(&path, bytes).unwrap();
        let output = command(&directory, &["backup", "copy.redb"]);
        let (code, out, problems) = said(&output);
        assert_eq!((code, out), (Some(1), ""), "{problems}");
        assert!(problems.contains("gatecrash.redb is damaged, or no database of this program"), "{problems}");
        assert!(!directory.0.join("copy.redb").exists());
    });
}

fn created(number: u64) -> Vec<Commit> {
    let user = format!("user-{number}").parse().unwrap();
    vec![Commit { number: Change(number), facts: vec![Fact::AccountCreated { user }] }]
}

/// A copy is of one moment: commits go on while it is made, and are not in it; it ends when its store does.
#[test]
fn a_copy_sees_one_moment_and_ends_with_its_store() {
    run(async {
        let directory = Directory::new();
        std::fs::create_dir_all(&directory.0).unwrap();
        let mut store = FileStore::new(directory.0.join("data"));
        let snapshots = store.snapshots();
        let (first, second) = (directory.0.join("first"), directory.0.join("second"));
        assert!(matches!(snapshots.copy_to(&first).await, Err(CopyError::Closed)), "it was never open");
        store.open().await.unwrap();
        let mut expected = store.open().await.unwrap();
        for number in 1..=3 {
            store.commit(created(number)).await.unwrap();
            expected.apply(&created(number)[0]);
        }
        // The copy is begun, and only then is the next commit.
        let mut copying = Box::pin(snapshots.copy_to(&first));
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(copying.as_mut().poll(context).is_pending())).await
        );
        store.commit(created(4)).await.unwrap();
        copying.await.unwrap();
        expected.starts += STARTS_AHEAD;
        assert_eq!(records_of(&first).unwrap(), expected);
        assert_eq!(records_of(&first).unwrap(), expected, "to look at it counts no start");

        snapshots.copy_to(&second).await.unwrap();
        assert_eq!(records_of(&second).unwrap().change, Change(4));
        let again = snapshots.copy_to(&second).await.unwrap_err();
        assert!(matches!(again, CopyError::Target(_)), "{again}");
        assert_eq!(records_of(&second).unwrap().change, Change(4), "what is there stays");
        let in_use = copy_at_rest(&directory.0.join("data"), &directory.0.join("third")).unwrap_err();
        assert!(in_use.to_string().ends_with("gatecrash.redb is in use by another process"), "{in_use}");
        drop(store);
        assert!(matches!(snapshots.copy_to(&directory.0.join("fourth")).await, Err(CopyError::Closed)));
    });
}

/// An upgrade: what an earlier version wrote is copied as it is, so that a backup made before an upgrade is what the earlier
/// version takes back; the database itself is of the later version after one start, which is no way back.
#[test]
fn a_backup_made_before_an_upgrade_is_the_way_back_from_it() {
    run(async {
        let directory = Directory::new();
        let (data, copy) = (directory.0.join("data"), directory.0.join("copy"));
        let mut store = FileStore::new(&data);
        store.open().await.unwrap();
        store.commit(created(1)).await.unwrap();
        drop(store);
        write_schema(&data.join("gatecrash.redb"), 2);
        copy_at_rest(&data, &copy).unwrap();
        FileStore::new(&data).open().await.unwrap();
        assert_eq!(schema_of(&data.join("gatecrash.redb")), SCHEMA_VERSION, "a start takes it over");
        assert_eq!(schema_of(&copy), 2, "a copy takes nothing over");
        assert_eq!(records_of(&copy).unwrap().users.len(), 1);
    });
}

fn schema_of(path: &Path) -> u64 {
    use redb::ReadableDatabase;
    let database = Database::open(path).unwrap();
    let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
    let reading = database.begin_read().unwrap().open_table(numbers).unwrap();
    reading.get("schema").unwrap().unwrap().value()
}
