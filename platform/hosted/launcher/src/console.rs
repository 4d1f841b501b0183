//! Where the system prints. Each domain has a socket of its own for its standard output and its errors. The
//! launcher prints what comes out of it, each line with the domain's name, beside its own lines. So no domain
//! has the console itself, keeps another from printing, or breaks into another's line. Sockets, unlike pipes,
//! cannot be opened again through `/proc`.
//!
//! Linux notes the time at which each piece was printed, so that the launcher can print pieces of different
//! domains in the same order.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::fs::File;
use std::io::{self, IoSliceMut, Stdout, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The most bytes of a piece: more than a socket holds.
const PIECE: usize = 256 * 1024;
/// How many pieces are taken from a domain in one pass, and how many passes there are. Only a domain that
/// prints without end has printed more.
const PIECES: usize = 64;
const PASSES: usize = 4;

/// The console of a system. Made from a file, a pipe's end, or the launcher's own standard output.
#[derive(Debug)]
pub struct Console {
    lines: ferry_platform::Console,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Own,
    File(File),
}

impl From<Stdout> for Console {
    fn from(_: Stdout) -> Self {
        Self::new(Target::Own)
    }
}

impl From<OwnedFd> for Console {
    fn from(file: OwnedFd) -> Self {
        Self::new(Target::File(file.into()))
    }
}

impl Console {
    const fn new(target: Target) -> Self {
        Self { lines: ferry_platform::Console::new(), target }
    }

    /// Prints a line of the launcher's own.
    pub(crate) fn line(&mut self, text: &str) {
        let mut bytes = Vec::new();
        self.lines.end_line(&mut |text| bytes.extend(text));
        bytes.extend(text.bytes().chain(*b"\n"));
        self.print(&bytes);
    }

    /// Prints what domains have printed until now. Each comes with its number and its name.
    pub(crate) fn relay(&mut self, outputs: &[(usize, &str, &DomainOutput)]) {
        let mut received = Vec::new();
        let mut room = vec![0; PIECE];
        for _ in 0..PASSES {
            let (before, begun) = (received.len(), now());
            for (number, name, output) in outputs {
                let pieces = (0..PIECES).map_while(|_| output.receive(&mut room));
                received.extend(pieces.map(|(at, text)| (at, *number, *name, text)));
            }
            // If a piece was printed during this pass, a domain that was asked before may have printed
            // something earlier. Then another pass is needed.
            if received[before..].iter().all(|(at, ..)| *at < begun) {
                break;
            }
        }
        received.sort_by_key(|(at, ..)| *at);
        let mut bytes = Vec::new();
        for (_, number, name, text) in received {
            self.lines.print(number, name, &text, &mut |text| bytes.extend(text));
        }
        self.print(&bytes);
    }

    fn print(&mut self, text: &[u8]) {
        // If the console has been closed, nothing is to be done.
        let _ = match &mut self.target {
            Target::Own => {
                let mut output = io::stdout().lock();
                output.write_all(text).and_then(|()| output.flush())
            }
            Target::File(file) => file.write_all(text),
        };
    }
}

/// What a domain prints.
pub(crate) struct DomainOutput {
    socket: OwnedFd,
}

impl DomainOutput {
    /// The launcher's end of a new socket, and the other end, for the domain.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let (socket, domains_end) =
            socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok((Self { socket }, domains_end))
    }

    /// Becomes readable when there is something to relay.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next piece that the domain has printed, and when it was printed. `room` must hold the largest
    /// piece.
    fn receive(&self, room: &mut [u8]) -> Option<(TimeSpec, Vec<u8>)> {
        let mut notes = nix::cmsg_space!(TimeSpec);
        let mut slice = [IoSliceMut::new(room)];
        let (file, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let message = recvmsg::<()>(file, &mut slice, Some(&mut notes), flags).ok()?;
        let time = message.cmsgs().ok()?.find_map(|note| match note {
            ControlMessageOwned::ScmTimestampns(time) => Some(time),
            _ => None,
        });
        let bytes = message.bytes;
        Some((time.unwrap_or_else(now), room[..bytes].to_vec()))
    }
}

/// The time by the clock with which Linux notes when something was printed.
fn now() -> TimeSpec {
    clock_gettime(ClockId::CLOCK_REALTIME).unwrap_or(TimeSpec::new(0, 0))
}

#[cfg(test)]
mod tests {
    use super::{Console, DomainOutput};
    use std::io::Read;
    use std::os::fd::OwnedFd;

    #[test]
    fn what_domains_print_is_printed_in_that_order() {
        let (alpha, alphas_end) = DomainOutput::new().unwrap();
        let (beta, betas_end) = DomainOutput::new().unwrap();
        for (file, text) in [(&betas_end, "one\n"), (&alphas_end, "two\n"), (&betas_end, "three\n")] {
            rustix::io::write(file, text.as_bytes()).unwrap();
        }
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut console = Console::from(OwnedFd::from(writer));
        console.relay(&[(0, "alpha", &alpha), (1, "beta", &beta)]);
        drop(console);
        let mut printed = String::new();
        reader.read_to_string(&mut printed).unwrap();
        assert_eq!(printed, "beta | one\nalpha | two\nbeta | three\n");
    }
}
