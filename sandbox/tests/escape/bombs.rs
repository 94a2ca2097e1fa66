//! Bombs: each wants an amount that does no harm outside, and is far above what the job was given.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::FromRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::own::{check, fork, place, refused};
use crate::table::{Act, Probe};

const MIB: u64 = 1 << 20;

pub fn probes() -> Vec<Probe> {
    let bomb = |name: &str, act: Act| Probe::alone(format!("bomb: {name}"), act);
    vec![
        bomb("processes", |_| forks(200)).limits(|limits| limits.processes = 40),
        bomb("threads", |_| threads(200)).limits(|limits| limits.processes = 40),
        bomb("memory", |_| memory(256)).limits(|limits| limits.memory = 64 * MIB),
        bomb("memory of many processes", |_| memories(32, 8)).limits(|limits| limits.memory = 64 * MIB),
        bomb("memory in files without a name", |_| nameless(256)).limits(|limits| limits.memory = 64 * MIB),
        bomb("disk, in the tree", |_| fill(place("PROBE_TREE"), 64)).limits(|limits| limits.disk = 8 * MIB),
        bomb("disk, in scratch space", |_| fill(place("TMPDIR"), 64)).limits(|limits| limits.tmp = 8 * MIB),
        bomb("disk, in the home folder", |_| fill(place("HOME"), 64)).limits(|limits| limits.tmp = 8 * MIB),
        bomb("disk, in a folder of the host", |_| fill_slowly(place("PROBE_KEPT"), 128))
            .limits(|limits| limits.disk = 8 * MIB),
        bomb("disk, in one file", |_| fill(place("TMPDIR"), 64)).limits(|limits| limits.file_size = 8 * MIB),
        bomb("inodes, in the tree", |_| names(place("PROBE_TREE"), 20_000)).limits(|limits| limits.disk = 8 * MIB),
        bomb("inodes, in scratch space", |_| names(place("TMPDIR"), 20_000)).limits(|limits| limits.tmp = 8 * MIB),
        bomb("descriptors", |_| descriptors(600)).limits(|limits| limits.open_files = 100),
        bomb("output", |_| output(4 * MIB)).limits(|limits| limits.output = MIB),
        bomb("output in one line without an end", |_| line(4 * MIB)).limits(|limits| limits.output = MIB),
        bomb("processor time", |_| spin(3)).limits(|limits| limits.cpu = Duration::from_secs(1)),
        bomb("processor time of many children", |_| spinners(30)).limits(|limits| limits.cpu = Duration::from_secs(1)),
    ]
}

/// Children that stay until their parent has counted them.
fn forks(count: usize) -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    for _ in 0..count {
        if fork()? {
            drop(writer);
            let _ = io::copy(&mut { reader }, &mut io::sink());
            std::process::exit(0);
        }
    }
    // Long enough for the watch to look.
    std::thread::sleep(Duration::from_millis(300));
    drop(writer);
    Ok(())
}

fn threads(count: usize) -> io::Result<()> {
    for _ in 0..count {
        std::thread::Builder::new().stack_size(16 << 10).spawn(|| std::thread::sleep(Duration::MAX))?;
    }
    std::thread::sleep(Duration::from_millis(300));
    Ok(())
}

fn memory(mebibytes: usize) -> io::Result<()> {
    let mut hoard = Vec::new();
    for _ in 0..mebibytes {
        let mut piece = Vec::new();
        piece.try_reserve_exact(1 << 20).map_err(io::Error::other)?;
        piece.resize(1 << 20, 1u8);
        hoard.push(piece);
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(200));
    drop(std::hint::black_box(hoard));
    Ok(())
}

/// Each process stays far below the limit; all together do not.
fn memories(count: usize, mebibytes: usize) -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    for _ in 0..count {
        if fork()? {
            drop(writer);
            let hoard = vec![1u8; mebibytes << 20];
            let _ = io::copy(&mut { reader }, &mut io::sink());
            drop(std::hint::black_box(hoard));
            std::process::exit(0);
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    drop(writer);
    Ok(())
}

/// Memory that belongs to a file and is mapped.
fn nameless(mebibytes: usize) -> io::Result<()> {
    // SAFETY: the name ends in NUL.
    let fd = check(unsafe { libc::memfd_create(c"bomb".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the descriptor is new.
    let file = unsafe { File::from_raw_fd(fd) };
    let length = mebibytes << 20;
    file.set_len(length as u64)?;
    // SAFETY: asks for a new mapping of the whole file.
    let at = unsafe {
        libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0)
    };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    for page in 0..length >> 12 {
        // SAFETY: within the mapping.
        unsafe { at.cast::<u8>().add(page << 12).write_volatile(1) };
        if page.is_multiple_of(256) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    Ok(())
}

fn fill(folder: PathBuf, mebibytes: usize) -> io::Result<()> {
    let mut file = File::create(folder.join("big"))?;
    (0..mebibytes).try_for_each(|_| file.write_all(&[1; 1 << 20]))?;
    fs::remove_file(folder.join("big"))
}

/// Removed at once, so that no folder shows what it takes.
fn fill_slowly(folder: PathBuf, mebibytes: usize) -> io::Result<()> {
    let mut file = File::create(folder.join("big"))?;
    fs::remove_file(folder.join("big"))?;
    for _ in 0..mebibytes {
        file.write_all(&[1; 1 << 20]).and_then(|()| file.sync_data())?;
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    Ok(())
}

fn names(folder: PathBuf, count: usize) -> io::Result<()> {
    let folder = folder.join("names");
    fs::create_dir(&folder)?;
    (0..count).try_for_each(|number| File::create(folder.join(number.to_string())).map(drop))
}

fn descriptors(count: usize) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
    let open: Vec<File> = (0..count).map(|_| File::open("/dev/null")).collect::<io::Result<_>>()?;
    if open.len() == count { Ok(()) } else { Err(refused("too few")) }
}

fn output(bytes: u64) -> io::Result<()> {
    let piece = b"a line of output\n".repeat(1000);
    let mut out = io::stdout().lock();
    (0..bytes / piece.len() as u64).try_for_each(|_| out.write_all(&piece))?;
    out.flush()
}

fn line(bytes: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    (0..bytes >> 10).try_for_each(|_| out.write_all(&[b'x'; 1 << 10]))?;
    out.flush()
}

fn spin(seconds: u64) -> io::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        std::hint::spin_loop();
    }
    Ok(())
}

/// One after the other, each far below the limit.
fn spinners(count: usize) -> io::Result<()> {
    for _ in 0..count {
        if fork()? {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(100) {
                std::hint::spin_loop();
            }
            std::process::exit(0);
        }
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
    }
    Ok(())
}
