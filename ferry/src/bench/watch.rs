//! Watches a measured system from outside. It stops the emulator at the beginning and the end of each
//! measured section, and has it trace every instruction in between. The emulated machine cannot notice this.

use super::gdb::Gdb;
use super::programs::{Owner, Programs};
use super::trace::Trace;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pipe::fcntl_setpipe_size;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long to wait for the emulator to start.
const START: Duration = Duration::from_secs(10);
/// Names of the emulator's socket and of the pipe for the trace of a section, in the directory of the watch.
const SOCKET: &str = "gdb";
const PIPE: &str = "trace";
/// Bytes that the pipe holds, and that are read from it at once.
const PIPE_BYTES: usize = 1 << 20;
/// Pause before each read. The emulator writes line by line. A reader that waited for each line would be
/// woken by each, and that takes longer than anything else here. Meanwhile the emulator fills a small part of
/// the pipe.
const PAUSE: Duration = Duration::from_millis(2);

/// A pipe that is read after a [`PAUSE`].
struct Paced(File);

impl Read for Paced {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(PAUSE);
        self.0.read(bytes)
    }
}

/// A watch over one boot. Its directory is removed with it.
pub(super) struct Watch {
    directory: TempDir,
}

impl Watch {
    /// Creates a directory for the watch. Its path is short, because the path of a socket is limited in
    /// length.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { directory: tempfile::Builder::new().prefix("ferry-bench-").tempdir()? })
    }

    /// Adds the arguments that let this watch control the emulator. The machine then stands still until
    /// [`Watch::follow`] starts it.
    pub(super) fn prepare(&self, emulator: &mut Command) {
        let socket = self.directory.path().join(SOCKET);
        let socket = format!("socket,id=gdb,server=on,wait=off,path={}", socket.display());
        emulator.args(["-S", "-chardev", &socket, "-gdb", "chardev:gdb"]);
    }

    /// Starts the machine and traces its first `sections` measured sections; then lets it run to its end.
    pub(super) fn follow(&self, sections: usize, programs: &Arc<Programs>) -> io::Result<Vec<Trace>> {
        let mark = |name: &str| {
            let entries = programs.entries(Owner::Measurement, &[name]);
            entries.first().copied().ok_or_else(|| io::Error::other(format!("the producer lacks `{name}`")))
        };
        let (begin, end) = (mark("bench_begin")?, mark("bench_end")?);
        let mut gdb = Gdb::connect(&self.directory.path().join(SOCKET), START)?;
        let mut traces = Vec::new();
        for _ in 0..sections {
            gdb.insert_breakpoint(begin)?;
            gdb.resume()?;
            gdb.remove_breakpoint(begin)?;
            gdb.insert_breakpoint(end)?;
            traces.push(self.trace(&mut gdb, begin, programs)?);
            gdb.remove_breakpoint(end)?;
        }
        // The connection breaks when the machine ends, so an error here is expected.
        let _ = gdb.resume();
        Ok(traces)
    }

    /// Traces up to the next breakpoint.
    fn trace(&self, gdb: &mut Gdb, begin: u64, programs: &Arc<Programs>) -> io::Result<Trace> {
        let pipe = self.directory.path().join(PIPE);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        let reader = std::thread::spawn({
            let (pipe, programs) = (pipe.clone(), Arc::clone(programs));
            move || {
                let pipe = File::open(pipe)?;
                fcntl_setpipe_size(&pipe, PIPE_BYTES)?;
                Trace::read(BufReader::with_capacity(PIPE_BYTES, Paced(pipe)), begin, &programs)
            }
        });
        gdb.monitor(&format!("logfile {}", pipe.display()))?;
        gdb.monitor("singlestep on")?;
        gdb.monitor("log exec,nochain")?;
        gdb.resume()?;
        gdb.monitor("log none")?;
        gdb.monitor("singlestep off")?;
        // This closes the pipe, and so ends the trace.
        gdb.monitor("logfile /dev/null")?;
        let trace = reader.join().map_err(|_| io::Error::other("the reader of the trace panicked"))?;
        fs::remove_file(&pipe)?;
        trace
    }
}
