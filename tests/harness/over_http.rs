//! Commands of the reference model over HTTP. Each case has products and reservations of its own.

use super::{
    Client,
    model::{self, Action, Key, Line, Reservation, Seen, Stock},
};
use serde_json::{Value, json};

pub struct OverHttp<'c> {
    pub client: &'c mut Client,
    pub case: u32,
}

fn number(json: &Value, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_else(|| panic!("{name} in {json}"))
}

/// A stock as HTTP shows it, which is without the unattributed units.
pub fn stock(json: &Value) -> Stock {
    let stock = Stock {
        total: number(json, "total_quantity"),
        reserved: number(json, "reserved_quantity"),
        unattributed: 0,
        minimum: number(json, "minimum_stock_level"),
        version: number(json, "version"),
    };
    assert_eq!(json["low_stock"], stock.low());
    assert_eq!(number(json, "available_quantity"), stock.total - stock.reserved);
    stock
}

/// Removes from an outcome the members that HTTP does not show, and times, which differ over HTTP.
pub fn shown(seen: Seen) -> Seen {
    let stock = |stock: Stock| Stock { unattributed: 0, ..stock };
    match seen {
        Seen::Stock(it, created) => Seen::Stock(stock(it), created),
        Seen::Transfer(source, target) => Seen::Transfer(stock(source), stock(target)),
        Seen::Reservation(it, created) => {
            let expires_at = it.expires_at.map(|_| 0);
            Seen::Reservation(Reservation { expires_at, ..it }, created)
        }
    }
}

impl OverHttp<'_> {
    fn product(&self, product: &str) -> String {
        format!("{}-{product}", self.case)
    }

    fn line(&self, ((product, location), quantity): &Line) -> Value {
        json!({ "product_id": self.product(product), "location_id": location, "quantity": quantity })
    }

    fn lines(&self, lines: &[Line]) -> Vec<Value> {
        lines.iter().map(|line| self.line(line)).collect()
    }

    fn request(&self, action: &Action) -> (&'static str, String, Value) {
        let stock = |(product, _): &Key, verb: &str| {
            format!("/v1/inventory/{}{verb}", self.product(product))
        };
        let held = |id: &str, verb: &str| format!("/v1/reservations/{}-{id}{verb}", self.case);
        match action {
            Action::Set { key, total, minimum } => {
                let mut body = json!({ "total_quantity": total, "location_id": key.1 });
                if let Some(minimum) = minimum {
                    body["minimum_stock_level"] = (*minimum).into();
                }
                ("PUT", stock(key, ""), body)
            }
            Action::Adjust { key, delta } => {
                ("POST", stock(key, "/adjust"), json!({ "delta": delta, "location_id": key.1 }))
            }
            Action::Reserve { key, quantity } => {
                let body = json!({ "quantity": quantity, "location_id": key.1 });
                ("POST", stock(key, "/reserve"), body)
            }
            Action::Release { key, quantity } => {
                let body = json!({ "quantity": quantity, "location_id": key.1 });
                ("POST", stock(key, "/release"), body)
            }
            Action::Transfer { product, from, to, quantity } => {
                let body = json!({
                    "product_id": self.product(product), "from_location_id": from,
                    "to_location_id": to, "quantity": quantity,
                });
                ("POST", "/v1/transfers".to_owned(), body)
            }
            Action::Hold { id, lines, ttl } => {
                let id = format!("{}-{id}", self.case);
                let body =
                    json!({ "reservation_id": id, "lines": self.lines(lines), "ttl_seconds": ttl });
                ("POST", "/v1/reservations".to_owned(), body)
            }
            Action::Replace { id, lines } => {
                ("PUT", held(id, ""), json!({ "lines": self.lines(lines) }))
            }
            Action::Extend { id, ttl } => {
                ("POST", held(id, "/extend"), json!({ "ttl_seconds": ttl }))
            }
            Action::Confirm { id } => ("POST", held(id, "/confirm"), Value::Null),
            Action::Fulfill { id, lines } => {
                let lines = lines.as_deref().map(|lines| self.lines(lines));
                ("POST", held(id, "/fulfill"), json!({ "lines": lines }))
            }
            Action::Cancel { id, lines } => {
                let lines = lines.as_deref().map(|lines| self.lines(lines));
                ("POST", held(id, "/cancel"), json!({ "lines": lines }))
            }
        }
    }

    pub fn execute(&mut self, command: &model::Command) -> Result<Seen, String> {
        let (method, path, body) = self.request(&command.action);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let tag = command.if_version.map(|version| format!("\"{version}\""));
        let headers: Vec<_> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
        let reply = self.client.with(&headers, method, &path, &body);
        if reply.status >= 400 {
            return Err(reply.problem());
        }
        let json = reply.json();
        let created = reply.status == 201;
        assert_eq!(created, !reply.header("location").is_empty());
        if json.get("from").is_some() {
            return Ok(Seen::Transfer(stock(&json["from"]), stock(&json["to"])));
        }
        assert_eq!(reply.header("etag"), format!("\"{}\"", json["version"]));
        if json.get("state").is_none() {
            return Ok(Seen::Stock(stock(&json), created));
        }
        Ok(Seen::Reservation(self.reservation(&json), created))
    }

    pub fn reservation(&self, json: &Value) -> Reservation {
        let known = [("a", "default"), ("a", "north"), ("b", "default"), ("c", "default")];
        let named = |line: &Value| {
            known
                .into_iter()
                .find(|(product, location)| {
                    line["product_id"] == self.product(product) && line["location_id"] == *location
                })
                .unwrap()
        };
        let states = ["held", "confirmed", "fulfilled", "cancelled", "expired"];
        let lines = json["lines"].as_array().unwrap();
        Reservation {
            state: states.into_iter().find(|state| json["state"] == *state).unwrap(),
            lines: lines
                .iter()
                .map(|line| {
                    (named(line), number(line, "quantity"), number(line, "remaining_quantity"))
                })
                .collect(),
            ttl: json["ttl_seconds"].as_u64().map(|ttl| ttl as u32),
            expires_at: json["expires_at"].as_str().map(|_| 0),
            version: number(json, "version"),
        }
    }
}
