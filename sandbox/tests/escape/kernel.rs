//! The kernel's own doors: mounts, namespaces, keys, devices, the clock, and what only widens its attack surface.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::ptr;

use crate::own::{argument, c_path, call, check, fork, parent, place, refused};
use crate::scene::Scene;
use crate::support::{is_root, program};
use crate::table::{Act, Probe, Shown, Witness};

/// Acts that say themselves whether the kernel let them pass.
const ALONE: [(&str, Witness, Act); 23] = [
    ("mount a file system", Witness::Namespaces, mount),
    ("mount a folder elsewhere", Witness::Namespaces, mount_folder),
    ("mount by the newer calls", Witness::Namespaces, |_| {
        call(libc::SYS_fsopen, [c"tmpfs".as_ptr() as i64, 0, 0, 0, 0]).map(drop)
    }),
    ("take a copy of a mount", Witness::Namespaces, |_| {
        call(libc::SYS_open_tree, [libc::AT_FDCWD.into(), c"/".as_ptr() as i64, COPY_ALL, 0, 0]).map(drop)
    }),
    ("change the root", Witness::Namespaces, chroot),
    ("make namespaces", Witness::Plain, |_| {
        call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0]).map(drop)
    }),
    ("enter namespaces", Witness::Namespaces, enter_namespaces),
    ("change the host name", Witness::Namespaces, host_name),
    ("add a key to a keyring", Witness::Plain, |_| add_key(c"probe-added", b"x").map(drop)),
    ("io_uring", Witness::Plain, io_uring),
    ("userfaultfd", Witness::Plain, |_| call(libc::SYS_userfaultfd, [1, 0, 0, 0, 0]).map(drop)),
    ("bpf", Witness::Root, bpf),
    ("performance counters", Witness::Answer, counters),
    ("memory that even the kernel does not see", Witness::Answer, |_| {
        call(libc::SYS_memfd_secret, [0, 0, 0, 0, 0]).map(drop)
    }),
    ("addresses that can be foreseen", Witness::Plain, |_| {
        call(libc::SYS_personality, [libc::ADDR_NO_RANDOMIZE.into(), 0, 0, 0, 0]).map(drop)
    }),
    ("watch a whole file system", Witness::Root, |_| call(libc::SYS_fanotify_init, [0, 0, 0, 0, 0]).map(drop)),
    ("a device node", Witness::Root, device_node),
    ("the kernel's log", Witness::Root, |_| fs::File::open("/dev/kmsg").map(drop)),
    ("the kernel's log, by its call", Witness::Root, kernel_log),
    ("the clock", Witness::Root, set_clock),
    ("real-time priority", Witness::Root, real_time),
    ("say who is ended first when memory runs out", Witness::Plain, |_| fs::write("/proc/self/oom_score_adj", "900")),
    ("the kernel's settings", Witness::Root, |_| open_to_write("/proc/sys/kernel/core_pattern")),
];

/// A copy, with everything that is mounted below.
const COPY_ALL: i64 = 1 | libc::AT_RECURSIVE as i64;

pub fn probes() -> Vec<Probe> {
    let mut probes: Vec<Probe> = ALONE
        .into_iter()
        .map(|(what, witness, act)| Probe::alone(format!("kernel: {what}"), act).witness(witness))
        .collect();
    probes.extend([
        Probe::alone("kernel: dump the memory of a crash", dump_core),
        Probe::alone("kernel: hand a crash to a program of the host", hand_over),
        Probe::new("kernel: read a key of the user", key_outside, read_key),
        Probe::new("kernel: attach shared memory of the user", shared_memory, read_shared_memory),
        Probe::new("kernel: read a message queue of the user", message_queue, read_message_queue),
        Probe::new("kernel: become another by a setuid program", setuid_program, become_another).witness(Witness::Root),
    ]);
    if cfg!(target_arch = "x86_64") {
        probes.push(Probe::alone("kernel: calls of the 32-bit kind", short_call).witness(Witness::Answer));
    }
    probes
}

fn mount_at(source: &std::ffi::CStr, kind: &std::ffi::CStr, flags: libc::c_ulong) -> io::Result<()> {
    let at = c_path(place("PROBE_KEPT"));
    // SAFETY: strings that end in NUL.
    check(unsafe { libc::mount(source.as_ptr(), at.as_ptr(), kind.as_ptr(), flags, ptr::null()) }).map(drop)
}

fn mount(_: &[String]) -> io::Result<()> {
    mount_at(c"tmpfs", c"tmpfs", 0)
}

fn mount_folder(_: &[String]) -> io::Result<()> {
    mount_at(&c_path(place("PROBE_SHOWN")), c"", libc::MS_BIND)
}

fn chroot(_: &[String]) -> io::Result<()> {
    let folder = c_path(place("PROBE_KEPT"));
    // SAFETY: the path ends in NUL.
    check(unsafe { libc::chroot(folder.as_ptr()) }).map(drop)
}

/// Those of the parent, or else its own, into which it may go wherever the call itself is let pass.
fn enter_namespaces(_: &[String]) -> io::Result<()> {
    let enter = |of: String| {
        let file = fs::File::open(of)?;
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        // SAFETY: takes numbers.
        check(unsafe { libc::setns(fd, 0) }).map(drop)
    };
    enter(format!("/proc/{}/ns/mnt", parent())).or_else(|_| enter("/proc/self/ns/net".to_owned()))
}

fn host_name(_: &[String]) -> io::Result<()> {
    // SAFETY: five bytes.
    check(unsafe { libc::sethostname(c"owned".as_ptr(), 5) }).map(drop)
}

fn io_uring(_: &[String]) -> io::Result<()> {
    let mut parameters = [0u8; 256];
    call(libc::SYS_io_uring_setup, [1, parameters.as_mut_ptr() as i64, 0, 0, 0]).map(drop)
}

/// An array of one element.
fn bpf(_: &[String]) -> io::Result<()> {
    const ARRAY: u32 = 2;
    let map: [u32; 32] = std::array::from_fn(|at| [ARRAY, 4, 4, 1].get(at).copied().unwrap_or(0));
    call(libc::SYS_bpf, [0, map.as_ptr() as i64, size_of_val(&map) as i64, 0, 0]).map(drop)
}

/// A clock of this very process, without the kernel's part.
fn counters(_: &[String]) -> io::Result<()> {
    const SOFTWARE: u32 = 1;
    const NOT_THE_KERNEL: u64 = 1 << 5 | 1 << 6;
    let mut about = [0u64; 16];
    about[0] = u64::from(SOFTWARE) | (size_of_val(&about) as u64) << 32;
    about[5] = NOT_THE_KERNEL;
    call(libc::SYS_perf_event_open, [about.as_ptr() as i64, 0, -1, -1, 0]).map(drop)
}

fn device_node(_: &[String]) -> io::Result<()> {
    let path = c_path(place("PROBE_KEPT").join("node"));
    // SAFETY: the path ends in NUL. It is the node of `/dev/zero`.
    check(unsafe { libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 5)) })?;
    fs::File::open(place("PROBE_KEPT").join("node")).map(drop)
}

fn kernel_log(_: &[String]) -> io::Result<()> {
    const READ_ALL: i64 = 3;
    let mut text = vec![0u8; 4096];
    call(libc::SYS_syslog, [READ_ALL, text.as_mut_ptr() as i64, text.len() as i64, 0, 0]).map(drop)
}

/// To what it says already.
fn set_clock(_: &[String]) -> io::Result<()> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is valid for both calls.
    unsafe {
        libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now);
        check(libc::clock_settime(libc::CLOCK_REALTIME, &raw const now)).map(drop)
    }
}

fn real_time(_: &[String]) -> io::Result<()> {
    let first = libc::sched_param { sched_priority: 1 };
    // SAFETY: the structure is valid for reading.
    check(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const first) }).map(drop)
}

fn open_to_write(path: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}

/// The kernel itself says whether it has written a dump, wherever that goes on this machine.
fn dump_core(_: &[String]) -> io::Result<()> {
    // SAFETY: takes a number; an act has one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is valid for both calls.
        unsafe {
            libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
        let _ = std::env::set_current_dir(place("PROBE_KEPT"));
        std::process::abort();
    }
    let mut status = 0;
    // SAFETY: the status is valid for writing.
    check(unsafe { libc::waitpid(child, &raw mut status, 0) })?;
    if libc::WCOREDUMP(status) { Ok(()) } else { Err(refused("no dump was written")) }
}

/// With a limit of 0, and no other below a page, a dump goes to the program that the machine has for it.
fn hand_over(_: &[String]) -> io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for reading.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) }).map(drop)
}

/// The keyring of the user, which all its processes share.
const USER_KEYRING: i64 = -4;

fn add_key(name: &std::ffi::CStr, bytes: &[u8]) -> io::Result<i64> {
    let kind = c"user".as_ptr() as i64;
    let pointer = bytes.as_ptr() as i64;
    call(libc::SYS_add_key, [kind, name.as_ptr() as i64, pointer, bytes.len() as i64, USER_KEYRING])
}

/// A key that the suite takes away again when the play is over.
struct Key(i64);

impl Drop for Key {
    fn drop(&mut self) {
        const UNLINK: i64 = 9;
        let _ = call(libc::SYS_keyctl, [UNLINK, self.0, USER_KEYRING, 0, 0]);
    }
}

fn key_outside(scene: &mut Scene) -> Shown {
    let name = c_path(&scene.token);
    let key = Key(add_key(&name, scene.secret.as_bytes()).expect("a key"));
    scene.args = vec![scene.token.clone()];
    scene.keep(key);
    Shown::Secret
}

fn read_key(args: &[String]) -> io::Result<()> {
    const SEARCH: i64 = 10;
    const READ: i64 = 11;
    let name = c_path(argument(args, 0));
    let found = call(libc::SYS_keyctl, [SEARCH, USER_KEYRING, c"user".as_ptr() as i64, name.as_ptr() as i64, 0])?;
    let mut bytes = [0u8; 64];
    call(libc::SYS_keyctl, [READ, found, bytes.as_mut_ptr() as i64, bytes.len() as i64, 0])?;
    println!("{}", String::from_utf8_lossy(&bytes));
    Ok(())
}

/// A segment of System V memory, taken away again.
struct Segment(i32);

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: takes numbers.
        unsafe { libc::shmctl(self.0, libc::IPC_RMID, ptr::null_mut()) };
    }
}

fn shared_memory(scene: &mut Scene) -> Shown {
    let key = std::process::id().cast_signed() ^ 0x5a5a_0000;
    // SAFETY: takes numbers; the segment is larger than what is written to it.
    let id = unsafe {
        let id = check(libc::shmget(key, 4096, libc::IPC_CREAT | 0o600)).expect("a segment");
        let at = libc::shmat(id, ptr::null(), 0).cast::<u8>();
        ptr::copy_nonoverlapping(scene.secret.as_ptr(), at, scene.secret.len());
        libc::shmdt(at.cast());
        id
    };
    scene.args = vec![key.to_string(), id.to_string()];
    scene.keep(Segment(id));
    Shown::Secret
}

/// By its key, or by its number alone.
fn read_shared_memory(args: &[String]) -> io::Result<()> {
    // SAFETY: takes numbers.
    let id = check(unsafe { libc::shmget(crate::own::number(args, 0), 0, 0) });
    // SAFETY: takes numbers; a mapping at an address of the kernel's choice.
    let at = unsafe { libc::shmat(id.unwrap_or(crate::own::number(args, 1)), ptr::null(), libc::SHM_RDONLY) };
    if at.addr() == usize::MAX {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the segment has so many bytes.
    println!("{}", String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(at.cast::<u8>(), 64) }));
    Ok(())
}

/// A queue that has a name, taken away again.
struct Queue(std::ffi::CString);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the name ends in NUL.
        unsafe { libc::mq_unlink(self.0.as_ptr()) };
    }
}

fn message_queue(scene: &mut Scene) -> Shown {
    let name = format!("/{}", scene.token);
    let path = c_path(&name);
    // SAFETY: a name that ends in NUL; the defaults of the machine; a message of so many bytes.
    unsafe {
        let flags = libc::O_CREAT | libc::O_RDWR | libc::O_CLOEXEC;
        let queue = check(libc::mq_open(path.as_ptr(), flags, 0o600, ptr::null::<libc::mq_attr>())).expect("a queue");
        check(libc::mq_send(queue, scene.secret.as_ptr().cast(), scene.secret.len(), 0)).expect("sent");
        libc::mq_close(queue);
    }
    scene.args = vec![name];
    scene.keep(Queue(path));
    Shown::Secret
}

fn read_message_queue(args: &[String]) -> io::Result<()> {
    let mut bytes = vec![0u8; 64 << 10];
    // SAFETY: a name that ends in NUL; room for as many bytes as are said.
    unsafe {
        let queue = check(libc::mq_open(c_path(argument(args, 0)).as_ptr(), libc::O_RDONLY | libc::O_NONBLOCK))?;
        if libc::mq_receive(queue, bytes.as_mut_ptr().cast(), bytes.len(), ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    println!("{}", String::from_utf8_lossy(&bytes));
    Ok(())
}

/// A copy of this program in the tree that says who it is. Only root can give it to another.
fn setuid_program(scene: &mut Scene) -> Shown {
    let copy = scene.tree().join("setuid");
    fs::copy(program(), &copy).expect("copied");
    if is_root() {
        std::os::unix::fs::chown(&copy, Some(65534), Some(65534)).expect("given away");
    }
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o6755)).expect("a mode");
    Shown::Said
}

fn become_another(_: &[String]) -> io::Result<()> {
    let said = Command::new(place("PROBE_TREE").join("setuid")).arg("changed").output()?;
    if said.status.success() { Ok(()) } else { Err(refused("it is still the same user")) }
}

/// What the setuid program says: whether it is another than who started it.
pub fn say_who() -> ! {
    // SAFETY: these take nothing and cannot fail.
    let changed = unsafe { libc::geteuid() != libc::getuid() || libc::getegid() != libc::getgid() };
    std::process::exit(i32::from(!changed))
}

/// Asks for its own number in the way of 32-bit programs, whose calls have other numbers.
#[cfg(target_arch = "x86_64")]
fn short_call(_: &[String]) -> io::Result<()> {
    if fork()? {
        let answer: i64;
        // SAFETY: the call takes nothing and returns a number.
        unsafe {
            std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _)
        };
        std::process::exit(i32::from(answer <= 0));
    }
    let mut status = 0;
    // SAFETY: the status is valid for writing.
    check(unsafe { libc::wait(&raw mut status) })?;
    if status == 0 { Ok(()) } else { Err(refused(&format!("ended with status {status}"))) }
}

#[cfg(not(target_arch = "x86_64"))]
fn short_call(_: &[String]) -> io::Result<()> {
    fork().and_then(|_| Err(refused("no such calls")))
}
