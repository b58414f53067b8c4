//! Checks of all bytes of a text.

/// Whether this holds for all bytes, checked as many at a time as the machine can.
pub(crate) fn all_bytes(text: &str, is_one: impl Fn(u8) -> bool) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    // Without an early exit from a chunk.
    let others = |bytes: &[u8]| bytes.iter().fold(0, |others, byte| others | u8::from(!is_one(*byte)));
    chunks.iter().all(|chunk| others(chunk) == 0) && others(rest) == 0
}

/// Writes a text as JSON. Most need no escape, which is checked for many letters at once.
pub(crate) fn push_json(json: &mut Vec<u8>, text: &str) -> serde_json::Result<()> {
    // RFC 8259 §7
    if !all_bytes(text, |byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        return serde_json::to_writer(json, text);
    }
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_as_any_writer_of_json_does() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        let letters = all.chars().map(String::from);
        for text in letters.chain([all.clone(), String::new(), "a".repeat(70)]) {
            let mut json = b"before".to_vec();
            push_json(&mut json, &text).expect("a text");
            assert_eq!(json, format!("before{}", serde_json::to_string(&text).expect("a text")).into_bytes());
        }
    }

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
