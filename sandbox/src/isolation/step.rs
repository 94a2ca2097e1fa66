//! The steps that turn a forked child into a command in a sandbox, and how each is done.
//!
//! Steps are prepared before the fork and done after it: raw calls on ready data, without allocation, lock or panic.
//! Each belongs to a layer, so that a failure can name it.

use std::ffi::{CStr, CString};
use std::ptr;

use super::aside::Stack;
use super::blueprint::MOST_OVER_LIMIT;
use super::filter::Filter;
use super::landlock::Landlock;
use super::layer::LayerName;
use super::report::Record;
use super::sys::{
    Errno, add_mount_attributes, attach_mount, check, check_long, clone_mounts, errno, exit, life_is_over, mount,
    open_at, pivot_root, prctl, put, wait_for_end_of_life,
};
use super::walk::Place;

/// The limit on processes in a dry run, which tries to get past it.
pub(super) const PROBE_PROCESSES: u64 = 8;
/// The user and group id inside, whatever it is outside.
pub(super) const INSIDE_ID: u32 = 1000;

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub layer: LayerName,
    /// For people.
    pub what: String,
    pub action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    /// Leaves the terminal and the process group.
    NewSession,
    /// Asks the kernel for a SIGKILL when the parent ends, and checks that it has not ended yet.
    DieWithParent,
    /// Becomes the one to whom processes come back that have left their parents.
    Gather,
    /// Gives up supplementary groups, where that is allowed.
    DropGroups,
    Unshare(libc::c_int),
    /// Writes a file of the kernel's.
    Put {
        path: CString,
        bytes: Vec<u8>,
    },
    /// Whether others of the same user may look into this process.
    Dumpable(bool),
    /// Cuts the mounts off from the host's.
    PrivateMounts,
    Tmpfs {
        at: CString,
        options: CString,
    },
    Folder(Place),
    File {
        at: Place,
        bytes: Vec<u8>,
        executable: bool,
    },
    Remove(Place),
    Link {
        at: Place,
        target: CString,
    },
    Mode {
        path: CString,
        mode: libc::mode_t,
    },
    /// Shows a file or folder of the host, with everything mounted below it.
    Bind {
        from: CString,
        to: Place,
        file: bool,
        attributes: u64,
    },
    /// Shows what is shown elsewhere in the new root in another place of it as well, with the same attributes. For
    /// places where nothing of a job's can be yet.
    Again {
        from: CString,
        to: CString,
    },
    Overlay {
        at: CString,
        options: CString,
    },
    Proc {
        at: CString,
    },
    ReadOnly {
        path: CString,
    },
    /// Makes the folder `new` the root, the old one a folder of it.
    Pivot {
        new: CString,
        old: CString,
    },
    /// Makes the folder the root and lets go of the old one.
    EnterRoot(CString),
    Loopback,
    HostName(&'static [u8]),
    DropCapabilities,
    NoNewPrivileges,
    /// Reads nothing from stdin, through the root's own `/dev/null`.
    Stdin,
    WorkingDirectory(CString),
    Limits(Vec<(u32, u64)>),
    Landlock(Landlock),
    Seccomp(Filter),
    /// Finds out from within that the layer does what it should.
    Prove(LayerName),
    /// Finds out that neither the root can be listed nor a socket be made.
    ProveAlone(LayerName),
    /// Finds out whether the kernel refuses another process some time.
    ProveProcessLimit(Stack),
    /// Says that all steps are done, and waits to be ended.
    Ready,
    Exec(Command),
}

/// What to start, as `execve` takes it.
#[derive(Debug)]
pub(super) struct Command {
    program: CString,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    /// Where the pointers point.
    _strings: Vec<CString>,
}

// SAFETY: the pointers point into strings that the value owns and never changes.
unsafe impl Send for Command {}
// SAFETY: as above; nothing is written through them.
unsafe impl Sync for Command {}

impl Command {
    pub(super) fn new(program: CString, args: Vec<CString>, env: Vec<CString>) -> Self {
        let list = |strings: &[CString]| -> Vec<*const libc::c_char> {
            strings.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
        };
        let mut strings = vec![program.clone()];
        strings.extend(args);
        let (argv, envp) = (list(&strings), list(&env));
        strings.extend(env);
        Self { program, argv, envp, _strings: strings }
    }

    /// Becomes the program; comes back only when that failed.
    pub(super) fn start(&self) -> Errno {
        // SAFETY: strings end in NUL and both lists in a null pointer.
        unsafe { libc::execve(self.program.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        errno()
    }
}

impl Action {
    /// Does the step in the calling process.
    pub(super) fn perform(&self) -> Result<(), Errno> {
        match self {
            // SAFETY: takes nothing.
            Self::NewSession => check(unsafe { libc::setsid() }).map(drop),
            Self::DieWithParent => die_with_parent(),
            Self::Gather => prctl(libc::PR_SET_CHILD_SUBREAPER, 1).map(drop),
            Self::DropGroups => drop_groups(),
            // SAFETY: takes a number.
            Self::Unshare(flag) => check(unsafe { libc::unshare(*flag) }).map(drop),
            Self::Put { path, bytes } => put(path, bytes),
            Self::Dumpable(yes) => prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(*yes)).map(drop),
            Self::PrivateMounts => mount(c"none", c"/", c"", libc::MS_REC | libc::MS_PRIVATE, None),
            Self::Tmpfs { at, options } => {
                mount(c"tmpfs", at, c"tmpfs", libc::MS_NOSUID | libc::MS_NODEV, Some(options))
            }
            Self::Folder(at) => at.folder().map(drop),
            Self::File { at, bytes, executable } => at.write(bytes, *executable),
            Self::Remove(at) => at.remove(),
            Self::Link { at, target } => at.link_to(target),
            // SAFETY: the path ends in NUL.
            Self::Mode { path, mode } => check(unsafe { libc::chmod(path.as_ptr(), *mode) }).map(drop),
            Self::Bind { from, to, file, attributes } => bind(from, to, *file, *attributes),
            Self::Again { from, to } => mount(from, to, c"", libc::MS_BIND, None),
            Self::Overlay { at, options } => {
                mount(c"overlay", at, c"overlay", libc::MS_NOSUID | libc::MS_NODEV, Some(options))
            }
            Self::Proc { at } => private_proc(at),
            Self::ReadOnly { path } => {
                let at = open_at(libc::AT_FDCWD, path, libc::O_PATH | libc::O_DIRECTORY, 0)?;
                add_mount_attributes(at.0, READ_ONLY, false)
            }
            Self::Pivot { new, old } => {
                pivot_root(new, old)?;
                change_dir(c"/")
            }
            Self::EnterRoot(new) => enter_root(new),
            Self::Loopback => loopback_up(),
            // SAFETY: the pointer and the length are those of a slice.
            Self::HostName(name) => check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop),
            Self::DropCapabilities => drop_capabilities(),
            Self::NoNewPrivileges => prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map(drop),
            Self::Stdin => {
                let null = open_at(libc::AT_FDCWD, c"/dev/null", libc::O_RDONLY, 0)?;
                // SAFETY: takes numbers.
                check(unsafe { libc::dup2(null.0, 0) }).map(drop)
            }
            Self::WorkingDirectory(path) => change_dir(path),
            Self::Limits(limits) => limits.iter().try_for_each(|(resource, value)| limit(*resource, *value)),
            Self::Landlock(landlock) => landlock.restrict_self(),
            Self::Seccomp(filter) => filter.install(),
            Self::Prove(layer) => prove(*layer),
            Self::ProveAlone(layer) => prove(*layer).and_then(|()| prove_alone(*layer)),
            Self::ProveProcessLimit(stack) => prove_process_limit(stack),
            Self::Ready => {
                Record::Ready.send();
                wait_for_end_of_life();
                Ok(())
            }
            Self::Exec(command) => Err(command.start()),
        }
    }
}

/// `MOUNT_ATTR_RDONLY` and its neighbours.
pub(super) const READ_ONLY: u64 = 1;
pub(super) const NO_SUID: u64 = 2;
pub(super) const NO_DEV: u64 = 4;
pub(super) const NO_EXEC: u64 = 8;

fn die_with_parent() -> Result<(), Errno> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    // A parent that ended before the request is not noticed by it.
    if life_is_over() { Err(libc::ESRCH) } else { Ok(()) }
}

fn drop_groups() -> Result<(), Errno> {
    // The raw call: the C library's would tell every thread that it believes to exist.
    // SAFETY: an empty list needs no memory.
    match check_long(unsafe { libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()) }) {
        // An ordinary user may not, and has the groups of an ordinary user.
        Ok(_) | Err(libc::EPERM) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn bind(from: &CStr, to: &Place, file: bool, attributes: u64) -> Result<(), Errno> {
    let tree = clone_mounts(from)?;
    add_mount_attributes(tree.0, attributes, true)?;
    let target = if file { to.file() } else { to.folder() }?;
    attach_mount(&tree, &target)
}

fn private_proc(at: &CStr) -> Result<(), Errno> {
    let flags = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // 4: only processes that the reader may trace are seen. The lesser value makes an exception for group 0, which
    // the command is in when root starts Kaizen.
    mount(c"proc", at, c"proc", flags, Some(c"hidepid=4"))
}

fn change_dir(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path ends in NUL.
    check(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

fn enter_root(new: &CStr) -> Result<(), Errno> {
    change_dir(new)?;
    // The old root ends up on top of the new one, from where it is taken off.
    pivot_root(c".", c".")?;
    // SAFETY: the path ends in NUL.
    check(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) })?;
    change_dir(c"/")
}

fn loopback_up() -> Result<(), Errno> {
    // SAFETY: takes numbers.
    let socket = check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    let socket = super::sys::Fd(socket);
    // SAFETY: all zeroes are a valid value of this plain structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the structure is the one that this request takes.
    check(unsafe { libc::ioctl(socket.0, libc::SIOCSIFFLAGS as _, &raw const request) }).map(drop)
}

/// The header and data of `capset`, third version.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}
const CAPABILITIES_3: u32 = 0x2008_0522;

fn drop_capabilities() -> Result<(), Errno> {
    const LAST_KNOWN: libc::c_ulong = 63;
    for capability in 0..=LAST_KNOWN {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            // Who holds no capabilities at all may not; nothing can be gained from the set then.
            Ok(_) | Err(libc::EPERM) => {}
            // The kernel knows no more of them.
            Err(libc::EINVAL) if capability > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    // SAFETY: the arguments are numbers.
    check(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong, 0, 0, 0) })?;
    let header = CapabilityHeader { version: CAPABILITIES_3, pid: 0 };
    let none = [0u32; 6];
    // SAFETY: header and data are of the layout that this version has.
    check_long(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(drop)
}

#[expect(clippy::unnecessary_cast, reason = "with musl it is another type")]
const CPU: u32 = libc::RLIMIT_CPU as u32;

fn limit(resource: u32, value: u64) -> Result<(), Errno> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for writing.
    check(unsafe { libc::getrlimit(resource as _, &raw mut now) })?;
    let value = value.min(now.rlim_max);
    // Past the soft limit on processor time there is a signal first.
    let hard = if resource == CPU { (value.saturating_add(2)).min(now.rlim_max) } else { value };
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: hard };
    // SAFETY: the structure is valid for reading.
    check(unsafe { libc::setrlimit(resource as _, &raw const wanted) }).map(drop)
}

/// Looks from within whether a layer holds. `EPROTO` says that it was set up without complaint and yet does not.
fn prove(layer: LayerName) -> Result<(), Errno> {
    let holds = match layer {
        // SAFETY: these take nothing.
        LayerName::User => unsafe { libc::getuid() == INSIDE_ID && libc::getegid() == INSIDE_ID },
        // SAFETY: takes nothing.
        LayerName::Pid => (unsafe { libc::getpid() }) == 2,
        LayerName::NoNewPrivileges => prctl(libc::PR_GET_NO_NEW_PRIVS, 0)? == 1,
        LayerName::Capabilities => {
            let header = CapabilityHeader { version: CAPABILITIES_3, pid: 0 };
            let mut held = [u32::MAX; 6];
            // SAFETY: header and data are of the layout that this version has.
            check_long(unsafe { libc::syscall(libc::SYS_capget, &raw const header, held.as_mut_ptr()) })?;
            held == [0; 6]
        }
        // SAFETY: leaves nothing and changes nothing when it is let pass.
        LayerName::Seccomp => (unsafe { libc::unshare(0) }) < 0 && errno() == libc::EPERM,
        // Init is outside the domain, and an ordinary process of the same user otherwise.
        LayerName::Landlock if super::landlock::version() >= super::landlock::SCOPES_SINCE => {
            // SAFETY: takes numbers; signal 0 only asks.
            (unsafe { libc::kill(libc::getppid(), 0) }) < 0 && errno() == libc::EPERM
        }
        _ => true,
    };
    if holds { Ok(()) } else { Err(libc::EPROTO) }
}

/// What these layers must do besides where no namespace stands before them.
fn prove_alone(layer: LayerName) -> Result<(), Errno> {
    let holds = match layer {
        LayerName::Landlock => {
            open_at(libc::AT_FDCWD, c"/", libc::O_RDONLY | libc::O_DIRECTORY, 0).err() == Some(libc::EACCES)
        }
        // SAFETY: takes numbers.
        LayerName::Seccomp => check(unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) }) == Err(libc::EPERM),
        _ => true,
    };
    if holds { Ok(()) } else { Err(libc::EPROTO) }
}

/// Processes that have ended and are not waited for count too, so none has to live.
fn prove_process_limit(stack: &Stack) -> Result<(), Errno> {
    extern "C" fn end(_: *mut libc::c_void) -> libc::c_int {
        exit(0)
    }
    let mut limited = Err(libc::EPROTO);
    for _ in 0..MOST_OVER_LIMIT + PROBE_PROCESSES * 4 {
        // SAFETY: the child ends at once and uses nothing; the next one begins after it has ended.
        match unsafe { stack.run(end, ptr::null_mut()) } {
            Ok(_) => {}
            Err(libc::EAGAIN) => {
                limited = Ok(());
                break;
            }
            Err(errno) => return Err(errno),
        }
    }
    // SAFETY: no status is asked for.
    while unsafe { libc::waitpid(-1, ptr::null_mut(), 0) } > 0 || errno() == libc::EINTR {}
    limited
}
