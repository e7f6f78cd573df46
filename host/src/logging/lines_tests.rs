use super::*;
use std::{
    io::{Read, pipe},
    sync::mpsc::{self, Receiver, Sender},
};

fn counters() -> &'static Counters {
    Box::leak(Box::default())
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// A file whose writes wait until the test sends their results.
struct Scripted {
    asked: Sender<Vec<u8>>,
    answers: Receiver<io::Result<usize>>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.asked.send(bytes.to_vec());
        self.answers.recv().unwrap_or(Ok(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn scripted() -> (Scripted, Receiver<Vec<u8>>, Sender<io::Result<usize>>) {
    let ((asked, writes), (results, answers)) = (mpsc::channel(), mpsc::channel());
    (Scripted { asked, answers }, writes, results)
}

#[test]
fn queued_lines_are_written_before_the_end() {
    let (mut reader, writer) = pipe().unwrap();
    let counters = counters();
    let lines = LineQueue::start(writer, counters, |_| {}).unwrap();
    for number in 0..100 {
        lines.push(format!("{number}\n").into_bytes());
    }
    drop(lines);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 100);
    assert_eq!((count(&counters.written), count(&counters.lost)), (100, 0));
}

#[test]
fn a_full_queue_loses_lines_and_blocks_no_thread() {
    let (file, writes, results) = scripted();
    let counters = counters();
    let lines = LineQueue::start(file, counters, |_| {}).unwrap();
    let line = vec![b'x'; 1024];
    lines.push(line.clone());
    assert_eq!(writes.recv().unwrap(), line, "this line is never written to its end");
    for _ in 0..2 * QUEUE_BYTES_MAX / line.len() {
        lines.push(line.clone());
    }
    let room = QUEUE_BYTES_MAX / line.len() - 1;
    assert_eq!(count(&counters.lost), (2 * QUEUE_BYTES_MAX / line.len() - room) as u64);
    // The queue takes lines again once the blocked one is written.
    drop(results);
    drop(lines);
    assert_eq!(count(&counters.written), room as u64 + 1);
}

#[test]
fn a_line_that_cannot_be_written_is_lost_and_the_next_one_begins_on_a_new_line() {
    let (file, writes, results) = scripted();
    let counters = counters();
    let lines = LineQueue::start(file, counters, |_| {}).unwrap();
    lines.push(b"first\n".to_vec());
    assert_eq!(writes.recv().unwrap(), b"first\n");
    results.send(Ok(2)).unwrap();
    assert_eq!(writes.recv().unwrap(), b"rst\n");
    results.send(Err(ErrorKind::StorageFull.into())).unwrap();
    lines.push(b"second\n".to_vec());
    assert_eq!(writes.recv().unwrap(), b"\n", "the line that was begun is ended");
    results.send(Ok(1)).unwrap();
    assert_eq!(writes.recv().unwrap(), b"second\n");
    results.send(Err(ErrorKind::Interrupted.into())).unwrap();
    assert_eq!(writes.recv().unwrap(), b"second\n");
    results.send(Err(ErrorKind::WouldBlock.into())).unwrap();
    assert_eq!(writes.recv().unwrap(), b"second\n");
    drop(results);
    drop(lines);
    assert_eq!((count(&counters.written), count(&counters.lost)), (1, 1));
}

#[test]
fn a_stalled_file_delays_the_end_by_no_more_than_a_bound() {
    let (file, writes, results) = scripted();
    let lines = LineQueue::start(file, counters(), |_| {}).unwrap();
    lines.push(b"line\n".to_vec());
    writes.recv().unwrap();
    // Dropping ends although the write has not returned.
    drop(lines);
    drop(results);
}
