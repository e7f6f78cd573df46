//! The bound on the length of a line. A line never exceeds what Linux writes to a pipe in one piece
//! (`PIPE_BUF`), so lines of several processes on the same pipe do not mix.

use serde_json::{Map, Value};
use std::borrow::Cow;

/// The longest line in bytes, including its newline.
const LINE_BYTES_MAX: usize = 4096;

/// Bounds on the values of a JSON line that is too long, in bytes. The first bound that makes the
/// line short enough is used.
const VALUE_BYTES_MAX: [usize; 3] = [1024, 256, 32];

/// Room for the mark behind a cut text, such as ` ... [1234567890 bytes more]`.
const MARK_BYTES_MAX: usize = 48;

/// Returns the line unchanged when it is short enough, and otherwise a shortened line in which marks
/// say how much is missing.
pub(super) fn bounded(line: &[u8], json: bool) -> Cow<'_, [u8]> {
    if line.len() <= LINE_BYTES_MAX {
        return line.into();
    }
    let shorter = if json { shorter_json(line) } else { None };
    let shorter = shorter.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(line);
        cut(text.trim_end_matches('\n'), LINE_BYTES_MAX - MARK_BYTES_MAX).into_bytes()
    });
    [shorter, b"\n".to_vec()].concat().into()
}

/// Shortens the texts of a JSON object until it fits. An object that does not fit even so is
/// replaced by one with its level and length. Returns `None` when the line is not a JSON object.
fn shorter_json(line: &[u8]) -> Option<Vec<u8>> {
    let whole: Map<String, Value> = serde_json::from_slice(line).ok()?;
    for bytes_max in VALUE_BYTES_MAX {
        let shorter: Map<_, _> = whole
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name.clone(), cut(text, bytes_max).into()),
                other => (name.clone(), other.clone()),
            })
            .collect();
        let shorter = serde_json::to_vec(&shorter).ok()?;
        if shorter.len() < LINE_BYTES_MAX {
            return Some(shorter);
        }
    }
    let message = format!("left out a line of {} bytes, which was too long to shorten", line.len());
    let level = whole.get("level").cloned().unwrap_or_default();
    serde_json::to_vec(&serde_json::json!({ "level": level, "message": message })).ok()
}

/// Cuts a text that is longer than `bytes_max`, and adds a mark that says how much is missing.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max);
    let (kept, rest) = text.split_at(end);
    format!("{kept} ... [{} bytes more]", rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_left_as_it_is() {
        let line = [&[b'x'; LINE_BYTES_MAX - 1][..], b"\n"].concat();
        assert!(matches!(bounded(&line, true), Cow::Borrowed(same) if same == line));
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let line = "ü".repeat(LINE_BYTES_MAX) + "\n";
        let shorter = bounded(line.as_bytes(), false);
        assert!(shorter.len() <= LINE_BYTES_MAX, "{}", shorter.len());
        let shorter = String::from_utf8(shorter.into_owned()).unwrap();
        assert!(shorter.starts_with("üü") && shorter.ends_with("bytes more]\n"), "{shorter}");
        assert_eq!(shorter.lines().count(), 1);
    }

    #[test]
    fn a_long_object_keeps_its_members_and_its_form() {
        let line = serde_json::json!({
            "level": "INFO", "status": 400, "target": "t".repeat(30_000), "message": "request",
        });
        let line = format!("{line}\n");
        let shorter = bounded(line.as_bytes(), true);
        assert!(shorter.len() <= LINE_BYTES_MAX && shorter.ends_with(b"}\n"));
        let shorter: Value = serde_json::from_slice(&shorter).unwrap();
        assert_eq!((&shorter["status"], &shorter["message"]), (&400.into(), &"request".into()));
        let target = shorter["target"].as_str().unwrap();
        assert_eq!(target, format!("{} ... [28976 bytes more]", "t".repeat(1024)));
    }

    #[test]
    fn an_object_of_many_members_is_bounded_too() {
        for (members, bytes) in [(12, 1_000), (100, 100), (2_000, 1)] {
            let names =
                (0..members).map(|it| (format!("name{it}"), Value::from("\"".repeat(bytes))));
            let mut line: Map<String, Value> = names.collect();
            line.insert("level".into(), "WARN".into());
            let line = serde_json::to_vec(&line).unwrap();
            let shorter = bounded(&line, true);
            assert!(shorter.len() <= LINE_BYTES_MAX, "{members}: {}", shorter.len());
            let shorter: Value = serde_json::from_slice(&shorter).unwrap();
            assert_eq!(shorter["level"], "WARN");
        }
    }
}
