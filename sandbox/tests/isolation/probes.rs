//! What a hostile or careless command does. Runs inside the sandbox, and outside as a witness.
//!
//! A probe ends with 0 when it got through and 3 when it was refused; it prints what it saw.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::exit;
use std::ptr;
use std::time::Duration;

use crate::calls;
use crate::lifetime;
use crate::support::{GOT_THROUGH, REFUSED};

/// Plays a probe; it never comes back.
pub fn play(name: &str, argument: &str) -> ! {
    // The harness has begun a line.
    println!();
    match name {
        "read file" => attempt(fs::read(argument).map(drop)),
        "write file" => attempt(fs::write(argument, "written by the probe")),
        "connect tcp" => attempt(TcpStream::connect(argument).map(drop)),
        "connect unix" => attempt(UnixStream::connect(argument).map(drop)),
        "connect abstract" => {
            attempt(SocketAddr::from_abstract_name(argument).and_then(|at| UnixStream::connect_addr(&at)).map(drop))
        }
        "signal" => attempt(signal(argument.parse().expect("a number"), 0)),
        "loopback" => attempt(loopback()),
        "environment" => environment(),
        "processes" => processes(),
        "search for secret" => search_for_secret(argument),
        "descriptors" => descriptors(),
        "status" => print_and_exit(&fs::read_to_string("/proc/self/status").expect("a status")),
        "limits" => print_and_exit(&fs::read_to_string("/proc/self/limits").expect("limits")),
        "mounts" => print_and_exit(&fs::read_to_string("/proc/self/mountinfo").expect("mounts")),
        "namespaces" => namespaces(),
        "writable places" => writable_places(),
        "calls" => calls::print_all(),
        "kill all" => kill_all(),
        "change tree" => change_tree(),
        "list tree" => list_tree(),
        "print lines" => print_lines(),
        "exit code" => exit(argument.parse().expect("a number")),
        "end by signal" => end_by_signal(argument),
        "fork bomb" => fork_bomb(),
        "thread bomb" => thread_bomb(),
        "memory bomb" => memory_bomb(),
        "many small memories" => many_small_memories(),
        "fill file" => fill_file(argument),
        "fill deleted file" => fill_deleted_file(argument),
        "output bomb" => output_bomb(),
        "endless line" => endless_line(),
        "endless loop" => endless_loop(),
        "busy children" => busy_children(),
        "stubborn" => stubborn(),
        "daemon" => daemon(argument),
        "sleep" => sleep_after_saying_so(),
        "caller" => lifetime::call_and_wait(),
        "restricted caller" => crate::restricted::call_and_wait(),
        "probe without namespaces" => crate::restricted::probe_without_namespaces(),
        "caller with secret" => crate::inside::search_from_a_caller(),
        _ => panic!("there is no probe {name:?}"),
    }
}

fn attempt(result: std::io::Result<()>) -> ! {
    match result {
        Ok(()) => exit(GOT_THROUGH),
        Err(error) => {
            println!("refused: {error}");
            exit(REFUSED)
        }
    }
}

fn print_and_exit(text: &str) -> ! {
    println!("{text}");
    exit(GOT_THROUGH)
}

pub fn signal(pid: i32, number: i32) -> std::io::Result<()> {
    // SAFETY: takes numbers.
    if unsafe { libc::kill(pid, number) } < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// A plain fork; true in the child.
fn fork() -> Option<bool> {
    // SAFETY: the children below only make simple calls.
    match unsafe { libc::fork() } {
        0 => Some(true),
        pid if pid > 0 => Some(false),
        _ => None,
    }
}

/// The signal may go to any thread, so this one waits for it.
fn end_by_signal(number: &str) -> ! {
    let _ = signal(std::process::id().cast_signed(), number.parse().expect("a number"));
    std::thread::sleep(Duration::MAX);
    exit(GOT_THROUGH)
}

fn loopback() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"x")?;
    server.read_exact(&mut [0])?;
    TcpListener::bind("[::1]:0").map(drop)
}

fn environment() -> ! {
    let mut names: Vec<_> = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    print_and_exit(&format!("names: {}", names.join(" ")))
}

fn processes() -> ! {
    let numbers: Vec<String> = fs::read_dir("/proc")
        .expect("a /proc")
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.parse::<u32>().is_ok())
        .collect();
    print_and_exit(&format!("self: {}\nall: {}", std::process::id(), numbers.join(" ")))
}

/// Looks for a text, which is given backwards, in everything that `/proc` shows of any process.
fn search_for_secret(backwards: &str) -> ! {
    let secret: String = backwards.chars().rev().collect();
    let found = (1..=highest_pid())
        .flat_map(|pid| ["environ", "cmdline", "comm"].map(|file| format!("/proc/{pid}/{file}")))
        .filter(|path| fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(&secret)))
        .collect::<Vec<_>>();
    let memory = fs::File::open("/proc/1/mem").is_ok() || fs::read("/proc/1/maps").is_ok_and(|maps| !maps.is_empty());
    println!("found: {found:?}, memory of the first process: {memory}");
    exit(if found.is_empty() { REFUSED } else { GOT_THROUGH })
}

/// The highest number that a process was given lately.
fn highest_pid() -> u32 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_ascii_whitespace().next_back().and_then(|pid| pid.parse().ok()).unwrap_or(4096).max(64)
}

fn namespaces() -> ! {
    for entry in fs::read_dir("/proc/self/ns").expect("namespaces").flatten() {
        println!("{}", fs::read_link(entry.path()).expect("a namespace").display());
    }
    print_and_exit(&format!("host name: {}", fs::read_to_string("/proc/sys/kernel/hostname").expect("a name")))
}

fn descriptors() -> ! {
    // SAFETY: takes numbers.
    let open = (3..4096).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0);
    print_and_exit(&format!("open: {:?}", open.collect::<Vec<i32>>()))
}

/// Tries to make a file in, and to change the mode of, everything at hand.
fn writable_places() -> ! {
    let folders =
        ["/", "/bin", "/dev", "/etc", "/home", "/lib", "/probe", "/proc", "/proc/self", "/proc/sys/kernel", "/usr"];
    let scratch = ["/tmp", "/home/kaizen", "/dev/shm", "/repo"];
    for folder in folders.into_iter().chain(scratch) {
        if fs::write(format!("{folder}/kaizen-written"), "x").is_ok() {
            println!("can write in {folder}");
        }
    }
    let files = [
        "/etc/passwd",
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/self/oom_score_adj",
        "/probe/program",
    ];
    for file in files {
        if fs::OpenOptions::new().write(true).open(file).is_ok() {
            println!("can write {file}");
        }
    }
    for file in ["/dev/null", "/dev/stdin", "/proc/self/fd/0", "/usr", "/probe/program", "/etc/passwd"] {
        if fs::metadata(file).is_ok_and(|status| fs::set_permissions(file, status.permissions()).is_ok()) {
            println!("can change the mode of {file}");
        }
    }
    exit(GOT_THROUGH)
}

/// Ends everything that can be reached; init and what is outside must not be among it.
fn kill_all() -> ! {
    let _ = signal(1, libc::SIGKILL);
    let _ = signal(-1, libc::SIGKILL);
    // SAFETY: takes nothing.
    let _ = signal(unsafe { libc::getppid() }, libc::SIGSTOP);
    print_and_exit("still here")
}

fn change_tree() -> ! {
    fs::write("/repo/new", "new").expect("a new file");
    fs::write("/repo/kept", "changed").expect("a changed file");
    fs::remove_file("/repo/gone").expect("a removed file");
    fs::rename("/repo/folder/a", "/repo/folder/b").expect("a renamed file");
    fs::remove_dir_all("/repo/other").expect("a removed folder");
    fs::create_dir("/repo/other").expect("a folder in its place");
    let mut mode = fs::metadata("/repo/mode").expect("a status").permissions();
    mode.set_readonly(true);
    fs::set_permissions("/repo/mode", mode).expect("a changed mode");
    list_tree()
}

fn list_tree() -> ! {
    let mut names: Vec<_> = fs::read_dir("/repo").expect("a tree").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = std::path::Path::new("/repo").join(&name);
        let content = fs::read_to_string(&path).unwrap_or_else(|_| "-".to_owned());
        println!("{}: {content}", name.display());
    }
    exit(GOT_THROUGH)
}

fn print_lines() -> ! {
    for number in 0..3 {
        println!("out {number}");
        eprintln!("err {number}");
    }
    let mut out = std::io::stdout();
    out.write_all(b"\xff\xfe no text\nno line end").and_then(|()| out.flush()).expect("written");
    exit(GOT_THROUGH)
}

/// Doubles the number of processes until it is told not to. It stops by itself where it would begin to hurt.
fn fork_bomb() -> ! {
    for _ in 0..10 {
        let _ = fork();
    }
    loop {
        std::thread::sleep(Duration::MAX);
    }
}

fn thread_bomb() -> ! {
    for _ in 0..1000 {
        let _ = std::thread::Builder::new().stack_size(16 << 10).spawn(|| std::thread::sleep(Duration::MAX));
    }
    std::thread::sleep(Duration::MAX);
    exit(GOT_THROUGH)
}

fn memory_bomb() -> ! {
    let mut hoard = Vec::new();
    // It stops by itself where it would begin to hurt.
    for _ in 0..500 {
        hoard.push(vec![1u8; 4 << 20]);
        // Slow enough for the watch to see it before the kernel's own limit is reached.
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::MAX);
    exit(hoard.len() as i32)
}

/// Each process stays far below the limit; all together do not.
fn many_small_memories() -> ! {
    for _ in 0..32 {
        if fork() == Some(true) {
            let hoard = vec![1u8; 8 << 20];
            std::thread::sleep(Duration::MAX);
            drop(hoard);
        }
    }
    std::thread::sleep(Duration::MAX);
    exit(GOT_THROUGH)
}

fn fill_file(path: &str) -> ! {
    let mut file = fs::File::create(path).expect("a new file");
    let block = vec![1u8; 1 << 20];
    for _ in 0..4096 {
        if let Err(error) = file.write_all(&block) {
            println!("refused: {error}");
            exit(REFUSED);
        }
    }
    exit(GOT_THROUGH)
}

/// Takes up room that no folder shows, and keeps it.
fn fill_deleted_file(path: &str) -> ! {
    let mut file = fs::File::create(path).expect("a new file");
    fs::remove_file(path).expect("removed");
    let block = vec![1u8; 1 << 20];
    for _ in 0..512 {
        file.write_all(&block).and_then(|()| file.sync_data()).expect("written");
    }
    std::thread::sleep(Duration::MAX);
    exit(GOT_THROUGH)
}

fn output_bomb() -> ! {
    loop {
        let _ = std::io::stdout().write_all(&b"line\n".repeat(1000));
    }
}

fn endless_line() -> ! {
    let _ = std::io::stdout().write_all(&vec![b'x'; 1 << 20]);
    print_and_exit("\nafter")
}

fn endless_loop() -> ! {
    println!("up");
    loop {
        std::hint::spin_loop();
    }
}

/// Each child stays below the limit on processor time of one process.
fn busy_children() -> ! {
    loop {
        if fork() == Some(true) {
            let begun = std::time::Instant::now();
            while begun.elapsed() < Duration::from_millis(200) {
                std::hint::spin_loop();
            }
            exit(0);
        }
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(-1, ptr::null_mut(), 0) };
    }
}

fn stubborn() -> ! {
    for number in 1..=64 {
        // SAFETY: ignoring is always valid.
        unsafe { libc::signal(number, libc::SIG_IGN) };
    }
    endless_loop()
}

/// Leaves session, parent and output behind, as a daemon does. The probe itself ends as soon as it is up; with an
/// argument, it stays.
fn daemon(stay: &str) -> ! {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    unsafe { libc::pipe(ends.as_mut_ptr()) };
    if fork() == Some(true) {
        // SAFETY: takes nothing.
        unsafe { libc::setsid() };
        if fork() == Some(true) {
            // SAFETY: takes numbers and a byte.
            unsafe {
                libc::write(ends[1], b"x".as_ptr().cast(), 1);
                for fd in 0..64 {
                    libc::close(fd);
                }
            }
            loop {
                std::thread::sleep(Duration::MAX);
            }
        }
        exit(0);
    }
    // SAFETY: room for one byte.
    unsafe { libc::read(ends[0], [0u8].as_mut_ptr().cast(), 1) };
    println!("up");
    if stay.is_empty() {
        exit(GOT_THROUGH);
    }
    let _ = fs::read_to_string("/dev/stdin");
    std::thread::sleep(Duration::from_millis(stay.parse().expect("a number")));
    exit(GOT_THROUGH)
}

fn sleep_after_saying_so() -> ! {
    println!("up");
    std::thread::sleep(Duration::MAX);
    exit(GOT_THROUGH)
}
