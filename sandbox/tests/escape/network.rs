//! The network: listeners of the host on every kind of socket, a name server, and the other way round.

use std::cell::Cell;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::rc::Rc;
use std::time::Duration;

use crate::own::{argument, call, number, refused, say_up};
use crate::scene::{Scene, WhenUp};
use crate::table::{Probe, Shown, Witness};

const LOOPBACK: &str = "127.0.0.1:0";

pub fn probes() -> Vec<Probe> {
    let socket = |name: &str, act, witness| Probe::alone(format!("network: {name}"), act).witness(witness);
    vec![
        Probe::new("network: TCP to a listener of the host", tcp_listener, |args| {
            TcpStream::connect_timeout(&argument(args, 0).parse().map_err(io::Error::other)?, Duration::from_secs(2))
                .map(drop)
        }),
        Probe::new("network: UDP to a socket of the host", udp_socket, |args| {
            UdpSocket::bind(LOOPBACK)?.send_to(b"secret", argument(args, 0)).map(drop)
        }),
        Probe::new("network: ask a name server of the host", udp_socket, ask_for_name),
        Probe::new("network: TCP from the host to a listener inside", free_port, listen),
        Probe::new("network: a unix socket of the host", unix_listener, |args| {
            UnixStream::connect(argument(args, 0)).map(drop)
        }),
        Probe::new("network: a datagram to a unix socket", unix_datagrams, |args| {
            UnixDatagram::unbound()?.send_to(b"secret", argument(args, 0)).map(drop)
        }),
        Probe::new("network: an abstract socket of the host", abstract_listener, |args| {
            UnixStream::connect_addr(&SocketAddr::from_abstract_name(argument(args, 0))?).map(drop)
        }),
        Probe::new("network: learn which abstract sockets there are", abstract_name, name_is_taken),
        socket("raw packets", |_| family(libc::AF_PACKET, libc::SOCK_RAW, 0), Witness::Namespaces),
        socket("raw IP", |_| family(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP), Witness::Namespaces),
        socket("events of the kernel's devices", |_| family(libc::AF_NETLINK, libc::SOCK_RAW, 15), Witness::Plain),
        socket("the hypervisor's sockets", |_| family(libc::AF_VSOCK, libc::SOCK_STREAM, 0), Witness::Answer),
        socket("the kernel's ciphers", |_| family(libc::AF_ALG, libc::SOCK_SEQPACKET, 0), Witness::Answer),
    ]
}

fn tcp_listener(scene: &mut Scene) -> Shown {
    let listener = TcpListener::bind(LOOPBACK).expect("a port");
    listener.set_nonblocking(true).expect("set");
    scene.args = vec![listener.local_addr().expect("an address").to_string()];
    Shown::Host(Box::new(move || listener.accept().is_ok()))
}

fn udp_socket(scene: &mut Scene) -> Shown {
    let socket = UdpSocket::bind(LOOPBACK).expect("a port");
    socket.set_nonblocking(true).expect("set");
    scene.args = vec![socket.local_addr().expect("an address").to_string()];
    Shown::Host(Box::new(move || socket.recv(&mut [0; 512]).is_ok_and(|count| count > 0)))
}

/// A question about a name, in which a secret would travel.
fn ask_for_name(args: &[String]) -> io::Result<()> {
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["the-secret", "example", "com"] {
        question.push(label.len() as u8);
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 1, 0, 1]);
    UdpSocket::bind(LOOPBACK)?.send_to(&question, argument(args, 0)).map(drop)
}

fn free_port(scene: &mut Scene) -> Shown {
    let port = TcpListener::bind(LOOPBACK).and_then(|listener| listener.local_addr()).expect("a port").port();
    scene.args = vec![port.to_string()];
    let reached = Rc::new(Cell::new(false));
    let mark = Rc::clone(&reached);
    scene.when_up = WhenUp::Do(Box::new(move || mark.set(TcpStream::connect(("127.0.0.1", port)).is_ok())));
    Shown::Host(Box::new(move || reached.get()))
}

fn listen(args: &[String]) -> io::Result<()> {
    let _listener = TcpListener::bind(("0.0.0.0", number::<u16>(args, 0)))?;
    say_up();
    std::thread::sleep(Duration::from_millis(300));
    Ok(())
}

fn unix_listener(scene: &mut Scene) -> Shown {
    let listener = UnixListener::bind(scene.at("home/agent.sock")).expect("a socket");
    listener.set_nonblocking(true).expect("set");
    scene.args = vec![scene.arg("home/agent.sock")];
    Shown::Host(Box::new(move || listener.accept().is_ok()))
}

fn unix_datagrams(scene: &mut Scene) -> Shown {
    let socket = UnixDatagram::bind(scene.at("home/log.sock")).expect("a socket");
    socket.set_nonblocking(true).expect("set");
    scene.args = vec![scene.arg("home/log.sock")];
    Shown::Host(Box::new(move || socket.recv(&mut [0; 16]).is_ok()))
}

fn abstract_listener(scene: &mut Scene) -> Shown {
    let name = scene.token.clone();
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("a socket");
    listener.set_nonblocking(true).expect("set");
    scene.args = vec![name];
    Shown::Host(Box::new(move || listener.accept().is_ok()))
}

/// Taken outside, so it is taken for the act only where it shares them.
fn abstract_name(scene: &mut Scene) -> Shown {
    let listener = abstract_listener(scene);
    let mut keep = Some(listener);
    scene.when_up = WhenUp::Do(Box::new(move || drop(keep.take())));
    Shown::Said
}

fn name_is_taken(args: &[String]) -> io::Result<()> {
    match UnixListener::bind_addr(&SocketAddr::from_abstract_name(argument(args, 0))?) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(refused("the name is free inside")),
    }
}

fn family(family: i32, kind: i32, protocol: i32) -> io::Result<()> {
    call(libc::SYS_socket, [family.into(), kind.into(), protocol.into(), 0, 0]).map(drop)
}
