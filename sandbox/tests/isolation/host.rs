//! The host from inside: files, sockets and processes of it cannot be reached, with the same probe as a witness outside.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use kaizen_sandbox::isolation::Exit;

use crate::support::{GOT_THROUGH, assert_refused_inside, inside, outside, text};

#[test]
fn a_file_of_the_host_cannot_be_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = dir.path().join("secret");
    fs::write(&secret, "secret").expect("written");
    assert_refused_inside("read file", &secret.to_string_lossy());
}

#[test]
fn a_file_in_the_home_folder_of_the_host_cannot_be_read() {
    let home = std::env::var_os("HOME").expect("tests run with a home folder");
    let secret = tempfile::Builder::new().prefix("kaizen-test-").tempfile_in(home).expect("a file");
    assert_refused_inside("read file", &secret.path().to_string_lossy());
}

#[test]
fn nothing_of_the_host_can_be_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    assert_refused_inside("write file", &file.to_string_lossy());
    assert_eq!(fs::read_to_string(&file).expect("the witness wrote it"), "written by the probe");
}

#[test]
fn only_the_tree_and_scratch_space_can_be_written() {
    let finished = inside("writable places", "");
    let printed = text(&finished.stdout);
    let places: Vec<&str> = printed.lines().filter(|line| line.starts_with("can ")).collect();
    let expected = ["/tmp", "/home/kaizen", "/dev/shm", "/repo"].map(|folder| format!("can write in {folder}"));
    assert_eq!(places, expected, "{}", text(&finished.stderr));
}

#[test]
fn every_other_mount_is_read_only_and_none_honours_setuid() {
    let finished = inside("mounts", "");
    let printed = text(&finished.stdout);
    let mounts: Vec<(&str, &str)> = printed
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(4);
            Some((words.next()?, words.next()?))
        })
        .collect();
    assert!(mounts.iter().any(|(at, _)| *at == "/proc") && mounts.len() > 10, "{printed}");
    for (at, options) in mounts {
        let has = |wanted: &str| options.split(',').any(|option| option == wanted);
        let writable = ["/tmp", "/home/kaizen", "/dev/shm", "/repo"].contains(&at);
        assert_eq!(has("rw"), writable, "{at}: {options}");
        assert!(has("nosuid"), "{at}: {options}");
        assert!(has("nodev") || at.starts_with("/dev/") || at.starts_with("/proc/"), "{at}: {options}");
    }
}

#[test]
fn a_listener_on_the_loopback_of_the_host_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    assert_refused_inside("connect tcp", &listener.local_addr().expect("an address").to_string());
}

#[test]
fn a_socket_in_a_folder_of_the_host_cannot_be_reached() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("socket");
    let _listener = UnixListener::bind(&path).expect("a socket");
    assert_refused_inside("connect unix", &path.to_string_lossy());
}

#[test]
fn an_abstract_socket_of_the_host_cannot_be_reached() {
    let name = format!("kaizen-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = UnixListener::bind_addr(&address).expect("a socket");
    assert_refused_inside("connect abstract", &name);
}

#[test]
fn a_process_of_the_host_cannot_be_signalled() {
    // Far above any number that is given out inside, where counting begins at 1.
    let mut sleeper = std::process::Command::new("sleep").arg("1000").spawn().expect("a process");
    assert_refused_inside("signal", &sleeper.id().to_string());
    sleeper.kill().expect("ended");
    sleeper.wait().expect("waited for");
}

#[test]
fn init_cannot_be_signalled_though_it_runs_as_the_same_user() {
    let finished = inside("signal", "1");
    assert_eq!(finished.exit, Exit::Code(crate::support::REFUSED), "{}", text(&finished.stdout));
}

#[test]
fn no_process_of_the_host_nor_init_is_seen() {
    let (_, seen) = outside("processes", "");
    let count = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("all: ")).expect("a list");
        line.split(' ').count()
    };
    assert!(count(&seen) > 1, "outside there is at least this test: {seen}");
    let finished = inside("processes", "");
    let printed = text(&finished.stdout);
    assert!(printed.contains("self: 2\nall: 2\n"), "{printed}");
}

#[test]
fn a_descriptor_that_is_left_open_is_not_inherited() {
    let file = tempfile::tempfile().expect("a file");
    // SAFETY: takes a number; the copy has no close-on-exec mark.
    let leaked = unsafe { libc::dup(file.as_raw_fd()) };
    assert!(leaked > 2);
    let (_, seen) = outside("descriptors", "");
    let list = seen.lines().find_map(|line| line.strip_prefix("open: ")).expect("a list");
    let numbers: Vec<i32> = list.trim_matches(['[', ']']).split(", ").filter_map(|one| one.parse().ok()).collect();
    assert!(numbers.contains(&leaked), "the witness inherits {leaked}: {seen}");

    let finished = inside("descriptors", "");
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH));
    assert!(text(&finished.stdout).contains("open: []"), "{}", text(&finished.stdout));
    // SAFETY: the descriptor is ours.
    unsafe { libc::close(leaked) };
}
