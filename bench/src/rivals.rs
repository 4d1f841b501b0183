//! What Linux and its libraries offer for the same task. A batch of messages is sent to another process, and
//! the sender learns that the process has taken it.
//!
//! The other process is this program, run as `ferry-bench drain`. Both sides touch every byte once, because
//! Ferry's sender fills its buffers and Ferry's receiver gets its bytes by a copy. To count instructions,
//! both sides run as threads of one process, which callgrind can follow. Callgrind does not see the kernel,
//! which moves the bytes of pipes, sockets and `ipc-channel`. With the feature `host-lanes` there are two
//! more, which share memory: `iceoryx2`, and `rtrb`, whose two sides are threads of one process always.

#[cfg(feature = "host-lanes")]
mod iceoryx;
#[cfg(feature = "host-lanes")]
mod ring;

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
    /// The crate `iceoryx2`: memory that both processes map.
    #[cfg(feature = "host-lanes")]
    Iceoryx2,
    /// The crate `rtrb`: a lock-free ring between two threads.
    #[cfg(feature = "host-lanes")]
    Rtrb,
}

/// The sending side of a rival.
enum Sender {
    Pipe(PipeWriter),
    Socket(UnixDatagram),
    IpcChannel(IpcBytesSender),
    #[cfg(feature = "host-lanes")]
    Iceoryx2(Box<iceoryx::Sender>),
    #[cfg(feature = "host-lanes")]
    Rtrb(ring::Sender),
}

/// The receiving side of a rival.
enum Receiver {
    /// Of a pipe or a socket.
    File(BufReader<File>),
    IpcChannel(IpcBytesReceiver),
    #[cfg(feature = "host-lanes")]
    Iceoryx2(Box<iceoryx::Receiver>),
    #[cfg(feature = "host-lanes")]
    Rtrb(ring::Receiver),
}

/// Makes the receiving side, in the thread that is to have it. Not every one can move to another.
type MakeReceiver = Box<dyn FnOnce() -> io::Result<Receiver> + Send>;

/// Whoever runs the receiving side while time is taken.
enum Drain {
    Process(Child),
    #[cfg(feature = "host-lanes")]
    Thread(std::thread::JoinHandle<io::Result<()>>),
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
            #[cfg(feature = "host-lanes")]
            Self::Iceoryx2 => "iceoryx2",
            #[cfg(feature = "host-lanes")]
            Self::Rtrb => "rtrb",
        }
    }

    /// All rivals.
    pub const ALL: &[Self] = &[
        Self::Pipe,
        Self::Socket,
        Self::IpcChannel,
        #[cfg(feature = "host-lanes")]
        Self::Iceoryx2,
        #[cfg(feature = "host-lanes")]
        Self::Rtrb,
    ];

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
        let (mut sender, drain, mut acknowledgements) = self.begin(case)?;
        // The receiving side says that it is there.
        acknowledgements.read_exact(&mut [0])?;
        let message = message(case);
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            let begun = Instant::now();
            for _ in 0..batches {
                sender.send_batch(&message, case.batch, &mut acknowledgements)?;
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(batches * case.batch));
        }
        self.end(sender, drain)?;
        Ok(best)
    }

    /// Runs all cases that callgrind counts. Called in the process under callgrind.
    pub fn run_counted(self) -> io::Result<()> {
        for case in cases() {
            self.exchange(case, counted_batches(case))?;
            end_of_case();
        }
        Ok(())
    }

    /// Carries so many batches, and one before them that is not counted, from this thread to another. Returns
    /// the last message, as it arrived.
    fn exchange(self, case: Case, batches: u32) -> io::Result<Vec<u8>> {
        let (mut acknowledgements, mut acknowledge) = io::pipe()?;
        let (mut sender, make) = self.pair(case)?;
        let message = message(case);
        let mut buffer = vec![0; message.len()];
        // Each side owns its ends of the channel. So if one side fails, its ends close and the other side
        // does not wait for ever.
        std::thread::scope(move |scope| {
            let receiving = scope.spawn(move || {
                let mut receiver = make()?;
                acknowledge.write_all(&[1])?;
                let mut receive = || receiver.receive_batch(&mut buffer, case.batch, &mut acknowledge);
                receive()?;
                measured_section(|| (0..batches).try_for_each(|_| receive()))?;
                Ok(buffer)
            });
            acknowledgements.read_exact(&mut [0])?;
            let mut send = || sender.send_batch(&message, case.batch, &mut acknowledgements);
            send()?;
            measured_section(|| (0..batches).try_for_each(|_| send()))?;
            receiving.join().map_err(|_| io::Error::other("the receiving side panicked"))?
        })
    }

    /// Makes the sending side, and what makes the receiving side, in this process.
    #[cfg_attr(
        not(feature = "host-lanes"),
        expect(unused_variables, reason = "only shared memory has to know how long messages are")
    )]
    fn pair(self, case: Case) -> io::Result<(Sender, MakeReceiver)> {
        Ok(match self {
            Self::Pipe => {
                let (receiver, sender) = io::pipe()?;
                (Sender::Pipe(sender), Box::new(|| Ok(Receiver::file(receiver))))
            }
            Self::Socket => {
                let (sender, receiver) = UnixDatagram::pair()?;
                (Sender::Socket(sender), Box::new(|| Ok(Receiver::file(receiver))))
            }
            Self::IpcChannel => {
                let (sender, receiver) = ipc::bytes_channel()?;
                (Sender::IpcChannel(sender), Box::new(|| Ok(Receiver::IpcChannel(receiver))))
            }
            #[cfg(feature = "host-lanes")]
            Self::Iceoryx2 => {
                let name = iceoryx::new_name();
                let sender = Box::new(iceoryx::Sender::new(&name, case.payload)?);
                let make = move || Ok(Receiver::Iceoryx2(Box::new(iceoryx::Receiver::new(&name)?)));
                (Sender::Iceoryx2(sender), Box::new(make))
            }
            #[cfg(feature = "host-lanes")]
            Self::Rtrb => {
                let (sender, make) = ring::pair(case.payload as usize * case.batch as usize);
                (Sender::Rtrb(sender), Box::new(|| Ok(Receiver::Rtrb(make()))))
            }
        })
    }

    /// Makes the sending side here, and the receiving side in another process, or in another thread.
    fn begin(self, case: Case) -> io::Result<(Sender, Drain, PipeReader)> {
        let (acknowledgements, write_end) = io::pipe()?;
        let mut command = Command::new(std::env::current_exe()?);
        let (payload, batch) = (case.payload.to_string(), case.batch.to_string());
        command.args(["drain", self.name(), &payload, &batch]);
        let (sender, drain) = match self {
            Self::Pipe => {
                let (read_end, sender) = io::pipe()?;
                (Sender::Pipe(sender), command.stdin(read_end).stdout(write_end).spawn()?)
            }
            Self::Socket => {
                let (sender, receiver) = UnixDatagram::pair()?;
                let drain = command.stdin(OwnedFd::from(receiver)).stdout(write_end).spawn()?;
                (Sender::Socket(sender), drain)
            }
            Self::IpcChannel => {
                let (server, name) = IpcOneShotServer::<IpcBytesSender>::new()?;
                let drain = command.arg(name).stdin(Stdio::null()).stdout(write_end).spawn()?;
                let (_, sender): (IpcReceiver<IpcBytesSender>, _) =
                    server.accept().map_err(io::Error::other)?;
                (Sender::IpcChannel(sender), drain)
            }
            #[cfg(feature = "host-lanes")]
            Self::Iceoryx2 => {
                let name = iceoryx::new_name();
                let sender = Box::new(iceoryx::Sender::new(&name, case.payload)?);
                let drain = command.arg(name).stdin(Stdio::null()).stdout(write_end).spawn()?;
                (Sender::Iceoryx2(sender), drain)
            }
            #[cfg(feature = "host-lanes")]
            Self::Rtrb => {
                let (sender, make) = self.pair(case)?;
                let drain =
                    std::thread::spawn(move || take_batches(make, case.payload, case.batch, write_end));
                return Ok((sender, Drain::Thread(drain), acknowledgements));
            }
        };
        Ok((sender, Drain::Process(drain), acknowledgements))
    }

    /// Ends both sides.
    fn end(self, sender: Sender, drain: Drain) -> io::Result<()> {
        drop(sender);
        match drain {
            Drain::Process(mut process) => {
                match self {
                    // It removes its files, and ends when the sending side has ended.
                    #[cfg(feature = "host-lanes")]
                    Self::Iceoryx2 => {}
                    _ => process.kill()?,
                }
                process.wait()?;
            }
            #[cfg(feature = "host-lanes")]
            Drain::Thread(thread) => match thread.join() {
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Ok(ended) => ended?,
                Err(_) => return Err(io::Error::other("the receiving side panicked")),
            },
        }
        Ok(())
    }

    /// Runs the receiving side, in a process of its own. It finds the sending side by `name`, or at standard
    /// input, and acknowledges each batch, until that ends, or this process is killed.
    pub fn drain(self, payload: u32, batch: u32, name: Option<String>) -> io::Result<()> {
        let name = || name.ok_or_else(|| io::Error::other("the name of the sending side is missing"));
        let make = || {
            Ok(match self {
                Self::Pipe | Self::Socket => Receiver::file(io::stdin().as_fd().try_clone_to_owned()?),
                Self::IpcChannel => {
                    let handshake = Handshake::connect(name()?)?;
                    let (sender, receiver) = ipc::bytes_channel()?;
                    handshake.send(sender).map_err(io::Error::other)?;
                    Receiver::IpcChannel(receiver)
                }
                #[cfg(feature = "host-lanes")]
                Self::Iceoryx2 => Receiver::Iceoryx2(Box::new(iceoryx::Receiver::new(&name()?)?)),
                #[cfg(feature = "host-lanes")]
                Self::Rtrb => return Err(io::Error::other("both sides of it are in one process")),
            })
        };
        match take_batches(make, payload, batch, io::stdout().lock()) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            ended => ended,
        }
    }
}

/// Makes the receiving side, says so, and takes batches until the sending side has ended.
fn take_batches(
    make: impl FnOnce() -> io::Result<Receiver>,
    payload: u32,
    batch: u32,
    mut acknowledge: impl Write,
) -> io::Result<()> {
    let mut receiver = make()?;
    let mut buffer = vec![0; payload as usize];
    acknowledge.write_all(&[1])?;
    acknowledge.flush()?;
    loop {
        receiver.receive_batch(&mut buffer, batch, &mut acknowledge)?;
    }
}

/// The cases of a rival. It has no mapping policies.
fn cases() -> Vec<Case> {
    Case::pairs().into_iter().filter(|case| case.policy == Policy::Keep).collect()
}

/// What is sent.
fn message(case: Case) -> Vec<u8> {
    (0..case.payload).map(|place| place.to_le_bytes()[0]).collect()
}

fn counted_batches(case: Case) -> u32 {
    (COUNTED / case.batch).max(2)
}

impl Sender {
    /// Sends a batch, and waits for the acknowledgement.
    fn send_batch(
        &mut self,
        message: &[u8],
        batch: u32,
        acknowledgements: &mut PipeReader,
    ) -> io::Result<()> {
        for _ in 0..batch {
            self.send(message)?;
        }
        match self {
            // The kernel wakes the receiving side with the first message.
            Self::Pipe(_) | Self::Socket(_) | Self::IpcChannel(_) => {}
            #[cfg(feature = "host-lanes")]
            Self::Iceoryx2(sender) => sender.wake()?,
            #[cfg(feature = "host-lanes")]
            Self::Rtrb(sender) => sender.wake(),
        }
        acknowledgements.read_exact(&mut [0])
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => (&*pipe).write_all(message),
            Self::Socket(socket) => socket.send(message).map(drop),
            Self::IpcChannel(sender) => sender.send(message).map_err(io::Error::other),
            #[cfg(feature = "host-lanes")]
            Self::Iceoryx2(sender) => sender.send(message),
            #[cfg(feature = "host-lanes")]
            Self::Rtrb(sender) => sender.send(message),
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
                #[cfg(feature = "host-lanes")]
                Self::Iceoryx2(receiver) => receiver.receive(buffer)?,
                #[cfg(feature = "host-lanes")]
                Self::Rtrb(receiver) => receiver.receive(buffer)?,
            }
        }
        acknowledge.write_all(&[1])?;
        acknowledge.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Rival, message};
    use crate::case::{Case, Policy};

    #[test]
    fn the_last_of_several_batches_arrives_whole() {
        for rival in Rival::ALL.iter().filter(|rival| rival.name() != "ipc-channel") {
            for case in [Case::pair(64, 1, Policy::Keep), Case::pair(4096, 32, Policy::Keep)] {
                assert_eq!(rival.exchange(case, 3).unwrap(), message(case), "{rival:?}, {case}");
            }
        }
    }
}
