//! The thread that owns the writing connection.

use super::open::{LedgerError, check, open_reader, open_writer};
use super::wal::Wal;
use rusqlite::{Connection, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// So many jobs wait at most. It is more than the largest settings let be under way, so that nobody ever waits for a place.
const QUEUE: usize = 1 << 15;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the ledger. Clones share the one writing thread, and whoever drops the last of them waits until it has closed the file:
/// then all is in it, and nothing in its WAL.
#[derive(Clone)]
pub struct Ledger {
    thread: Arc<Writing>,
    pub(super) path: Arc<PathBuf>,
}

struct Writing {
    /// None asks it to end.
    jobs: mpsc::SyncSender<Option<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writing {
    fn end(&self) {
        let _ended_already = self.jobs.send(None);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // a job that has the last handle does not wait for itself
        let other = thread.filter(|thread| thread.thread().id() != std::thread::current().id());
        let _ended = other.map(JoinHandle::join);
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.end();
    }
}

impl Ledger {
    /// Open the database, create or migrate it, and start the writing thread.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let (mut connection, mut wal) = (open_writer(path)?, Wal::of(path));
        let (jobs, queue) = mpsc::sync_channel::<Option<Job>>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                for job in queue.into_iter().map_while(|job| job) {
                    // a job that fails gives no answer, and is rolled back; the next one is not to wait for a thread that is gone
                    if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                        tracing::error!("the ledger could not do what it was asked for, by a defect; it goes on");
                    }
                    wal.keep_short(&connection);
                }
            })
            .expect("a thread can be started");
        let thread = Writing { jobs, thread: Mutex::new(Some(thread)) };
        Ok(Self { thread: Arc::new(thread), path: Arc::new(path.to_owned()) })
    }

    /// Closes the file once all that was asked is done, whoever has a handle still; nothing can be asked any more.
    pub fn close(&self) {
        self.thread.end();
    }

    /// Whether a ledger that exists is sound and fits this version; changes nothing.
    pub fn check(path: &Path) -> Result<(), LedgerError> {
        check(path)
    }

    /// Whether a transaction can be made durable now: it writes anew what is there.
    pub fn try_to_write(&self) -> Result<(), LedgerError> {
        self.write_blocking(|db| {
            let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            db.pragma_update(None, "user_version", version)
        })
    }

    /// A read-only connection to a ledger that exists.
    pub fn read(path: &Path) -> Result<Connection, LedgerError> {
        open_reader(path)
    }

    /// Run a closure in one transaction on the writing thread; it commits if the closure succeeds.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(act)?.await.map_err(|_| LedgerError::Closed)?.map_err(LedgerError::sqlite(&self.path))
    }

    /// The same for threads that may block.
    pub(super) fn write_blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(act)?.blocking_recv().map_err(|_| LedgerError::Closed)?.map_err(LedgerError::sqlite(&self.path))
    }

    fn send<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<rusqlite::Result<T>>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The one who asked may have gone; the work is done all the same.
            let _ = reply.send(in_transaction(connection, act));
        });
        self.thread.jobs.send(Some(job)).map_err(|_| LedgerError::Closed)?;
        Ok(answer)
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    act: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = act(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
