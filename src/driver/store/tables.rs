//! The server's records as tables of a database, and commits as its transactions (DUR-1).
//!
//! Knows no file and no disk: whoever opens the database does. Decides nothing: a commit's facts are
//! applied to the part of the records that they touch, by the same code as in the server's core.
//!
//! | table | key | value |
//! |---|---|---|
//! | `users` | the user | their account, with the devices that hold its sessions: one page for a login |
//! | `away` | the device | the record of one that holds no session, and the last second of its last ticket (ATT-6) |
//! | `conversations` | the user, the peer | one line of a conversation list (API-2) |
//! | `sent` | the user, the message's number | what the user called a message (API-6) |
//! | `queues` | the user, the device | where the queue of messages that a session is owed stands (API-7) |
//! | `owed` | the user, the device, the place | a message that a session is owed |
//! | `days` | the day since 1970 | how many users were counted (DAU-1) |
//! | `numbers` | a word | the schema's version, how often a server was started, the last change and message |

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition,
    TableHandle, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use crate::driver::OpenError;
use crate::id::{Change, DeviceId, Epoch, MessageId, UserId};
use crate::protocol::Conversation;
use crate::store::{Commit, DeviceRecord, Fact, Owed, Places, Records, SentMessage, Session, UserRecord};

/// The version of what is in the file. A file of a later one is refused, not guessed at.
pub const SCHEMA_VERSION: u64 = 3;

/// The first version that a start makes this one of: the earlier ones know fewer tables, and of a device without a session
/// they do not know its last ticket.
const SCHEMA_FIRST: u64 = 1;

pub(super) const USERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
pub(super) const AWAY: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("away");
/// Version 2's devices without a session.
pub(super) const DEVICES: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("devices");
pub(super) const CONVERSATIONS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("conversations");
pub(super) const SENT: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("sent");
pub(super) const QUEUES: TableDefinition<'_, (&str, [u8; 16]), &[u8]> = TableDefinition::new("queues");
pub(super) const OWED: TableDefinition<'_, (&str, [u8; 16], u64), &[u8]> = TableDefinition::new("owed");
pub(super) const DAYS: TableDefinition<'_, u32, u64> = TableDefinition::new("days");
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// How long the mark of a database is that its file begins with.
const MARK_BYTES: usize = 9;

const SCHEMA: &str = "schema";
const STARTS: &str = "starts";
const CHANGE: &str = "change";
const MESSAGE: &str = "message";

/// An account, and the devices that hold its sessions. Version 1 kept every device here that was last the
/// user's.
#[derive(Deserialize)]
struct Row {
    account: UserRecord,
    devices: Vec<(DeviceId, DeviceRecord)>,
}

/// The same, to be written.
#[derive(Serialize)]
struct RowRef<'a> {
    account: &'a UserRecord,
    devices: Vec<(&'a DeviceId, &'a DeviceRecord)>,
}

/// The server's records in a database.
///
/// ```
/// use std::path::Path;
/// use gatecrash::driver::store::Tables;
/// use gatecrash::{id::Change, store::{Commit, Fact}};
/// use redb::{Database, backends::InMemoryBackend};
///
/// let create = || Database::builder().create_with_backend(InMemoryBackend::new());
/// let (tables, records) = Tables::open(Path::new("memory"), create).unwrap();
/// assert_eq!((records.users.len(), records.starts), (0, 1));
/// let created = Fact::AccountCreated { user: "alice".parse().unwrap() };
/// tables.commit(&[Commit { number: Change(1), facts: vec![created] }]).unwrap();
/// ```
#[derive(Debug)]
pub struct Tables(Database);

impl Tables {
    /// Whether a file that begins like this was left behind by a power loss while it was being made: then
    /// nothing was ever committed to it, and it is to be emptied and made again. The database's own mark
    /// of a file comes first in it, and is written last.
    pub fn is_unfinished(start: &[u8]) -> bool {
        !start.is_empty() && start.iter().take(MARK_BYTES).all(|&byte| byte == 0)
    }

    /// Reads all records and counts one more start (DUR-3). `path` is what errors call the database that
    /// `create` opens or makes.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: another program or a later version wrote it, or the disk failed.
    pub fn open(
        path: &Path,
        create: impl FnOnce() -> Result<Database, DatabaseError>,
    ) -> Result<(Self, Records), OpenError> {
        let database = create().map_err(|error| open_error(path, error))?;
        let reading = database.begin_read().map_err(|error| failed(path, error.into()))?;
        let mut records = read(&reading, path)?;
        drop(reading);
        records.count_start();
        count_start(&database, records.starts).map_err(|error| failed(path, error))?;
        Ok((Tables(database), records))
    }

    /// Puts a batch of changes on disk in one transaction.
    ///
    /// # Errors
    ///
    /// What the disk says. Whether the batch is on it is then unknown, and the database refuses further use.
    ///
    /// # Panics
    ///
    /// When the batch does not follow what was committed before: somebody else wrote.
    pub fn commit(&self, batch: &[Commit]) -> io::Result<()> {
        self.write(batch).map_err(io_error)
    }

    /// What is committed now, for as long as this is kept.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, redb::Error> {
        Ok(self.0.begin_read()?)
    }

    fn write(&self, batch: &[Commit]) -> Result<(), redb::Error> {
        let Some(first) = batch.first() else { return Ok(()) };
        let writing = self.0.begin_write()?;
        {
            let mut tables = Open::new(&writing)?;
            let mut part = Records {
                change: Change(tables.number(CHANGE)?),
                last_message: MessageId(tables.number(MESSAGE)?),
                ..Records::default()
            };
            assert_eq!(first.number, Change(part.change.0 + 1), "a batch follows the one before it");
            let facts = || batch.iter().flat_map(|commit| &commit.facts);
            let users: BTreeSet<UserId> = facts().flat_map(Fact::users).collect();
            for user in users {
                tables.fetch_user(user, &mut part)?;
            }
            for device in facts().filter_map(Fact::device) {
                tables.fetch_device(device, &mut part)?;
            }
            // What an end changes of messages that were sent long ago, on whichever ticket (API-6).
            for user in facts().filter_map(|fact| match fact {
                Fact::SessionEnded { user, .. } => Some(*user),
                _ => None,
            }) {
                tables.fetch_sent(user, &mut part)?;
            }
            let sent_before = sent(&part);
            let before = queues(&part);
            batch.iter().for_each(|commit| part.apply(commit));
            tables.put(&part)?;
            tables.put_sent(&part, &sent_before)?;
            tables.put_owed(&part, &before)?;
            for fact in facts() {
                match fact {
                    Fact::SentForgotten { user, through } => tables.forget_sent(*user, *through)?,
                    Fact::DeviceForgotten { device, .. } if !part.devices.contains_key(device) => {
                        tables.away.remove(*device.as_bytes())?;
                    }
                    _ => {}
                }
            }
        }
        Ok(writing.commit()?)
    }
}

/// The tables of one transaction.
struct Open<'a> {
    users: Table<'a, &'static str, &'static [u8]>,
    away: Table<'a, [u8; 16], &'static [u8]>,
    conversations: Table<'a, (&'static str, &'static str), &'static [u8]>,
    sent: Table<'a, (&'static str, u64), &'static [u8]>,
    queues: Table<'a, (&'static str, [u8; 16]), &'static [u8]>,
    owed: Table<'a, (&'static str, [u8; 16], u64), &'static [u8]>,
    days: Table<'a, u32, u64>,
    numbers: Table<'a, &'static str, u64>,
}

impl<'a> Open<'a> {
    fn new(writing: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Open {
            users: writing.open_table(USERS)?,
            away: writing.open_table(AWAY)?,
            conversations: writing.open_table(CONVERSATIONS)?,
            sent: writing.open_table(SENT)?,
            queues: writing.open_table(QUEUES)?,
            owed: writing.open_table(OWED)?,
            days: writing.open_table(DAYS)?,
            numbers: writing.open_table(NUMBERS)?,
        })
    }

    fn number(&self, name: &str) -> Result<u64, redb::Error> {
        Ok(self.numbers.get(name)?.map_or(0, |number| number.value()))
    }

    fn fetch_user(&self, user: UserId, part: &mut Records) -> Result<(), redb::Error> {
        if let Some(row) = self.users.get(user.as_str())? {
            let Row { mut account, devices } = decode(row.value()).map_err(corrupted)?;
            for (device, session) in account.sessions.iter_mut() {
                if let Some(places) = self.queues.get((user.as_str(), *device.as_bytes()))? {
                    session.owed = Owed::at(decode(places.value()).map_err(corrupted)?);
                }
            }
            part.users.insert(user, account);
            part.devices.extend(devices);
        }
        Ok(())
    }

    fn fetch_device(&self, device: DeviceId, part: &mut Records) -> Result<(), redb::Error> {
        if !part.devices.contains_key(&device)
            && let Some(record) = self.away.get(*device.as_bytes())?
        {
            part.devices.insert(device, decode_away(record.value()).map_err(corrupted)?);
        }
        Ok(())
    }

    /// Writes what sessions are owed, where it is another than before.
    fn put_owed(&mut self, part: &Records, before: &Queues) -> Result<(), redb::Error> {
        let after = queues(part);
        for (&(user, device, epoch), places) in before {
            let (name, bytes) = (user.as_str(), *device.as_bytes());
            let gone = after.get(&(user, device, epoch)).map_or(places.last, |after| after.gone);
            if gone > places.gone {
                self.owed.retain_in((name, bytes, places.gone + 1)..=(name, bytes, gone), |_, _| false)?;
            }
            if places.last > 0 && !after.contains_key(&(user, device, epoch)) {
                self.queues.remove((name, bytes))?;
            }
        }
        for (key @ &(user, device, _), places) in &after {
            let last = before.get(key).map_or(0, |before| before.last);
            if before.get(key).copied().unwrap_or_default() == *places {
                continue;
            }
            let (name, bytes) = (user.as_str(), *device.as_bytes());
            self.queues.insert((name, bytes), &*encode(places))?;
            for (place, message) in part.users[&user].sessions[&device].owed.iter().filter(|(place, _)| *place > last) {
                self.owed.insert((name, bytes, place), &*encode(&**message))?;
            }
        }
        Ok(())
    }

    /// Reads what the user called their messages, once.
    fn fetch_sent(&self, user: UserId, part: &mut Records) -> Result<(), redb::Error> {
        let Some(account) = part.users.get_mut(&user).filter(|account| account.sent.is_empty()) else { return Ok(()) };
        for entry in self.sent.range((user.as_str(), 0)..=(user.as_str(), u64::MAX))? {
            account.sent.push(decode(entry?.1.value()).map_err(corrupted)?);
        }
        Ok(())
    }

    /// Writes what users called their messages, where it is another than before.
    fn put_sent(&mut self, part: &Records, before: &SentRows) -> Result<(), redb::Error> {
        for (key @ (user, number), message) in &sent(part) {
            if before.get(key) != Some(message) {
                self.sent.insert((user.as_str(), number.0), &*encode(message))?;
            }
        }
        Ok(())
    }

    fn forget_sent(&mut self, user: UserId, through: MessageId) -> Result<(), redb::Error> {
        let user = user.as_str();
        self.sent.retain_in((user, 0)..=(user, through.0), |_, _| false)?;
        Ok(())
    }

    /// Writes this part of the records, the conversations that were added to it among them.
    fn put(&mut self, part: &Records) -> Result<(), redb::Error> {
        let mut kept: BTreeMap<UserId, Vec<_>> = BTreeMap::new();
        for (device, record) in &part.devices {
            let bytes = *device.as_bytes();
            if record.user.is_some() {
                kept.entry(record.keeper).or_default().push((device, record));
                self.away.remove(bytes)?;
            } else {
                self.away.insert(bytes, &*encode(&(record, record.last_second)))?;
            }
        }
        for (user, account) in &part.users {
            let row = RowRef { account, devices: kept.remove(user).unwrap_or_default() };
            self.users.insert(user.as_str(), &*encode(&row))?;
            for (peer, conversation) in &account.conversations {
                self.conversations.insert((user.as_str(), peer.as_str()), &*encode(conversation))?;
            }
        }
        for (day, count) in &part.days {
            self.days.insert(day, count)?;
        }
        self.numbers.insert(CHANGE, part.change.0)?;
        self.numbers.insert(MESSAGE, part.last_message.0)?;
        Ok(())
    }
}

/// What users called the messages they sent.
type SentRows = BTreeMap<(UserId, MessageId), SentMessage>;

fn sent(part: &Records) -> SentRows {
    let of_users = part.users.iter().flat_map(|(&user, account)| account.sent.iter().map(move |sent| (user, *sent)));
    of_users.map(|(user, sent)| ((user, sent.number), sent)).collect()
}

/// Where the queue of each session stands. A session of another epoch is another one.
type Queues = BTreeMap<(UserId, DeviceId, Epoch), Places>;

fn queues(part: &Records) -> Queues {
    let sessions = part.users.iter().flat_map(|(&user, account)| account.sessions.iter().map(move |of| (user, of)));
    sessions.map(|(user, (&device, session))| ((user, device, session.epoch), session.owed.places())).collect()
}

/// Everything in the database; nothing from one that is new.
pub(super) fn read(reading: &ReadTransaction, path: &Path) -> Result<Records, OpenError> {
    let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), what };
    let failed = |error: redb::Error| failed(path, error);
    let is_new = reading.list_tables().map_err(|error| failed(error.into()))?.next().is_none();
    if is_new {
        return Ok(Records::default());
    }
    let numbers = reading.open_table(NUMBERS).map_err(|error| failed(error.into()))?;
    let number = |name| Ok(numbers.get(name).map_err(|error: StorageError| failed(error.into()))?.map(|n| n.value()));
    match number(SCHEMA)? {
        Some(SCHEMA_FIRST..=SCHEMA_VERSION) => {}
        Some(found) if found > SCHEMA_VERSION => {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
        }
        found => return Err(damaged(format!("its schema version is {found:?}"))),
    }
    let mut records = Records {
        change: Change(number(CHANGE)?.unwrap_or(0)),
        last_message: MessageId(number(MESSAGE)?.unwrap_or(0)),
        starts: number(STARTS)?.unwrap_or(0),
        ..Records::default()
    };
    let user_of = |key: &str| key.parse::<UserId>().map_err(|error| damaged(format!("a user called {key:?}: {error}")));
    let mut devices = Vec::new();
    let mut accounts = Vec::new();
    let users = reading.open_table(USERS).map_err(|error| failed(error.into()))?;
    for entry in users.iter().map_err(|error| failed(error.into()))? {
        let (key, value) = entry.map_err(|error| failed(error.into()))?;
        let row: Row = decode(value.value()).map_err(|error| damaged(format!("user {}: {error}", key.value())))?;
        accounts.push((user_of(key.value())?, row.account));
        devices.extend(row.devices);
    }
    for (table, record_of) in [(AWAY, decode_away as fn(&[u8]) -> _), (DEVICES, |bytes| decode(bytes))] {
        if !has_table(reading, table.name()).map_err(failed)? {
            continue;
        }
        let alone = reading.open_table(table).map_err(|error| failed(error.into()))?;
        for entry in alone.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = entry.map_err(|error| failed(error.into()))?;
            let device = DeviceId::from_bytes(key.value());
            devices.push((device, record_of(value.value()).map_err(|error| damaged(format!("a device: {error}")))?));
        }
    }
    // Maps are built much faster from what is in order.
    devices.sort_unstable_by_key(|(device, _)| *device);
    records.users = accounts.into_iter().collect();
    records.devices = devices.into_iter().collect();
    let conversations = reading.open_table(CONVERSATIONS).map_err(|error| failed(error.into()))?;
    for entry in conversations.iter().map_err(|error| failed(error.into()))? {
        let (key, value) = entry.map_err(|error| failed(error.into()))?;
        let (user, peer) = key.value();
        let conversation: Conversation =
            decode(value.value()).map_err(|error| damaged(format!("conversation of {user} and {peer}: {error}")))?;
        let account = records.users.get_mut(&user_of(user)?);
        let account = account.ok_or_else(|| damaged(format!("a conversation of {user}, who has no account")))?;
        account.conversations.insert(user_of(peer)?, conversation);
    }
    if has_table(reading, SENT.name()).map_err(failed)? {
        let sent = reading.open_table(SENT).map_err(|error| failed(error.into()))?;
        for entry in sent.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = entry.map_err(|error| failed(error.into()))?;
            let (user, number) = key.value();
            let sent =
                decode(value.value()).map_err(|error| damaged(format!("message {number} of {user}: {error}")))?;
            let account = records.users.get_mut(&user_of(user)?);
            let account = account.ok_or_else(|| damaged(format!("a message of {user}, who has no account")))?;
            account.sent.push(sent);
        }
    }
    if has_table(reading, OWED.name()).map_err(failed)? {
        let stray = |user: &str| damaged(format!("messages for {user} on a device without a session"));
        let queues = reading.open_table(QUEUES).map_err(|error| failed(error.into()))?;
        for entry in queues.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = entry.map_err(|error| failed(error.into()))?;
            let (user, device) = key.value();
            let places = decode(value.value()).map_err(|error| damaged(format!("a queue of {user}: {error}")))?;
            let session = session_of(&mut records, user_of(user)?, device).ok_or_else(|| stray(user))?;
            session.owed = Owed::at(places);
        }
        let owed = reading.open_table(OWED).map_err(|error| failed(error.into()))?;
        for entry in owed.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = entry.map_err(|error| failed(error.into()))?;
            let (user, device, place) = key.value();
            let message = decode(value.value()).map_err(|error| damaged(format!("a message for {user}: {error}")))?;
            let session = session_of(&mut records, user_of(user)?, device).ok_or_else(|| stray(user))?;
            session.owed.put_back(place, Arc::new(message));
        }
    }
    let days = reading.open_table(DAYS).map_err(|error| failed(error.into()))?;
    for entry in days.iter().map_err(|error| failed(error.into()))? {
        let (day, count) = entry.map_err(|error| failed(error.into()))?;
        records.days.insert(day.value(), count.value());
    }
    Ok(records)
}

fn session_of(records: &mut Records, user: UserId, device: [u8; 16]) -> Option<&mut Session> {
    records.users.get_mut(&user)?.sessions.get_mut(&DeviceId::from_bytes(device))
}

/// Whether the table is there: an earlier version made fewer.
pub(super) fn has_table(reading: &ReadTransaction, name: &str) -> Result<bool, redb::Error> {
    Ok(reading.list_tables()?.any(|table| table.name() == name))
}

/// Also makes the tables of a new database, and of one that an earlier version wrote.
fn count_start(database: &Database, starts: u64) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    {
        let mut tables = Open::new(&writing)?;
        for entry in writing.open_table(DEVICES)?.iter()? {
            let (device, record) = entry?;
            let record: DeviceRecord = decode(record.value()).map_err(corrupted)?;
            tables.away.insert(device.value(), &*encode(&(&record, record.last_second)))?;
        }
        writing.delete_table(DEVICES)?;
        tables.numbers.insert(SCHEMA, SCHEMA_VERSION)?;
        tables.numbers.insert(STARTS, starts)?;
    }
    Ok(writing.commit()?)
}

/// Counts so many starts more, of a database that has been started.
pub(super) fn add_starts(writing: &WriteTransaction, more: u64) -> Result<(), redb::Error> {
    let mut numbers = writing.open_table(NUMBERS)?;
    let starts = numbers.get(STARTS)?.map_or(0, |starts| starts.value());
    numbers.insert(STARTS, starts + more)?;
    Ok(())
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("records are made of what can be written down")
}

fn decode<'a, Value: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Value, postcard::Error> {
    postcard::from_bytes(bytes)
}

fn decode_away(bytes: &[u8]) -> Result<DeviceRecord, postcard::Error> {
    let (record, last_second): (DeviceRecord, _) = decode(bytes)?;
    Ok(DeviceRecord { last_second, ..record })
}

fn corrupted(error: postcard::Error) -> redb::Error {
    redb::Error::Corrupted(error.to_string())
}

/// Why a database could not be opened.
pub(super) fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::InUse { path },
        DatabaseError::Storage(error) => failed(&path, error.into()),
        other => OpenError::Damaged { path, what: other.to_string() },
    }
}

pub(super) fn failed(path: &Path, error: redb::Error) -> OpenError {
    let path = path.to_owned();
    match error {
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::ReadOnlyFilesystem => OpenError::Unusable { path, error },
            io::ErrorKind::InvalidData => OpenError::Damaged { path, what: error.to_string() },
            _ => OpenError::Failed(error),
        },
        redb::Error::PreviousIo => OpenError::Failed(io_error(error)),
        other => OpenError::Damaged { path, what: other.to_string() },
    }
}

fn io_error(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
