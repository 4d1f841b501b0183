//! Lets a process load one program and no other. Its own program is loaded by an `execve` too, after the
//! process has been bound, so no list of calls can tell that `execve` from a later one. Linux asks the
//! launcher instead, by a seccomp filter that notifies. The launcher lets the first `execve` go on, and
//! closes the file through which it is asked. From then on Linux refuses each `execve` with `ENOSYS`. Until
//! the launcher answers, the process waits. So all processes of a system can exist before the first one runs.
//!
//! The filter is put on a thread of the launcher, and the process that the thread starts inherits it. Only in
//! this way does the launcher have that file. The process ends with that thread.

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

/// Requests to that file: the first takes a question, the second answers it.
const TAKE: rustix::ioctl::Opcode = opcode::read_write::<seccomp_notif>(b'!', 0);
const ANSWER: rustix::ioctl::Opcode = opcode::read_write::<seccomp_notif_resp>(b'!', 1);

/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`: the answer is that the call goes on as if nobody had asked.
const GO_ON: u32 = 1;

/// Makes Linux ask about `execve`. The other call that loads a program is not on the list of `calls`.
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

/// A process, and the thread that has started it. Both end when this is dropped.
pub(crate) struct Process {
    /// The file through which Linux asks whether the process may load its program.
    questions: Option<OwnedFd>,
    started: Receiver<io::Result<Child>>,
    child: Option<Child>,
    _awaited_by_the_thread: Sender<()>,
}

impl Process {
    /// Starts a process, and holds it before it loads the program of `command`.
    pub(crate) fn hold(command: Command) -> io::Result<Self> {
        let (questions_sender, questions) = mpsc::channel();
        let (started_sender, started) = mpsc::channel();
        let (awaited, end) = mpsc::channel();
        // `pipe_write` is closed when no question can come any more.
        let (pipe_read, pipe_write) = pipe_with(PipeFlags::CLOEXEC)?;
        thread::Builder::new().name("starter".to_owned()).spawn(move || {
            let child = start(command, &questions_sender);
            drop((questions_sender, pipe_write));
            // This fails only if the receiver is gone, and then the result is not needed.
            let _ = started_sender.send(child);
            drop(started_sender);
            let _ = end.recv();
        })?;
        let questions = questions.recv().ok();
        let mut process = Self { questions, started, child: None, _awaited_by_the_thread: awaited };
        match &process.questions {
            Some(questions) if wait_for_question(questions, &pipe_read)? => {}
            // The process did not get as far as its `execve`.
            _ => drop(process.child()?),
        }
        Ok(process)
    }

    /// Lets it load its program.
    pub(crate) fn go(&mut self) -> io::Result<()> {
        self.questions.take().map_or(Ok(()), |questions| answer(&questions, 0, GO_ON))
    }

    /// Ends the process, if it has not ended. Fails if its program could not be loaded.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if let Some(questions) = self.questions.take() {
            // The process still waits in its `execve`. Processes that were started after it hold the file as
            // well, so closing our own would not end its wait. It needs an answer.
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

/// The thread's part. It sends to `questions` the file through which Linux asks.
fn start(mut command: Command, questions: &Sender<OwnedFd>) -> io::Result<Child> {
    let asked = ask()?;
    let file = asked.as_raw_fd();
    let close_own_copy = move || {
        // SAFETY: the file is the new process's own copy, and the process does not use it.
        unsafe { libc::close(file) };
        Ok(())
    };
    // Without this the process would hold the file too, and Linux would believe that there is still somebody
    // to ask.
    // SAFETY: the closure runs between `fork` and `exec`. It makes a system call, and neither allocates nor
    // takes locks.
    unsafe { command.pre_exec(close_own_copy) };
    // `hold` waits for the file, so this does not fail.
    let _ = questions.send(asked);
    command.spawn()
}

/// Makes Linux ask whether this thread, and whatever it starts, may load a program.
fn ask() -> io::Result<OwnedFd> {
    rustix::thread::set_no_new_privs(true)?;
    let mut filter = FILTER;
    let program = sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // SAFETY: `program` is a filter of four instructions, which stays until the call has returned. Linux
    // copies it.
    let file =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    let Some(file) = RawFd::try_from(file).ok().filter(|file| *file >= 0) else {
        return Err(io::Error::last_os_error());
    };
    // SAFETY: the call has opened it for its caller.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

/// Waits until Linux asks something, or until the other end of the pipe is closed. Returns whether Linux
/// asks.
fn wait_for_question(questions: &OwnedFd, pipe_read: &OwnedFd) -> io::Result<bool> {
    let mut files = [PollFd::new(questions, PollFlags::IN), PollFd::new(pipe_read, PollFlags::IN)];
    rustix::io::retry_on_intr(|| rustix::event::poll(&mut files, None))?;
    Ok(files[0].revents().contains(PollFlags::IN))
}

/// Answers what Linux asks: with an error, or with flags that say what becomes of the call.
fn answer(questions: &OwnedFd, error: i32, flags: u32) -> io::Result<()> {
    // SAFETY: all fields are numbers, for which 0 is a value. Linux wants them to be 0.
    let mut question: seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the number is that of the request that takes and fills this structure.
    let take = unsafe { Updater::<TAKE, _>::new(&mut question) };
    // SAFETY: the request is one that this file understands, and `question` lives until it has returned.
    unsafe { rustix::ioctl::ioctl(questions, take) }?;
    let mut answer = seccomp_notif_resp { id: question.id, val: 0, error, flags };
    // SAFETY: the number is that of the request that reads and fills this structure.
    let answer = unsafe { Updater::<ANSWER, _>::new(&mut answer) };
    // SAFETY: the request is one that this file understands, and `answer` lives until it has returned.
    unsafe { rustix::ioctl::ioctl(questions, answer) }?;
    Ok(())
}
