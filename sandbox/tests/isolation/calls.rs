//! System calls that a sandbox must refuse, made with arguments that do no harm where they are let pass.
//!
//! What shows the refusal is the error: inside it is always the filter's, outside it is the kernel's word about the
//! useless arguments. Calls that the kernel refuses to ordinary users with the same error have no witness.

use std::process::exit;

use kaizen_sandbox::isolation::Exit;

use crate::support::{GOT_THROUGH, inside, outside, text};

const BAD: i64 = 1;
const NONE: i64 = -1;

struct Call {
    name: &'static str,
    number: i64,
    arguments: [i64; 5],
    /// Whether the answer outside is another one for every user.
    witness: bool,
}

const fn call(name: &'static str, number: i64, arguments: [i64; 5]) -> Call {
    Call { name, number, arguments, witness: false }
}

const fn seen(name: &'static str, number: i64, arguments: [i64; 5]) -> Call {
    Call { name, number, arguments, witness: true }
}

/// Refused with EPERM.
fn refused() -> Vec<Call> {
    let new_user = libc::CLONE_NEWUSER as i64;
    vec![
        seen("mount", libc::SYS_mount, [0, 0, 0, 0, 0]),
        call("umount2", libc::SYS_umount2, [BAD, 0, 0, 0, 0]),
        call("pivot_root", libc::SYS_pivot_root, [0, 0, 0, 0, 0]),
        seen("chroot", libc::SYS_chroot, [BAD, 0, 0, 0, 0]),
        seen("unshare", libc::SYS_unshare, [0, 0, 0, 0, 0]),
        seen("setns", libc::SYS_setns, [NONE, 0, 0, 0, 0]),
        seen("clone with a namespace", libc::SYS_clone, [new_user | libc::CLONE_THREAD as i64, 0, 0, 0, 0]),
        call("fsopen", libc::SYS_fsopen, [BAD, 0, 0, 0, 0]),
        call("fsmount", libc::SYS_fsmount, [NONE, 0, 0, 0, 0]),
        call("move_mount", libc::SYS_move_mount, [NONE, BAD, NONE, BAD, 0]),
        call("mount_setattr", libc::SYS_mount_setattr, [NONE, BAD, 0, 0, 0]),
        seen("open_tree", libc::SYS_open_tree, [NONE, BAD, 0, 0, 0]),
        seen("name_to_handle_at", libc::SYS_name_to_handle_at, [NONE, BAD, BAD, BAD, 0]),
        call("open_by_handle_at", libc::SYS_open_by_handle_at, [NONE, BAD, 0, 0, 0]),
        seen("ptrace", libc::SYS_ptrace, [libc::PTRACE_PEEKDATA as i64, NONE, 0, 0, 0]),
        seen("process_vm_readv", libc::SYS_process_vm_readv, [NONE, BAD, 1, BAD, 1]),
        seen("process_vm_writev", libc::SYS_process_vm_writev, [NONE, BAD, 1, BAD, 1]),
        seen("pidfd_getfd", libc::SYS_pidfd_getfd, [NONE, 0, 0, 0, 0]),
        seen("keyctl", libc::SYS_keyctl, [0, -3, 0, 0, 0]),
        seen("add_key", libc::SYS_add_key, [0, 0, 0, 0, 0]),
        seen("request_key", libc::SYS_request_key, [0, 0, 0, 0, 0]),
        call("bpf", libc::SYS_bpf, [NONE, 0, 0, 0, 0]),
        call("userfaultfd", libc::SYS_userfaultfd, [NONE, 0, 0, 0, 0]),
        call("perf_event_open", libc::SYS_perf_event_open, [0, 0, 0, NONE, 0]),
        call("io_uring_setup", libc::SYS_io_uring_setup, [0, 0, 0, 0, 0]),
        seen("io_uring_enter", libc::SYS_io_uring_enter, [NONE, 0, 0, 0, 0]),
        call("kexec_load", libc::SYS_kexec_load, [0, NONE, BAD, NONE, 0]),
        call("init_module", libc::SYS_init_module, [0, 0, 0, 0, 0]),
        call("finit_module", libc::SYS_finit_module, [NONE, 0, 0, 0, 0]),
        call("delete_module", libc::SYS_delete_module, [BAD, 0, 0, 0, 0]),
        call("swapon", libc::SYS_swapon, [BAD, 0, 0, 0, 0]),
        call("reboot", libc::SYS_reboot, [0, 0, 0, 0, 0]),
        seen("clock_settime", libc::SYS_clock_settime, [0, BAD, 0, 0, 0]),
        call("acct", libc::SYS_acct, [BAD, 0, 0, 0, 0]),
        call("quotactl", libc::SYS_quotactl, [NONE, BAD, 0, 0, 0]),
        seen("personality", libc::SYS_personality, [libc::ADDR_NO_RANDOMIZE as i64, 0, 0, 0, 0]),
        seen("ioctl TIOCSTI", libc::SYS_ioctl, [0, libc::TIOCSTI as i64, BAD, 0, 0]),
        seen("ioctl TIOCLINUX", libc::SYS_ioctl, [0, libc::TIOCLINUX as i64, BAD, 0, 0]),
        seen("ioctl TIOCSTI with bits above", libc::SYS_ioctl, [0, libc::TIOCSTI as i64 | 1 << 40, BAD, 0, 0]),
        seen("socket AF_VSOCK", libc::SYS_socket, [libc::AF_VSOCK as i64, libc::SOCK_STREAM as i64, 0, 0, 0]),
        seen("socket AF_ALG", libc::SYS_socket, [libc::AF_ALG as i64, libc::SOCK_SEQPACKET as i64, 0, 0, 0]),
        call("socket AF_PACKET", libc::SYS_socket, [libc::AF_PACKET as i64, libc::SOCK_RAW as i64, 0, 0, 0]),
        seen("socket AF_NETLINK uevent", libc::SYS_socket, [libc::AF_NETLINK as i64, libc::SOCK_RAW as i64, 15, 0, 0]),
    ]
}

/// Answered as if the kernel had no such call.
fn absent() -> Vec<Call> {
    let key = 0x7b_5a_12;
    let mut calls = vec![
        seen("clone3", libc::SYS_clone3, [0, 0, 0, 0, 0]),
        seen("shmget", libc::SYS_shmget, [key, 0, 0, 0, 0]),
        seen("msgget", libc::SYS_msgget, [key, 0, 0, 0, 0]),
        seen("semget", libc::SYS_semget, [key, 0, 0, 0, 0]),
        call("newer than the list", 470, [NONE, 0, 0, 0, 0]),
    ];
    if cfg!(target_arch = "x86_64") {
        calls.push(call("x32 mount", 0x4000_0000 | libc::SYS_mount, [0, 0, 0, 0, 0]));
    }
    calls
}

/// Needed by ordinary programs, so they must pass.
fn allowed() -> Vec<Call> {
    vec![
        seen("personality query", libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0]),
        seen("memfd_create", libc::SYS_memfd_create, [c"x".as_ptr() as i64, 0, 0, 0, 0]),
        seen("socket AF_NETLINK route", libc::SYS_socket, [libc::AF_NETLINK as i64, libc::SOCK_RAW as i64, 0, 0, 0]),
        seen("socket AF_UNIX", libc::SYS_socket, [libc::AF_UNIX as i64, libc::SOCK_STREAM as i64, 0, 0, 0]),
    ]
}

/// The probe: makes every call and prints the error number of each, 0 for none.
pub fn print_all() -> ! {
    for call in refused().into_iter().chain(absent()).chain(allowed()) {
        let [a, b, c, d, e] = call.arguments;
        // SAFETY: the arguments point nowhere that the kernel could write to.
        let done = unsafe { libc::syscall(call.number, a, b, c, d, e) };
        let errno = if done < 0 { std::io::Error::last_os_error().raw_os_error().unwrap_or(-1) } else { 0 };
        println!("{}={errno}", call.name);
    }
    exit(GOT_THROUGH)
}

fn answer(printed: &str, name: &str) -> i32 {
    let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{name} was not tried: {printed}")).parse().expect("a number")
}

#[test]
fn calls_that_only_widen_the_attack_surface_are_refused_and_others_are_not() {
    let (code, outside) = outside("calls", "");
    assert_eq!(code, Some(GOT_THROUGH), "{outside}");
    let finished = inside("calls", "");
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH), "{}", text(&finished.stderr));
    let inside = text(&finished.stdout);

    for (calls, expected) in [(refused(), libc::EPERM), (absent(), libc::ENOSYS)] {
        for call in calls {
            assert_eq!(answer(&inside, call.name), expected, "{} inside", call.name);
            let witness = answer(&outside, call.name);
            assert!(!call.witness || witness != expected, "{} outside is refused too", call.name);
        }
    }
    for call in allowed() {
        assert_eq!(answer(&inside, call.name), 0, "{} inside", call.name);
    }
}
