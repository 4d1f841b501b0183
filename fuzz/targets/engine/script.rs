//! The fuzzer's bytes as a sequence of numbers. After the end all numbers are 0.

pub(crate) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub(crate) fn next_u16(&mut self) -> u16 {
        u16::from_le_bytes([self.next(), self.next()])
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        u32::from(self.next_u16()) | u32::from(self.next_u16()) << 16
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Mostly a small number, sometimes one near an edge or any number.
    pub(crate) fn next_length(&mut self) -> u32 {
        let kind = self.next();
        match kind % 8 {
            0 => self.next_u32(),
            1 => u32::MAX - u32::from(self.next()),
            2 => (4096 * u32::from(self.next() % 8) + u32::from(self.next() % 3)).saturating_sub(1),
            _ => u32::from(self.next_u16() % 9000),
        }
    }
}
