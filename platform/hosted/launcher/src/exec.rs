//! Has a process load one program and no other. The one that loads the process's program is an `execve` as
//! well, made when the process has been bound already; so no list of calls can tell them apart. Linux asks
//! the launcher instead (a seccomp filter that notifies): it lets the first go on and closes the file through
//! which it is asked, and from then on Linux refuses each with `ENOSYS`. Until then the process stands where
//! it is, so all of a system can be there before the first one runs.
//!
//! The filter is put on a thread of the launcher and inherited by the process that the thread starts, because
//! only so does the launcher have that file. The process ends with that thread.

use libc::{seccomp_data, seccomp_notif, seccomp_notif_resp, sock_filter, sock_fprog};
use rustix::event::{PollFd, PollFlags};
use rustix::ioctl::{Updater, opcode};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Through the file: takes a question, and answers it.
const TAKE: rustix::ioctl::Opcode = opcode::read_write::<seccomp_notif>(b'!', 0);
const ANSWER: rustix::ioctl::Opcode = opcode::read_write::<seccomp_notif_resp>(b'!', 1);

/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`: the answer is that the call goes on as if nobody had asked.
const GO_ON: u32 = 1;

/// Has Linux ask about `execve`. The other call that loads a program is not on the list of `calls`.
const FILTER: [sock_filter; 4] = [
    step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, offset_of!(seccomp_data, nr) as u64),
    step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, libc::SYS_execve.cast_unsigned()),
    step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW as u64),
    step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF as u64),
];

/// An instruction of a filter. A comparison that holds skips `jt` of those that follow.
#[expect(clippy::cast_possible_truncation, reason = "these are codes of 16 bits and operands of 32")]
const fn step(code: u32, jt: u8, k: u64) -> sock_filter {
    sock_filter { code: code as u16, jt, jf: 0, k: k as u32 }
}

/// A process, and the thread that has started it. Dropped, both end.
pub(crate) struct Process {
    /// Through which Linux asks whether its program may be loaded.
    questions: Option<OwnedFd>,
    started: Receiver<io::Result<Child>>,
    child: Option<Child>,
    _awaited_by_the_thread: Sender<()>,
}

impl Process {
    /// Starts a process that stands before the program of `command`.
    pub(crate) fn hold(command: Command) -> io::Result<Self> {
        let (questions_sender, questions) = mpsc::channel();
        let (started_sender, started) = mpsc::channel();
        let (awaited, end) = mpsc::channel();
        // Closed when there will be no question any more.
        let (over, under_way) = pipe_with(PipeFlags::CLOEXEC)?;
        thread::Builder::new().name("starter".to_owned()).spawn(move || {
            let child = start(command, &questions_sender);
            drop((questions_sender, under_way));
            // Whoever does not want to know any more has dropped the other end of both.
            let _ = started_sender.send(child);
            drop(started_sender);
            let _ = end.recv();
        })?;
        let questions = questions.recv().ok();
        let mut process = Self { questions, started, child: None, _awaited_by_the_thread: awaited };
        match &process.questions {
            Some(questions) if asks(questions, &over)? => {}
            // It did not come so far.
            _ => drop(process.child()?),
        }
        Ok(process)
    }

    /// Lets it load its program.
    pub(crate) fn go(&mut self) -> io::Result<()> {
        self.questions.take().map_or(Ok(()), |questions| answer(&questions, 0, GO_ON))
    }

    /// Has it end, if it has not. Fails if its program could not be loaded.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if let Some(questions) = self.questions.take() {
            // It still stands before it, and those that have been started after it hold the file as well: it
            // waits for an answer.
            answer(&questions, -libc::ECANCELED, 0)?;
        }
        self.child()?.kill()
    }

    /// Waits until it has ended, and says how.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child()?.wait()
    }

    /// The process, once it has loaded its program.
    fn child(&mut self) -> io::Result<&mut Child> {
        let child = match self.child.take() {
            Some(child) => child,
            None => self.started.recv().map_err(|_| io::ErrorKind::BrokenPipe)??,
        };
        Ok(self.child.insert(child))
    }
}

/// The thread's part. `questions`: where the file goes through which Linux asks.
fn start(mut command: Command, questions: &Sender<OwnedFd>) -> io::Result<Child> {
    let asked = ask()?;
    let file = asked.as_raw_fd();
    let let_go = move || {
        // SAFETY: it is the process's own copy, which it does not use.
        unsafe { libc::close(file) };
        Ok(())
    };
    // Or else Linux would believe that there is still somebody to ask.
    // SAFETY: between `fork` and `exec` it makes a system call, and neither allocates nor takes locks.
    unsafe { command.pre_exec(let_go) };
    // It is wanted for as long as this runs.
    let _ = questions.send(asked);
    command.spawn()
}

/// Has Linux ask whether this thread, and whatever it starts, may load a program.
fn ask() -> io::Result<OwnedFd> {
    rustix::thread::set_no_new_privs(true)?;
    let mut filter = FILTER;
    let program = sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // SAFETY: the program is one, and Linux copies it.
    let file =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    let Some(file) = RawFd::try_from(file).ok().filter(|file| *file >= 0) else {
        return Err(io::Error::last_os_error());
    };
    // SAFETY: the call has opened it for its caller.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

/// Waits until Linux asks something. Whether it does, before it is `over`.
fn asks(questions: &OwnedFd, over: &OwnedFd) -> io::Result<bool> {
    let mut files = [PollFd::new(questions, PollFlags::IN), PollFd::new(over, PollFlags::IN)];
    rustix::io::retry_on_intr(|| rustix::event::poll(&mut files, None))?;
    Ok(files[0].revents().contains(PollFlags::IN))
}

/// Answers what Linux asks: with an error, or with flags that say what becomes of the call.
fn answer(questions: &OwnedFd, error: i32, flags: u32) -> io::Result<()> {
    // SAFETY: all of it are numbers, and Linux wants them 0.
    let mut question: seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the number is that of this call, which takes and fills this structure.
    let take = unsafe { Updater::<TAKE, _>::new(&mut question) };
    // SAFETY: as above.
    unsafe { rustix::ioctl::ioctl(questions, take) }?;
    let mut answer = seccomp_notif_resp { id: question.id, val: 0, error, flags };
    // SAFETY: likewise.
    let answer = unsafe { Updater::<ANSWER, _>::new(&mut answer) };
    // SAFETY: as above.
    unsafe { rustix::ioctl::ioctl(questions, answer) }?;
    Ok(())
}
