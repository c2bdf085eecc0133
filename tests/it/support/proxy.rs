//! A proxy between an engine and PostgreSQL that makes answers get lost.
//!
//! It understands nothing of the protocol. It only looks whether what a client sent holds certain
//! bytes (those of a stored outcome, which every append has and nothing else), so that cuts can be
//! aimed at appends; and it counts what it did, so that a test can say that it happened.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};

use super::load::Dice;

/// What happens to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It goes through, and so does its answer.
    None,
    /// It reaches the server; the connection is cut before the answer comes back.
    CutAfter,
    /// It never reaches the server.
    CutBefore,
    /// Half of it reaches the server.
    CutHalf,
    /// The connection is cut at once, and the append reaches the server so much later.
    Late(Duration),
    /// It reaches the server, and its answer lacks so many bytes at the end.
    Shorten(usize),
    /// Its answer comes so much later.
    Delay(Duration),
    /// It reaches the server so much later.
    Slow(Duration),
    /// Nothing more is passed on, and nothing is cut, until the proxy is healed; then the append
    /// reaches the server.
    Stall,
}

/// Chooses what happens to the next append.
type Plan = Box<dyn FnMut(&mut Dice) -> Fault + Send>;

struct Shared {
    plan: Mutex<(Plan, Dice)>,
    /// Whether new connections are cut, and held-back bytes pass.
    refusing: watch::Sender<bool>,
    /// Whether nothing passes, in either direction, on any connection: a line that is half open.
    frozen: watch::Sender<bool>,
    healed: watch::Sender<bool>,
    /// Faults that were done.
    faults: AtomicUsize,
    cut_all: watch::Sender<u64>,
}

/// A running proxy; it ends with the test's runtime.
pub(crate) struct Proxy {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

/// The name that the server's socket has in its folder, and that clients look for.
const SOCKET: &str = ".s.PGSQL.5432";
/// What every stored outcome begins with.
const MARKS: [&[u8]; 3] = [b"{\"posted\":[", b"{\"accepted\":{\"first", b"{\"rejected\":{\"code"];

impl Proxy {
    /// A proxy to the server whose socket is in `upstream`, doing no harm yet.
    pub(crate) fn start(upstream: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let shared = Arc::new(Shared {
            plan: Mutex::new((Box::new(|_| Fault::None), Dice::new(1))),
            refusing: watch::channel(false).0,
            frozen: watch::channel(false).0,
            healed: watch::channel(false).0,
            faults: AtomicUsize::new(0),
            cut_all: watch::channel(0).0,
        });
        let upstream = upstream.join(SOCKET);
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *accepting.refusing.borrow() {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&upstream).await else { continue };
                tokio::spawn(Arc::clone(&accepting).carry(client, server));
            }
        });
        Self { folder, shared }
    }

    /// The folder that stands for the server's.
    pub(crate) fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    /// From now on, `plan` chooses what happens to each append.
    pub(crate) fn plan(&self, plan: impl FnMut(&mut Dice) -> Fault + Send + 'static) {
        self.shared.plan.lock().unwrap().0 = Box::new(plan);
    }

    /// Does no more harm, and passes on what was held back.
    pub(crate) fn heal(&self) {
        self.plan(|_| Fault::None);
        self.shared.refusing.send_replace(false);
        self.shared.frozen.send_replace(false);
        self.shared.healed.send_replace(true);
    }

    /// Cuts every connection, and new ones too until it is healed.
    pub(crate) fn refuse(&self) {
        self.shared.refusing.send_replace(true);
        self.cut();
    }

    /// Lets nothing pass any more, without cutting anything, until it is healed.
    pub(crate) fn freeze(&self) {
        self.shared.frozen.send_replace(true);
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        self.shared.cut_all.send_modify(|cuts| *cuts += 1);
    }

    /// How many appends something was done to.
    pub(crate) fn faults(&self) -> usize {
        self.shared.faults.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn carry(self: Arc<Self>, client: UnixStream, server: UnixStream) {
        let mut cut = self.cut_all.subscribe();
        tokio::select! {
            () = self.pass(client, server) => {}
            _ = cut.changed() => {}
        }
    }

    /// Passes bytes on in both directions until either side ends or a fault ends both.
    async fn pass(&self, mut client: UnixStream, mut server: UnixStream) {
        let (mut up, mut down) = (vec![0_u8; 1 << 16], vec![0_u8; 1 << 16]);
        let mut frozen = self.frozen.subscribe();
        loop {
            if frozen.wait_for(|frozen| !*frozen).await.is_err() {
                return;
            }
            tokio::select! {
                read = client.read(&mut up) => {
                    let Some(bytes) = read.ok().and_then(|n| up.get(..n)) else { return };
                    if bytes.is_empty() { return; }
                    let fault = self.choose(bytes);
                    if fault == Fault::None {
                        if server.write_all(bytes).await.is_err() { return; }
                    } else {
                        let bytes = whole_statement(bytes, &mut client).await;
                        if !self.harm(fault, &bytes, &mut client, &mut server).await { return; }
                    }
                }
                read = server.read(&mut down) => {
                    let Some(bytes) = read.ok().and_then(|n| down.get(..n)) else { return };
                    if bytes.is_empty() || client.write_all(bytes).await.is_err() { return; }
                }
            }
        }
    }

    fn choose(&self, bytes: &[u8]) -> Fault {
        let marked = MARKS.iter().any(|mark| bytes.windows(mark.len()).any(|w| w == *mark));
        if !marked {
            return Fault::None;
        }
        let mut plan = self.plan.lock().unwrap();
        let (choose, dice) = &mut *plan;
        let fault = choose(dice);
        if fault != Fault::None {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        fault
    }

    /// Does it. Says whether the connection lives on.
    async fn harm(
        &self,
        fault: Fault,
        bytes: &[u8],
        client: &mut UnixStream,
        server: &mut UnixStream,
    ) -> bool {
        match fault {
            Fault::None | Fault::CutBefore => false,
            Fault::CutAfter => {
                deliver(bytes, server).await;
                false
            }
            Fault::CutHalf => {
                deliver(&bytes[..bytes.len() / 2], server).await;
                false
            }
            Fault::Late(after) => {
                // An error means that the client has gone by itself.
                client.shutdown().await.ok();
                tokio::time::sleep(after).await;
                deliver(bytes, server).await;
                false
            }
            Fault::Shorten(by) => {
                if server.write_all(bytes).await.is_ok() {
                    let answer = whole_answer(server).await;
                    let kept = answer.get(..answer.len().saturating_sub(by)).unwrap_or_default();
                    client.write_all(kept).await.ok();
                }
                false
            }
            Fault::Delay(by) => {
                let sent = server.write_all(bytes).await.is_ok();
                tokio::time::sleep(by).await;
                sent
            }
            Fault::Slow(by) => {
                tokio::time::sleep(by).await;
                server.write_all(bytes).await.is_ok()
            }
            Fault::Stall => {
                let mut healed = self.healed.subscribe();
                // An error means that the proxy has gone: the test is over.
                healed.wait_for(|healed| *healed).await.ok();
                deliver(bytes, server).await;
                false
            }
        }
    }
}

/// Has the server take in all bytes before the connection ends: what follows the end of a half
/// sent message is the server's to clear up.
async fn deliver(bytes: &[u8], server: &mut UnixStream) {
    if server.write_all(bytes).await.is_ok() {
        server.shutdown().await.ok();
        // Its answer, to nobody; bounded, for a server that is stopped.
        let drained = async {
            let mut rest = Vec::new();
            server.read_to_end(&mut rest).await.ok();
        };
        tokio::time::timeout(Duration::from_secs(10), drained).await.ok();
    }
}

/// What the client sends until it waits for the answer.
async fn whole_statement(begun: &[u8], client: &mut UnixStream) -> Vec<u8> {
    let mut bytes = begun.to_vec();
    let mut part = vec![0_u8; 1 << 16];
    // The last message is Sync: S and a length of four.
    while !bytes.ends_with(b"S\0\0\0\x04") {
        match client.read(&mut part).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
            Ok(_) | Err(_) => break,
        }
    }
    bytes
}

/// What the server answers until it waits for more.
async fn whole_answer(server: &mut UnixStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut part = vec![0_u8; 1 << 16];
    // ReadyForQuery is six bytes: Z, a length of five, and a state.
    while !(answer.len() >= 6 && answer[answer.len() - 6..].starts_with(b"Z\0\0\0\x05")) {
        match server.read(&mut part).await {
            Ok(read) if read > 0 => answer.extend_from_slice(&part[..read]),
            Ok(_) | Err(_) => break,
        }
    }
    answer
}
