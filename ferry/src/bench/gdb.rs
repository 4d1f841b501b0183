//! Just enough of the GDB remote protocol to stop an emulator at an address and to talk to its monitor.

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Pause between two attempts to reach the emulator.
const PAUSE: Duration = Duration::from_millis(10);

/// A connection to the emulator's GDB server. The machine stands still except inside [`Gdb::resume`].
pub(super) struct Gdb {
    input: BufReader<UnixStream>,
    output: UnixStream,
}

impl Gdb {
    /// Connects to the socket at `path`, which the emulator may still have to create.
    pub(super) fn connect(path: &Path, limit: Duration) -> io::Result<Self> {
        let begun = Instant::now();
        let output = loop {
            match UnixStream::connect(path) {
                Ok(stream) => break stream,
                Err(error) if begun.elapsed() > limit => return Err(error),
                Err(_) => std::thread::sleep(PAUSE),
            }
        };
        Ok(Self { input: BufReader::new(output.try_clone()?), output })
    }

    /// Inserts a breakpoint: the machine stops before it executes the instruction at `address`, in any
    /// address space.
    pub(super) fn insert_breakpoint(&mut self, address: u64) -> io::Result<()> {
        self.expect_ok(&format!("Z0,{address:x},1"))
    }

    /// Removes the breakpoint at `address`.
    pub(super) fn remove_breakpoint(&mut self, address: u64) -> io::Result<()> {
        self.expect_ok(&format!("z0,{address:x},1"))
    }

    /// Lets the machine run until it reaches a breakpoint.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.send("c")?;
        let reply = self.receive()?;
        if reply.starts_with(['T', 'S']) { Ok(()) } else { Err(unexpected(&reply)) }
    }

    /// Has the emulator's monitor execute a command. A command that prints anything is an error, because
    /// these commands print only when they fail.
    pub(super) fn monitor(&mut self, command: &str) -> io::Result<()> {
        let digits: Vec<String> = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.send(&format!("qRcmd,{}", digits.concat()))?;
        let reply = self.receive()?;
        match reply.strip_prefix('O') {
            Some("K") => Ok(()),
            Some(said) => Err(io::Error::other(format!("the monitor says to `{command}`: {}", text(said)))),
            None => Err(unexpected(&reply)),
        }
    }

    fn expect_ok(&mut self, command: &str) -> io::Result<()> {
        self.send(command)?;
        let reply = self.receive()?;
        if reply == "OK" { Ok(()) } else { Err(unexpected(&reply)) }
    }

    fn send(&mut self, packet: &str) -> io::Result<()> {
        let sum = packet.bytes().fold(0, u8::wrapping_add);
        write!(self.output, "${packet}#{sum:02x}")
    }

    /// The next packet. Skips the acknowledgements of earlier packets.
    fn receive(&mut self) -> io::Result<String> {
        while self.byte()? != b'$' {}
        let mut packet = Vec::new();
        loop {
            match self.byte()? {
                b'#' => break,
                byte => packet.push(byte),
            }
        }
        // The checksum needs no check: a Unix socket loses nothing.
        self.byte()?;
        self.byte()?;
        self.output.write_all(b"+")?;
        Ok(String::from_utf8_lossy(&packet).into_owned())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

/// Decodes text that was sent as hexadecimal digits.
fn text(digits: &str) -> String {
    let pairs = (0..digits.len() / 2).filter_map(|at| digits.get(2 * at..2 * at + 2));
    let bytes: Vec<u8> = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

fn unexpected(reply: &str) -> io::Error {
    io::Error::other(format!("the emulator's GDB server answered `{reply}`"))
}
