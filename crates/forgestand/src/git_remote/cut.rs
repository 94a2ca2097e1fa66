//! A proxy in front of a server that drops a connection in the middle of what the client sends, as a network does.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// No cut is wanted.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
struct Shared {
    target: u16,
    after: AtomicU64,
    cuts: AtomicUsize,
    stopping: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

/// The proxy. It listens on 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct CutProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl CutProxy {
    /// Starts a proxy to a port of 127.0.0.1.
    ///
    /// # Panics
    /// When the loopback address cannot be listened on.
    #[must_use]
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            target,
            after: AtomicU64::new(NEVER),
            cuts: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || accept(&listener, &accepting)));
        Self { address, shared, thread }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Drops the next connection whose client sends more than this many bytes, once.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.after.store(bytes, Ordering::SeqCst);
    }

    /// How many connections were dropped.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // `accept` has no time-out of its own: a connection wakes it, and it then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.target)) else { continue };
        let copies = [client.try_clone(), server.try_clone()];
        let [Ok(from), Ok(to)] = copies else { continue };
        for stream in [client.try_clone(), server.try_clone()].into_iter().flatten() {
            shared.open.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        }
        let sending = Arc::clone(shared);
        std::thread::spawn(move || send(client, server, &sending));
        std::thread::spawn(move || {
            let (mut to, mut from) = (to, from);
            let _ = std::io::copy(&mut to, &mut from);
            let _ = from.shutdown(Shutdown::Write);
        });
    }
}

fn send(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let (mut sent, mut buffer) = (0_u64, [0_u8; 8192]);
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let bytes = buffer.get(..read).unwrap_or_default();
        let after = shared.after.load(Ordering::SeqCst);
        sent += read as u64;
        if sent > after && shared.after.compare_exchange(after, NEVER, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            let kept = read.saturating_sub((sent - after) as usize);
            let _ = server.write_all(bytes.get(..kept).unwrap_or_default());
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
            return;
        }
        if server.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}
