//! Many clients, and a server that is killed at random times. Clients send every request again
//! until it is answered, and in the end all numbers add up.

use crate::harness::{Client, Reply, Server};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

const CLIENTS: u64 = 12;
const PRODUCTS: u64 = 4;
const TOTAL: u64 = 60;
const KILLS: u64 = 6;

/// A random number generator with a seed, so that a client does the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct World {
    port: AtomicU16,
    done: AtomicBool,
    answered: AtomicU64,
    /// Each idempotency key with the path and the body of its request and the text of its answer.
    answers: Mutex<Vec<(String, String, String, String)>>,
}

impl World {
    /// Sends a request until it is answered, however often the server crashes meanwhile.
    fn send(&self, client: &mut Option<Client>, key: &str, path: &str, body: &str) -> Reply {
        loop {
            let open = match client.take() {
                Some(open) => Some(open),
                None => Client::try_connect(self.port.load(Ordering::Relaxed)),
            };
            let headers = [("idempotency-key", key)];
            let reply = open.and_then(|mut open| {
                let reply = open.try_call("POST", path, &headers, body.as_bytes()).ok();
                *client = Some(open);
                reply
            });
            match reply {
                Some(reply) if reply.status != 503 => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    let answer =
                        (key.to_owned(), path.to_owned(), body.to_owned(), reply.text.clone());
                    self.answers.lock().unwrap().push(answer);
                    return reply;
                }
                _ => {
                    *client = None;
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    /// A shopper: makes holds, and then confirms, fulfills, cancels or abandons each.
    fn shop(&self, number: u64) {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number + 1));
        let mut client = None;
        for round in 0.. {
            if self.done.load(Ordering::Relaxed) {
                return;
            }
            let id = format!("r-{number}-{round}");
            let lines: Vec<Value> = (0..=random.below(2))
                .map(|_| {
                    let product = format!("p{}", random.below(PRODUCTS));
                    json!({ "product_id": product, "quantity": 1 + random.below(4) })
                })
                .collect();
            let ttl = if random.below(3) == 0 { json!(1) } else { Value::Null };
            let body = json!({ "reservation_id": id, "lines": lines, "ttl_seconds": ttl });
            let held =
                self.send(&mut client, &format!("h-{id}"), "/v1/reservations", &body.to_string());
            assert!(matches!(held.status, 201 | 409), "{held:?}");
            if held.status == 409 || ttl == json!(1) {
                continue;
            }
            if random.below(2) == 0 {
                let path = format!("/v1/reservations/{id}/confirm");
                assert_eq!(self.send(&mut client, &format!("c-{id}"), &path, "").status, 200);
            }
            let end = if random.below(3) == 0 { "fulfill" } else { "cancel" };
            let path = format!("/v1/reservations/{id}/{end}");
            assert_eq!(self.send(&mut client, &format!("e-{id}"), &path, "").status, 200);
        }
    }
}

fn all(client: &mut Client, path: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = client.get(&format!("{path}{mark}limit=500{cursor}")).json();
        found.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

/// Checks that the log has no gap, that the events of each stock chain, that their fold gives the
/// stocks, and that stocks reserve exactly the units that reservations hold.
fn check(client: &mut Client) {
    let events = all(client, "/v1/events");
    let mut folded: BTreeMap<String, Value> = BTreeMap::new();
    for (expected, event) in (1_u64..).zip(&events) {
        assert_eq!(event["sequence"], expected);
        let Some(product) = event["product_id"].as_str() else { continue };
        let before = folded.insert(product.to_owned(), event["to"].clone());
        assert_eq!(before.unwrap_or(Value::Null), event["from"], "{event}");
    }
    let mut held: BTreeMap<String, u64> = BTreeMap::new();
    for reservation in all(client, "/v1/reservations") {
        let active = matches!(reservation["state"].as_str(), Some("held" | "confirmed"));
        for line in reservation["lines"].as_array().unwrap() {
            let of = |name: &str| line[format!("{name}_quantity").as_str()].as_u64().unwrap();
            let gone = of("fulfilled") + of("released") + of("expired");
            assert_eq!(line["quantity"], of("remaining") + gone);
            assert_eq!(active, of("remaining") > 0 || (active && gone > 0), "{reservation}");
            *held.entry(line["product_id"].as_str().unwrap().to_owned()).or_default() +=
                of("remaining");
        }
    }
    for stock in all(client, "/v1/inventory") {
        let product = stock["product_id"].as_str().unwrap();
        assert_eq!(stock["reserved_quantity"], folded[product]["reserved_quantity"]);
        assert_eq!(stock["version"], folded[product]["version"]);
        assert_eq!(stock["reserved_quantity"], held.get(product).copied().unwrap_or(0));
        assert!(stock["total_quantity"].as_u64() <= Some(TOTAL));
    }
}

#[test]
fn all_numbers_add_up_after_random_kills_and_retries() {
    let mut folder = Server::start().kill();
    let world = World {
        port: AtomicU16::new(0),
        done: AtomicBool::new(false),
        answered: AtomicU64::new(0),
        answers: Mutex::default(),
    };
    std::thread::scope(|scope| {
        let mut random = Random(42);
        let mut shoppers = Vec::new();
        for kill in 0..=KILLS {
            // Sweeps are frequent, off or rare: that makes no difference.
            let interval = ["50", "0", "700"][random.below(3) as usize];
            let server = Server::start_in(&folder, &["--sweep-interval-ms", interval]);
            world.port.store(server.port, Ordering::Relaxed);
            if kill == 0 {
                for product in 0..PRODUCTS {
                    server.client().stock(&format!("p{product}"), TOTAL, 0);
                }
                for number in 0..CLIENTS {
                    let world = &world;
                    shoppers.push(scope.spawn(move || world.shop(number)));
                }
            }
            let enough = world.answered.load(Ordering::Relaxed) + 100 + random.below(300);
            while world.answered.load(Ordering::Relaxed) < enough {
                assert!(!shoppers.iter().any(|shopper| shopper.is_finished()), "a shopper failed");
                std::thread::sleep(Duration::from_millis(1));
            }
            if kill == KILLS {
                // Requests under way are still answered.
                world.done.store(true, Ordering::Relaxed);
                shoppers.drain(..).for_each(|shopper| shopper.join().unwrap());
            }
            server.signal("-KILL");
            folder = server.kill();
        }
    });
    let server = Server::start_in(&folder, &[]);
    let mut client = server.client();
    for (key, path, body, answer) in world.answers.into_inner().unwrap() {
        let again = client.with(&[("idempotency-key", &key)], "POST", &path, &body);
        assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &answer));
    }
    // Short holds may be left. Once they are swept, the log and the lists agree.
    let count = |client: &mut Client, path: &str| all(client, path).len();
    crate::harness::eventually("all short holds are swept", || {
        let held = all(&mut client, "/v1/reservations?state=held");
        held.iter().all(|it| it["ttl_seconds"].is_null())
            && count(&mut client, "/v1/events?type=ReservationExpired")
                == count(&mut client, "/v1/reservations?state=expired")
    });
    check(&mut client);
}
