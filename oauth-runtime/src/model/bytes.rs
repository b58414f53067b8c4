//! Looking at what a text is made of.

/// Whether all bytes are like this, by as many in one step as the machine looks at.
pub(crate) fn all_bytes(text: &str, is_one: impl Fn(u8) -> bool) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    // Without a way out of a chunk.
    let others = |bytes: &[u8]| bytes.iter().fold(0, |others, byte| others | u8::from(!is_one(*byte)));
    chunks.iter().all(|chunk| others(chunk) == 0) && others(rest) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_other_byte_is_found_wherever_it_is() {
        for length in 0..100 {
            let text = "a".repeat(length);
            assert!(all_bytes(&text, |byte| byte == b'a'), "{length}");
            for at in 0..length {
                let text = format!("{}b{}", &text[..at], &text[at + 1..]);
                assert!(!all_bytes(&text, |byte| byte == b'a'), "{text}");
            }
        }
    }
}
