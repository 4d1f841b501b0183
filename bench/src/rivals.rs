//! What Linux and its libraries offer for the same task. A batch of messages is sent to another process, and
//! the sender learns that the process has taken it.
//!
//! The other process is this program, run as `ferry-bench drain`. Both sides touch every byte once, because
//! Ferry's sender fills its buffers and Ferry's receiver gets its bytes by a copy. To count instructions,
//! both sides run as threads of one process, which callgrind can follow. Callgrind does not see the kernel,
//! which moves the bytes.

use crate::callgrind::{self, CallgrindError, end_of_case, measured_section};
use crate::carrier::{Carrier, Row, per_message};
use crate::case::{Case, Policy};
use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender};
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Most messages in a case. Cases with large messages have fewer.
const MESSAGES: u32 = 1 << 13;
/// Most bytes in a case.
const BYTES: u32 = 128 << 20;
/// Messages in each counted case.
const COUNTED: u32 = 128;

/// Why a rival could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum RivalError {
    /// Its time could not be taken.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its instructions could not be counted.
    #[error(transparent)]
    Callgrind(#[from] CallgrindError),
}

/// A way to carry messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Rival {
    /// A pipe.
    Pipe,
    /// A Unix socket that preserves message boundaries.
    Socket,
    /// The crate `ipc-channel`.
    IpcChannel,
}

/// The sending side of a rival.
enum Sender {
    Pipe(PipeWriter),
    Socket(UnixDatagram),
    IpcChannel(IpcBytesSender),
}

/// The receiving side of a rival.
enum Receiver {
    /// Of a pipe or a socket.
    File(BufReader<File>),
    IpcChannel(IpcBytesReceiver),
}

/// The channel that a receiver of `ipc-channel` hands to the sender when it starts.
type Handshake = IpcSender<IpcBytesSender>;

impl Rival {
    /// The name of the carrier.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::IpcChannel => "ipc-channel",
        }
    }

    /// All rivals.
    pub const ALL: [Self; 3] = [Self::Pipe, Self::Socket, Self::IpcChannel];

    /// The carrier of a rival, with times and with instructions in user mode.
    pub fn carrier(self, products: &Path) -> Result<Carrier, RivalError> {
        let cases = cases();
        let counts =
            callgrind::count(&["count-rival", self.name()], cases.len(), &products.join(self.name()))?;
        let row = |(case, count): (Case, u64)| {
            let instructions = Some(per_message(count, counted_batches(case) * case.batch));
            Ok(Row { nanoseconds: Some(self.time(case)?), instructions, ..Row::of(case) })
        };
        let rows = cases.into_iter().zip(counts).map(row).collect::<io::Result<_>>()?;
        Ok(Carrier { name: self.name().to_owned(), rows })
    }

    fn time(self, case: Case) -> io::Result<f64> {
        let batches = (MESSAGES / case.batch).min(BYTES / case.payload / case.batch).max(8);
        let (sender, mut drain, mut acknowledgements) = self.begin(case)?;
        let message = vec![7; case.payload as usize];
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let begun = Instant::now();
            for _ in 0..batches {
                sender.send_batch(&message, case.batch, &mut acknowledgements)?;
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(batches * case.batch));
        }
        drain.kill()?;
        drain.wait()?;
        Ok(best)
    }

    /// Runs all cases that callgrind counts. Called in the process under callgrind.
    pub fn run_counted(self) -> io::Result<()> {
        for case in cases() {
            let (mut acknowledgements, mut acknowledge) = io::pipe()?;
            let (sender, mut receiver) = self.pair()?;
            let message = vec![7; case.payload as usize];
            let mut buffer = vec![0; case.payload as usize];
            // The first batch is not counted. Each side owns its ends of the channel. So if one side fails,
            // its ends close and the other side does not wait for ever.
            std::thread::scope(move |scope| {
                let receiving = scope.spawn(move || {
                    let mut receive = || receiver.receive_batch(&mut buffer, case.batch, &mut acknowledge);
                    receive()?;
                    measured_section(|| (0..counted_batches(case)).try_for_each(|_| receive()))
                });
                let mut send = || sender.send_batch(&message, case.batch, &mut acknowledgements);
                send()?;
                measured_section(|| (0..counted_batches(case)).try_for_each(|_| send()))?;
                receiving.join().map_err(|_| io::Error::other("the receiving side panicked"))?
            })?;
            end_of_case();
        }
        Ok(())
    }

    /// Makes both sides in this process.
    fn pair(self) -> io::Result<(Sender, Receiver)> {
        Ok(match self {
            Self::Pipe => {
                let (receiver, sender) = io::pipe()?;
                (Sender::Pipe(sender), Receiver::file(receiver))
            }
            Self::Socket => {
                let (sender, receiver) = UnixDatagram::pair()?;
                (Sender::Socket(sender), Receiver::file(receiver))
            }
            Self::IpcChannel => {
                let (sender, receiver) = ipc::bytes_channel()?;
                (Sender::IpcChannel(sender), Receiver::IpcChannel(receiver))
            }
        })
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

    /// Runs the receiving side. It takes messages from `server`, or from standard input, and acknowledges
    /// each batch, until it is killed.
    pub fn drain(payload: u32, batch: u32, server: Option<&str>) -> io::Result<()> {
        let mut buffer = vec![0; payload as usize];
        let mut receiver = if let Some(server) = server {
            let handshake = Handshake::connect(server.to_owned())?;
            let (sender, receiver) = ipc::bytes_channel()?;
            handshake.send(sender).map_err(io::Error::other)?;
            Receiver::IpcChannel(receiver)
        } else {
            Receiver::file(io::stdin().as_fd().try_clone_to_owned()?)
        };
        let mut output = io::stdout().lock();
        loop {
            receiver.receive_batch(&mut buffer, batch, &mut output)?;
        }
    }
}

/// The cases of a rival. It has no mapping policies.
fn cases() -> Vec<Case> {
    Case::pairs().into_iter().filter(|case| case.policy == Policy::Keep).collect()
}

fn counted_batches(case: Case) -> u32 {
    (COUNTED / case.batch).max(2)
}

impl Sender {
    /// Sends a batch, and waits for the acknowledgement.
    fn send_batch(&self, message: &[u8], batch: u32, acknowledgements: &mut PipeReader) -> io::Result<()> {
        for _ in 0..batch {
            self.send(message)?;
        }
        acknowledgements.read_exact(&mut [0])
    }

    fn send(&self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => (&*pipe).write_all(message),
            Self::Socket(socket) => socket.send(message).map(drop),
            Self::IpcChannel(sender) => sender.send(message).map_err(io::Error::other),
        }
    }
}

impl Receiver {
    fn file(file: impl Into<OwnedFd>) -> Self {
        Self::File(BufReader::new(File::from(file.into())))
    }

    /// Takes a batch and acknowledges it.
    fn receive_batch(
        &mut self,
        buffer: &mut [u8],
        batch: u32,
        acknowledge: &mut impl Write,
    ) -> io::Result<()> {
        for _ in 0..batch {
            match self {
                Self::File(file) => file.read_exact(buffer)?,
                Self::IpcChannel(channel) => drop(black_box(channel.recv().map_err(io::Error::other)?)),
            }
        }
        acknowledge.write_all(&[1])?;
        acknowledge.flush()
    }
}
