use super::*;
use crate::{
    engine::Work,
    model::{Action, Command, Origin, StockKey},
};

const THREE: LoadBound = LoadBound { commands: 3, lines: 100 };

fn job() -> (Job, oneshot::Receiver<Reply>) {
    let (reply, decided) = oneshot::channel();
    let command = Command {
        id: uuid::Uuid::nil(),
        origin: Origin::default(),
        precondition: None,
        action: Action::Reserve {
            key: StockKey::parse("a".into(), "b".into()).unwrap(),
            quantity: 1,
        },
    };
    let request = Request { work: Work::One(command), dry_run: false, recording: None };
    (Job::new(request, reply), decided)
}

#[test]
fn a_full_queue_refuses_at_once_and_says_how_many_wait() {
    let queue = Queue::new(2, 100);
    assert!(matches!(queue.push(job().0), Push::Queued));
    assert!(matches!(queue.push(job().0), Push::Queued));
    assert!(matches!(queue.push(job().0), Push::Full { waiting: 2 }));
    assert_eq!(queue.waiting(), 2);
}

#[test]
fn a_batch_is_all_that_waits_up_to_its_bound() {
    let queue = Queue::new(10, 100);
    for _ in 0..5 {
        queue.push(job().0);
    }
    let mut batch = Vec::new();
    assert!(queue.take(THREE, None, &mut batch));
    assert_eq!((batch.len(), queue.waiting()), (3, 2));
}

fn hold(lines: usize) -> Job {
    let (mut job, _) = job();
    let key = StockKey::parse("a".into(), "b".into()).unwrap();
    let lines = vec![crate::model::LineRequest { key, quantity: 1 }; lines];
    let Work::One(command) = &mut job.request.work else { unreachable!() };
    command.action = Action::Hold { id: "r".into(), lines, ttl_seconds: None };
    Job::new(job.request, job.reply)
}

#[test]
fn lines_count_as_commands_do() {
    let queue = Queue::new(10, 100);
    assert!(matches!(queue.push(hold(60)), Push::Queued));
    assert!(matches!(queue.push(hold(41)), Push::Full { waiting: 1 }));
    assert!(matches!(queue.push(hold(40)), Push::Queued));
    let mut batch = Vec::new();
    assert!(queue.take(LoadBound { commands: 3, lines: 99 }, None, &mut batch));
    assert_eq!(batch.len(), 1);
    assert!(matches!(queue.push(hold(60)), Push::Queued), "what was taken makes room");
}

/// The lines of the next batches.
fn batches(queue: &Queue, count: usize) -> Vec<Vec<usize>> {
    let lines = |job: &Job| job.lines;
    let take = |_| {
        let mut batch = Vec::new();
        assert!(queue.take(LoadBound::UNBOUNDED, None, &mut batch));
        batch.iter().map(lines).collect()
    };
    (0..count).map(take).collect()
}

#[test]
fn nobody_waits_for_more_than_one_large_request() {
    let queue = Queue::new(100, 10_000);
    for _ in 0..3 {
        queue.push(hold(1_000));
    }
    queue.push(hold(1));
    queue.push(hold(2));
    assert_eq!(batches(&queue, 1), [vec![1, 2]]);
    queue.push(hold(3));
    assert_eq!(batches(&queue, 3), [vec![1_000], vec![3], vec![1_000]]);
    assert_eq!(batches(&queue, 1), [vec![1_000]], "nobody else waits");
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn large_requests_leave_half_of_the_queue_to_the_others() {
    let queue = Queue::new(1_000, 10_000);
    assert!(matches!(queue.push(hold(3_000)), Push::Queued));
    assert!(matches!(queue.push(hold(2_001)), Push::Full { .. }));
    assert!(matches!(queue.push(hold(2_000)), Push::Queued));
    for _ in 0..50 {
        assert!(matches!(queue.push(hold(100)), Push::Queued));
    }
    assert!(matches!(queue.push(hold(100)), Push::Full { .. }));
    assert_eq!(batches(&queue, 2).concat().len(), 51);
    assert!(matches!(queue.push(hold(2_001)), Push::Queued), "what was taken makes room");
}

#[test]
fn a_request_larger_than_the_queue_is_let_in_alone() {
    let queue = Queue::new(1_000, 1_000);
    queue.push(hold(1));
    assert!(matches!(queue.push(hold(5_000)), Push::Queued));
    assert!(matches!(queue.push(hold(5_000)), Push::Full { .. }));
}

#[test]
fn a_request_that_turns_out_to_be_large_waits_for_a_batch_of_its_own() {
    let queue = Queue::new(1_000, 10_000);
    queue.push(hold(3));
    let mut batch = Vec::new();
    assert!(queue.take(LoadBound::UNBOUNDED, None, &mut batch));
    let mut job = batch.pop().unwrap();
    job.lines = 4_000;
    queue.put_back(job);
    queue.push(hold(1));
    assert_eq!(batches(&queue, 2), [vec![4_000], vec![1]]);
    assert_eq!(queue.waiting(), 0);
}

#[test]
fn a_request_that_is_put_back_is_the_next() {
    let queue = Queue::new(1_000, 10_000);
    queue.push(hold(2));
    queue.put_back(hold(1));
    queue.push(hold(700));
    queue.put_back(hold(600));
    assert_eq!(batches(&queue, 3), [vec![1, 2], vec![600], vec![700]]);
}

#[test]
fn a_closed_queue_hands_out_what_it_has_and_takes_nothing_more() {
    let queue = Queue::new(10, 100);
    queue.push(job().0);
    queue.close();
    assert!(matches!(queue.push(job().0), Push::Closed));
    let mut batch = Vec::new();
    assert!(queue.take(THREE, None, &mut batch));
    assert!(!queue.take(THREE, None, &mut batch));
    assert_eq!(batch.len(), 1);
    assert!(!queue.pause(Duration::from_secs(60)), "no waiting for a closed queue");
}

#[test]
fn a_wait_for_commands_has_an_end() {
    let mut batch = Vec::new();
    assert!(Queue::new(10, 100).take(THREE, Some(Duration::from_millis(1)), &mut batch));
    assert!(batch.is_empty());
}

#[test]
fn a_wake_up_counts_once() {
    let queue = Queue::new(10, 100);
    queue.wake();
    let mut batch = Vec::new();
    assert!(queue.take(THREE, None, &mut batch), "at once, without a command");
    assert!(queue.take(THREE, Some(Duration::from_millis(1)), &mut batch));
    assert!(batch.is_empty());
}

#[test]
fn the_sleeping_writer_is_woken() {
    let queue = std::sync::Arc::new(Queue::new(10, 100));
    let writer = std::thread::spawn({
        let queue = std::sync::Arc::clone(&queue);
        move || {
            let mut batch = Vec::new();
            queue.take(THREE, None, &mut batch);
            batch.len()
        }
    });
    queue.push(job().0);
    assert_eq!(writer.join().unwrap(), 1);
}
