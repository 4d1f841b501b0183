//! What Linux and its libraries offer for the same task: a batch of messages to another process, and word that it has them.
//!
//! The other process is this program, run as `ferry-bench drain`. Both sides touch every byte once, as a sender and a receiver
//! of Ferry do by filling and by being copied into.

use crate::case::{Case, Policy};
use crate::lane::{Lane, Row};
use ipc_channel::ipc::{self, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender};
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Messages in each case, at most; fewer of the large ones.
const MESSAGES: u32 = 1 << 13;
/// Bytes in each case, at most.
const BYTES: u32 = 128 << 20;

/// A way to carry messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rival {
    /// A pipe.
    Pipe,
    /// A Unix socket that keeps messages apart.
    Socket,
    /// The crate `ipc-channel`.
    IpcChannel,
}

/// The sending side of one.
enum Sender {
    Pipe(io::PipeWriter),
    Socket(UnixDatagram),
    IpcChannel(IpcBytesSender),
}

/// What a receiver of `ipc-channel` hands over when it starts.
type Handshake = IpcSender<IpcBytesSender>;

impl Rival {
    /// Name of the lane.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::IpcChannel => "ipc-channel",
        }
    }

    /// Measures all payloads and batches.
    pub fn lane(self) -> io::Result<Lane> {
        let cases = Case::pairs().into_iter().filter(|case| case.policy == Policy::Keep);
        let rows = cases.map(|case| Ok(Row { nanoseconds: Some(self.time(case)?), ..Row::of(case) }));
        Ok(Lane { name: self.name().to_owned(), rows: rows.collect::<io::Result<_>>()? })
    }

    fn time(self, case: Case) -> io::Result<f64> {
        let batches = (MESSAGES / case.batch).min(BYTES / case.payload / case.batch).max(8);
        let (sender, mut drain, mut acknowledgements) = self.begin(case)?;
        let message = vec![7; case.payload as usize];
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let begun = Instant::now();
            for _ in 0..batches {
                for _ in 0..case.batch {
                    sender.send(&message)?;
                }
                acknowledgements.read_exact(&mut [0])?;
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(batches * case.batch));
        }
        drain.kill()?;
        drain.wait()?;
        Ok(best)
    }

    fn begin(self, case: Case) -> io::Result<(Sender, Child, PipeReader)> {
        let (acknowledgements, write_end) = io::pipe()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["drain", &case.payload.to_string(), &case.batch.to_string()]).stdout(write_end);
        match self {
            Self::Pipe => {
                let (read_end, sender) = io::pipe()?;
                Ok((Sender::Pipe(sender), command.stdin(read_end).spawn()?, acknowledgements))
            }
            Self::Socket => {
                let (sender, receiver) = UnixDatagram::pair()?;
                let drain = command.stdin(OwnedFd::from(receiver)).spawn()?;
                Ok((Sender::Socket(sender), drain, acknowledgements))
            }
            Self::IpcChannel => {
                let (server, name) = IpcOneShotServer::<IpcBytesSender>::new()?;
                let drain = command.arg(name).stdin(Stdio::null()).spawn()?;
                let (_, sender): (IpcReceiver<IpcBytesSender>, _) =
                    server.accept().map_err(io::Error::other)?;
                Ok((Sender::IpcChannel(sender), drain, acknowledgements))
            }
        }
    }

    /// The receiving side: takes messages, from `server` or from standard input, and acknowledges each batch, until it is
    /// killed.
    pub fn drain(payload: u32, batch: u32, server: Option<&str>) -> io::Result<()> {
        let mut buffer = vec![0; payload as usize];
        let mut receive: Box<dyn FnMut() -> io::Result<()>> = if let Some(server) = server {
            let handshake = Handshake::connect(server.to_owned())?;
            let (sender, receiver) = ipc::bytes_channel()?;
            handshake.send(sender).map_err(io::Error::other)?;
            Box::new(move || {
                receiver.recv().map(|bytes| drop(std::hint::black_box(bytes))).map_err(io::Error::other)
            })
        } else {
            let mut input = io::stdin().lock();
            Box::new(move || input.read_exact(&mut buffer))
        };
        let mut output = io::stdout().lock();
        loop {
            for _ in 0..batch {
                receive()?;
            }
            output.write_all(&[1])?;
            output.flush()?;
        }
    }
}

impl Sender {
    fn send(&self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => (&*pipe).write_all(message),
            Self::Socket(socket) => socket.send(message).map(drop),
            Self::IpcChannel(sender) => sender.send(message).map_err(io::Error::other),
        }
    }
}
