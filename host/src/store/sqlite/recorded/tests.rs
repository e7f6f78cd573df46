use super::*;
use crate::{
    model::{Action, Decided, Outcome, Precondition, Value},
    store::sqlite::{connection, migrations},
};
use std::collections::HashSet;

/// Recorded commands in form 1, written by an earlier version of this program. Each line has the
/// JSON of the command, of the decision, and of the state before. Every action, outcome,
/// precondition and kind of detail occurs.
const FORM_1: &str = include_str!("form_1.tsv");

fn database() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.db");
    let mut connection = connection::writable(&file).unwrap();
    migrations::apply(&mut connection, &file).unwrap();
    connection.execute("INSERT INTO component VALUES (1, ?1)", [[7_u8; 32]]).unwrap();
    (folder, connection)
}

/// Inserts lines of stored JSON as rows of a form, and reads the rows.
fn read(texts: &str, form: u32) -> rusqlite::Result<Vec<(u64, Recorded)>> {
    let (_folder, connection) = database();
    for line in texts.lines() {
        let [command, decision, replaced] =
            <[&str; 3]>::try_from(line.split('\t').collect::<Vec<_>>()).unwrap();
        let replaced = Some(replaced).filter(|text| !text.is_empty());
        connection
            .execute(
                "INSERT INTO command (at, component_id, event_count, command, decision, replaced, \
                 form) VALUES (1, 1, 0, ?1, ?2, ?3, ?4)",
                params![command, decision, replaced, form],
            )
            .unwrap();
    }
    page(&connection, 0, 1_000)
}

fn texts(connection: &Connection) -> String {
    let mut select = connection
        .prepare("SELECT command, decision, replaced FROM command ORDER BY command_no")
        .unwrap();
    let line = |row: &Row<'_>| {
        let replaced: Option<String> = row.get(2)?;
        let (command, decision): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("{command}\t{decision}\t{}\n", replaced.unwrap_or_default()))
    };
    select.query_map([], line).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn commands_of_form_1_are_read() {
    let recorded = read(FORM_1, 1).unwrap();
    assert_eq!(recorded.len(), FORM_1.lines().count());
    let actions: HashSet<_> =
        recorded.iter().map(|(_, it)| std::mem::discriminant(&it.command.action)).collect();
    assert_eq!(actions.len(), 12, "the actions of form 1");
    let (_, first) = &recorded[0];
    assert!(matches!(
        &first.command.action,
        Action::AdjustSet { key, total: 10, minimum: Some(3) } if key.product_id.as_str() == "a"
    ));
    assert_eq!(first.command.origin.caller.as_deref(), Some("web-7"));
    assert_eq!(first.command.precondition, Some(Precondition::VersionIn(vec![1, 2])));
    let Decided::Accepted(Outcome::Stock { view, created: true }) = &first.decision else {
        panic!("{:?}", first.decision);
    };
    assert_eq!((view.stock.level.total, view.available), (10, 6));
    assert_eq!((first.replaced.stocks.len(), first.replaced.reservations.len()), (2, 3));
    let Decided::Rejected(rejection) = &recorded[3].1.decision else { panic!("a rejection") };
    let values: Vec<_> = rejection.details.iter().map(|detail| detail.value.clone()).collect();
    let text = Value::Text("a".to_owned());
    assert_eq!(values, [Value::Unsigned(7), Value::Signed(-7), text, Value::Flag(true)]);
    assert!(recorded[1].1.replaced.is_empty(), "a command without writes");
}

#[test]
fn a_command_is_written_in_form_2_and_read_unchanged() {
    let recorded: Vec<_> = read(FORM_1, 1).unwrap().into_iter().map(|(_, it)| it).collect();
    let (_folder, connection) = database();
    write(&connection, &recorded, 1_000, |_| Ok(1)).unwrap();
    let again: Vec<_> =
        page(&connection, 0, 1_000).unwrap().into_iter().map(|(_, it)| it).collect();
    assert_eq!(again, recorded);
    let form_2 = FORM_1.replace(r#"{"fulfil":"#, r#"{"fulfill":"#);
    assert_eq!(texts(&connection), form_2, "the forms differ in one word only");
    let forms: u32 =
        connection.query_row("SELECT DISTINCT form FROM command", [], |row| row.get(0)).unwrap();
    assert_eq!(forms, FORM);
}

#[test]
fn every_action_is_read_as_it_was_written() {
    let (_, example) = read(FORM_1, 1).unwrap().swap_remove(0);
    let each = Action::one_of_each().into_iter().map(|action| {
        let mut recorded = example.clone();
        recorded.command.action = action;
        recorded
    });
    let recorded: Vec<_> = each.collect();
    let (_folder, connection) = database();
    write(&connection, &recorded, 1_000, |_| Ok(1)).unwrap();
    let again = page(&connection, 0, 1_000).unwrap().into_iter().map(|(_, it)| it);
    assert_eq!(again.collect::<Vec<_>>(), recorded);
}

#[test]
fn an_unknown_form_is_refused_with_its_number() {
    for unknown in [0, FORM + 1] {
        let error = read(FORM_1, unknown).unwrap_err().to_string();
        assert!(error.contains(&format!("has form {unknown}; forms 1 to {FORM}")), "{error}");
    }
}

#[test]
fn a_row_with_an_invalid_id_is_refused() {
    let line = FORM_1.lines().next().unwrap().replace(r#""product_id":"a""#, r#""product_id":"""#);
    assert!(read(&line, 1).unwrap_err().to_string().contains("1 to 128"), "an empty id");
}
