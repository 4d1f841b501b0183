//! Bytes at an address that is a multiple of 8, as a configuration blob lies in memory.

/// `bytes` in whole words. The last word is filled up with zeros.
pub(crate) fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    };
    bytes.chunks(8).map(word).collect()
}
