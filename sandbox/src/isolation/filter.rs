//! The seccomp layer: which system calls are refused, compiled to a BPF program.
//!
//! Refused are calls that build other sandboxes, look into other processes, load code into the kernel, change the
//! machine, or only widen the kernel's attack surface; and calls newer than this list. Compilers, linkers and tests
//! of ordinary crates need none of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

use super::arrangement::Arrangement;
use super::landlock;
use super::sys::{Errno, check_long};

/// The rules of each call.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The first number that this list does not know; numbers from 424 on are the same on every architecture. It also
/// shuts out the x32 calls of x86-64, whose numbers are far above and would slip past the list.
const FIRST_UNKNOWN: u32 = 470;
const OPEN_TREE_ATTR: i64 = 467;
const LSM_SET_SELF_ATTR: i64 = 460;

const FCHMODAT2: i64 = 452;

/// Answered as by a kernel that lacks them, so that programs take their older way: `clone3` and `openat2` hide their
/// flags from the filter, and System V memory, queues and semaphores would be memory that no limit counts.
const ABSENT: [i64; 5] = [libc::SYS_clone3, libc::SYS_openat2, libc::SYS_shmget, libc::SYS_msgget, libc::SYS_semget];

const REFUSED: &[i64] = &[
    // other roots, mounts and namespaces
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    OPEN_TREE_ATTR,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_perf_event_open,
    // keys
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // code and data in the kernel
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_memfd_secret,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    LSM_SET_SELF_ATTR,
    // the machine
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// Without namespaces: calls that reach beyond the job's own processes and files.
const UNBOUNDED: &[i64] = &[
    // sockets
    libc::SYS_socket,
    // modes, owners and attributes of files that are only named
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    // what others do with files
    libc::SYS_inotify_add_watch,
    // memory and queues that have names or numbers on the whole machine
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // other processes
    libc::SYS_process_mrelease,
];
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;
/// Signals to others, for kernels whose Landlock does not keep them in.
const SIGNALS: &[i64] = &[
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
];
/// Calls whose first argument is the process that is changed.
const OWN_ONLY: &[i64] =
    &[libc::SYS_sched_setaffinity, libc::SYS_sched_setparam, libc::SYS_sched_setscheduler, libc::SYS_sched_setattr];
/// Commands that set the flags of a file.
const FILE_FLAGS: [u64; 2] = [0x4008_6602, 0x401c_5820];

/// Flags of `clone` that make namespaces.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Commands that type into a terminal, script the console, or change a terminal's line discipline.
const TERMINAL_COMMANDS: [u64; 3] = [0x5412, 0x541C, 0x5423];
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Calls that give a file its mode, the argument that says which, and for those that open files the argument with the
/// flags: without the flag that makes a file the mode means nothing.
const MODES: &[(i64, u8, Option<u8>)] = &[
    (libc::SYS_fchmod, 1, None),
    (libc::SYS_fchmodat, 2, None),
    (FCHMODAT2, 2, None),
    (libc::SYS_mknodat, 2, None),
    (libc::SYS_openat, 3, Some(2)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 2, Some(1)),
];
/// A program with one of these bits runs as its owner or group. Inside nobody honours them, but a file in a folder of
/// the host stays, and would give others there the rights of whoever runs Kaizen.
const BORROWED_RIGHTS: [libc::mode_t; 2] = [libc::S_ISUID, libc::S_ISGID];
/// `O_CREAT`, and what `O_TMPFILE` is without `O_DIRECTORY`.
const MAKES_A_FILE: [libc::c_int; 2] = [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY];

/// The compiled filter, ready for the child.
#[derive(Debug, Clone)]
pub(super) struct Filter(Arc<[libc::sock_filter]>);

impl Filter {
    /// The filter for this machine's architecture, compiled once for all sandboxes of an arrangement.
    pub(super) fn compiled(arrangement: Arrangement) -> Result<Self, seccompiler::Error> {
        static COMPILED: [OnceLock<Filter>; 2] = [const { OnceLock::new() }; 2];
        let [namespaces, restricted] = &COMPILED;
        let slot = if arrangement == Arrangement::Namespaces { namespaces } else { restricted };
        match slot.get() {
            Some(filter) => Ok(filter.clone()),
            None => {
                let filter = Self::compile(arrangement)?;
                Ok(slot.get_or_init(|| filter).clone())
            }
        }
    }

    fn compile(arrangement: Arrangement) -> Result<Self, seccompiler::Error> {
        let mut rules = calls_with_arguments()?;
        if arrangement == Arrangement::Restricted {
            refuse_without_namespaces(&mut rules, landlock::version() >= landlock::SCOPES_SINCE)?;
        }
        let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let machine = std::env::consts::ARCH.try_into()?;
        let refused: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine)?.try_into()?;
        let mut program = plain_calls();
        program.extend(refused);
        let plain =
            |one: seccompiler::sock_filter| libc::sock_filter { code: one.code, jt: one.jt, jf: one.jf, k: one.k };
        Ok(Self(program.into_iter().map(plain).collect()))
    }

    /// Puts the filter on the calling thread for good. Needs `no_new_privs`.
    pub(super) fn install(&self) -> Result<(), Errno> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.0.len()).map_err(|_| libc::E2BIG)?,
            filter: self.0.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel copies the program and does not write to it.
        let done = unsafe {
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0 as libc::c_uint, &raw const program)
        };
        check_long(done).map(drop)
    }
}

/// The first part: calls that are not there, and those that are refused whatever they ask for. It goes on to the next
/// instruction for all others.
///
/// One instruction a call: when a filter is installed, the kernel goes through it once for every call that there is.
fn plain_calls() -> BpfProgram {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP: u16 = 0x05;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const ERRNO: u32 = 0x0005_0000;
    let op = |code, jt, jf, k| seccompiler::sock_filter { code, jt, jf, k };
    // Behind the comparisons stand a jump over the answers, and the answers.
    let comparisons = ABSENT.len() + 1 + REFUSED.len();
    let to = |at: usize, answer: usize| u8::try_from(comparisons - at + answer).unwrap_or(u8::MAX);
    let mut program = vec![op(LOAD_NUMBER, 0, 0, 0)];
    let absent = ABSENT.iter().map(|call| (JUMP_EQUAL, *call as u32, 0));
    let unknown = std::iter::once((JUMP_AT_LEAST, FIRST_UNKNOWN, 0));
    let refused = REFUSED.iter().map(|call| (JUMP_EQUAL, *call as u32, 1));
    program.extend(
        absent
            .chain(unknown)
            .chain(refused)
            .zip(0..)
            .map(|((code, value, answer), at)| op(code, to(at, answer), 0, value)),
    );
    program.push(op(JUMP, 0, 0, 2));
    program.push(op(RETURN, 0, 0, ERRNO | libc::ENOSYS as u32));
    program.push(op(RETURN, 0, 0, ERRNO | libc::EPERM as u32));
    program
}

/// The second part: calls that are refused for what they ask, and the end of a process that calls in another
/// architecture's way.
fn calls_with_arguments() -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();

    let mut clone = Vec::new();
    for flag in NAMESPACES {
        let flag = u64::from(flag.unsigned_abs());
        clone.push(SeccompRule::new(vec![one(0, MaskedEq(flag), flag)?])?);
    }
    rules.insert(libc::SYS_clone, clone);

    let mut ioctl = Vec::new();
    for command in TERMINAL_COMMANDS {
        ioctl.push(SeccompRule::new(vec![one(1, Eq, command)?])?);
    }
    rules.insert(libc::SYS_ioctl, ioctl);

    let mut strange = Vec::new();
    for family in FAMILIES {
        strange.push(one(0, Ne, u64::from(family.unsigned_abs()))?);
    }
    let netlink = u64::from(libc::AF_NETLINK.unsigned_abs());
    let not_routes = vec![one(0, Eq, netlink)?, one(2, Ne, u64::from(libc::NETLINK_ROUTE.unsigned_abs()))?];
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(strange.clone())?, SeccompRule::new(not_routes)?]);
    rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(strange)?]);

    for (call, mode, flags) in MODES {
        let mut refused = Vec::new();
        for bit in BORROWED_RIGHTS.map(u64::from) {
            let borrows = one(*mode, MaskedEq(bit), bit)?;
            let Some(flags) = flags else {
                refused.push(SeccompRule::new(vec![borrows])?);
                continue;
            };
            for flag in MAKES_A_FILE.map(|flag| u64::from(flag.unsigned_abs())) {
                refused.push(SeccompRule::new(vec![borrows.clone(), one(*flags, MaskedEq(flag), flag)?])?);
            }
        }
        rules.insert(*call, refused);
    }

    // The limit on core dumps stays what it is: a lower one would let them pass again where they go to a program.
    let core = |argument| one(argument, Eq, u64::from(libc::RLIMIT_CORE));
    let changes = SeccompCondition::new(2, Qword, Ne, 0)?;
    rules.insert(libc::SYS_setrlimit, vec![SeccompRule::new(vec![core(0)?])?]);
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![core(1)?, changes])?]);

    // Asking for the personality and setting the ordinary one stay allowed.
    let changes = vec![one(0, Ne, 0xffff_ffff)?, one(0, Ne, 0)?];
    rules.insert(libc::SYS_personality, vec![SeccompRule::new(changes)?]);
    Ok(rules)
}

/// What the namespaces would keep in: sockets, and what one user's processes may do to each other and to their files
/// without opening them, which Landlock does not look at. `signals_are_scoped` says that Landlock keeps signals in.
fn refuse_without_namespaces(rules: &mut Rules, signals_are_scoped: bool) -> Result<(), seccompiler::Error> {
    let signals = if signals_are_scoped { &[][..] } else { SIGNALS };
    rules.extend(UNBOUNDED.iter().chain(signals).map(|call| (*call, Vec::new())));
    // Only their own: the first argument is a process, and 0 the caller.
    for call in OWN_ONLY {
        rules.insert(*call, vec![SeccompRule::new(vec![one(0, Ne, 0)?])?]);
    }
    for call in [libc::SYS_setpriority, libc::SYS_ioprio_set] {
        let itself = if call == libc::SYS_setpriority { 0 } else { 1 };
        rules.insert(call, vec![SeccompRule::new(vec![one(0, Ne, itself)?])?, SeccompRule::new(vec![one(1, Ne, 0)?])?]);
    }
    let sets_limits = vec![one(0, Ne, 0)?, SeccompCondition::new(2, Qword, Ne, 0)?];
    rules.entry(libc::SYS_prlimit64).or_default().push(SeccompRule::new(sets_limits)?);
    // Times by a descriptor are those of a file that was opened; by a path, those of any file of the user.
    rules.insert(libc::SYS_utimensat, vec![SeccompRule::new(vec![SeccompCondition::new(1, Qword, Ne, 0)?])?]);
    // A file that may be read must not become one that others may write to, or that runs as somebody else.
    let mut modes = Vec::new();
    for bit in [0o4000, 0o2000, 0o020, 0o002] {
        modes.push(SeccompRule::new(vec![one(1, MaskedEq(bit), bit)?])?);
    }
    rules.insert(libc::SYS_fchmod, modes);
    let ioctl = rules.entry(libc::SYS_ioctl).or_default();
    for command in FILE_FLAGS {
        ioctl.push(SeccompRule::new(vec![one(1, Eq, command)?])?);
    }
    Ok(())
}

fn one(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Dword, op, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_compiles_and_is_short() {
        for arrangement in Arrangement::ALL {
            let filter = Filter::compile(arrangement).expect("compiles");
            assert!(filter.0.len() < 1024, "{} instructions", filter.0.len());
        }
    }

    #[test]
    fn every_call_jumps_to_its_answer_and_others_past_both() {
        let program = plain_calls();
        let answer = |call: u32| {
            let mut at = 1;
            loop {
                let op = &program[at];
                let taken = match op.code {
                    0x15 => op.k == call,
                    0x35 => call >= op.k,
                    0x05 => return program.get(at + 1 + op.k as usize).map(|_| u32::MAX).unwrap_or(0),
                    _ => return op.k & 0xffff,
                };
                at += 1 + usize::from(if taken { op.jt } else { op.jf });
            }
        };
        for call in ABSENT {
            assert_eq!(answer(call as u32), libc::ENOSYS as u32, "{call}");
        }
        for call in REFUSED {
            assert_eq!(answer(*call as u32), libc::EPERM as u32, "{call}");
        }
        assert_eq!(answer(FIRST_UNKNOWN), libc::ENOSYS as u32);
        assert_eq!(answer(u32::MAX), libc::ENOSYS as u32);
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_clone, libc::SYS_socket] {
            assert_eq!(answer(call as u32), 0, "{call} goes on");
        }
        assert!(program.len() < usize::from(u8::MAX), "jumps reach over it");
    }
}
