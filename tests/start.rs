//! The start: a server that cannot start says why.

use crate::harness::Server;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

/// Runs the program in a folder and expects it to fail with a message that contains these words.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let (status, _, errors) = Server::run(folder, arguments);
    assert!(!status.success(), "{arguments:?}");
    for word in words {
        assert!(errors.contains(word), "{word:?} in {errors}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn a_second_process_on_the_same_database_is_refused() {
    let server = Server::start();
    let folder = server.folder().path();
    refused(folder, &[], &["is in use by another holdfast process", "--database-path"]);
    refused(folder, &["migrate"], &["is in use by another holdfast process"]);
    std::os::unix::fs::symlink(folder.join("data/inventory.db"), folder.join("alias.db")).unwrap();
    refused(folder, &["--database-path", "alias.db"], &["is in use"]);
    assert_eq!(server.client().get("/health/ready").status, 200);
}

#[test]
fn foreign_files_are_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.db");
    let text = "This is a shopping list, not a database. ".repeat(50);
    fs::write(&file, &text).unwrap();
    refused(
        folder.path(),
        &["--database-path", "x.db"],
        &["is not a Holdfast database", "untouched"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    fs::remove_file(&file).unwrap();
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refused(folder.path(), &["--database-path", "x.db"], &["another program"]);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let server = Server::start();
    let file = server.database();
    let folder = server.kill();
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    refused(folder.path(), &[], &["schema version 99", "newer"]);
}

#[test]
fn a_damaged_database_is_a_clear_error() {
    let server = Server::start();
    server.client().stock("a", 1, 0);
    let file = server.database();
    server.signal("-TERM");
    let mut server = server;
    server.wait();
    let folder = server.kill();
    let mut bytes = fs::read(&file).unwrap();
    for byte in bytes.iter_mut().skip(100) {
        *byte ^= 0x5a;
    }
    fs::write(&file, bytes).unwrap();
    refused(folder.path(), &[], &["inventory.db"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    refused(folder.path(), &["--database-path", "file/x.db"], &["the folder", "file"]);
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    // Permissions do not stop root.
    if fs::write(locked.join("probe"), "").is_err() {
        refused(folder.path(), &["--database-path", "locked/x.db"], &["locked"]);
    }
    refused(folder.path(), &["--database-path", "."], &["database_path"]);
}

#[test]
fn a_port_in_use_is_named() {
    let server = Server::start();
    let port = server.port.to_string();
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["--port", &port], &[&format!("127.0.0.1:{port}"), "--port"]);
}

#[test]
fn wrong_settings_are_refused_by_name_wherever_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["--port", "65536"], &["--port", "65536"]);
    refused(folder.path(), &["--queue-commands-max", "0"], &["queue_commands_max", "1 to 1000000"]);
    refused(folder.path(), &["--log-level", "loud"], &["log_level", "info"]);
    refused(folder.path(), &["--component", "none.wasm"], &["none.wasm"]);
    fs::write(folder.path().join("bad.wasm"), "not wasm").unwrap();
    refused(folder.path(), &["--component", "bad.wasm"], &["the component is refused (compile)"]);
    fs::write(folder.path().join("h.toml"), "prot = 1\n").unwrap();
    refused(folder.path(), &["--config", "h.toml"], &["h.toml", "prot"]);
    let mut command = Server::command(folder.path());
    command.env("READERS_MAX", "0");
    let (status, _, errors) = Server::finish(command, &[]);
    assert!(!status.success() && errors.contains("readers_max = 0"), "{errors}");
}

#[test]
fn the_admin_token_is_not_shown() {
    const TOKEN: &str = "a-token-of-an-operator";
    let folder = tempfile::tempdir().unwrap();
    for argument in ["--help", "config"] {
        let mut command = Server::command(folder.path());
        command.env("ADMIN_TOKEN", TOKEN);
        let (status, output, _) = Server::finish(command, &[argument]);
        assert!(status.success());
        assert!(output.to_lowercase().contains("admin_token"), "{output}");
        assert!(!output.contains(TOKEN), "{output}");
    }
}

#[test]
fn half_of_the_settings_for_a_trusted_caller_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let one_without_other: [(&[&str], &str); 2] = [
        (&["--trusted-caller-header", "x-caller"], "trusted_proxies is not"),
        (&["--trusted-proxies", "127.0.0.1"], "trusted_caller_header is not"),
    ];
    for (arguments, message) in one_without_other {
        refused(folder.path(), arguments, &[message]);
    }
}

#[test]
fn the_later_source_wins_and_the_effective_configuration_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("h.toml"),
        "port = 1\nhost = \"127.0.0.2\"\nlog_level = \"warn\"\n",
    )
    .unwrap();
    let mut command = Server::command(folder.path());
    command.env("PORT", "2").env("HOST", "127.0.0.3").env("HOLDFAST_CONFIG", "h.toml");
    let (status, output, _) = Server::finish(command, &["config", "--port", "3"]);
    assert!(status.success());
    for line in
        ["port = 3", "host = \"127.0.0.3\"", "log_level = \"warn\"", "queue_commands_max = 2048"]
    {
        assert!(output.lines().any(|printed| printed == line), "{line} in {output}");
    }
    // The printed configuration is a valid configuration file.
    fs::write(folder.path().join("printed.toml"), &output).unwrap();
    let mut command = Server::command(folder.path());
    command.env_remove("PORT").env_remove("LOG_FORMAT");
    let (status, again, errors) = Server::finish(command, &["config", "--config", "printed.toml"]);
    assert!(status.success(), "{errors}");
    assert_eq!(again, output);
}

#[test]
fn migrate_prints_the_migration() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let (status, output, _) = Server::run(folder.path(), &["migrate"]);
    let migrated = format!("schema version 0 -> {}", holdfast::store::sqlite::LATEST_VERSION);
    assert!(status.success() && output.contains(&migrated), "{output}");
    let (_, output, _) = Server::run(folder.path(), &["migrate"]);
    assert!(output.contains("is current"), "{output}");
    assert_eq!(Server::start_in(&folder, &[]).client().get("/v1/inventory").status, 200);
}
