use super::*;

fn refusal(settings: Settings) -> String {
    settings.resolve().unwrap_err().to_string()
}

#[test]
fn the_defaults_are_valid_and_as_documented() {
    let config = Settings::default().resolve().unwrap();
    assert_eq!((config.host.to_string().as_str(), config.port), ("127.0.0.1", 8000));
    assert_eq!(config.database_path, Path::new("data/inventory.db"));
    assert!(config.worker_threads >= 1);
}

#[test]
fn every_default_is_in_its_range() {
    Settings::defaults().check_ranges().unwrap();
}

#[test]
fn the_help_of_a_number_says_its_range_and_its_default() {
    let help = |name: &str| {
        let descriptions = Settings::descriptions();
        descriptions.into_iter().find(|it| it.name == name).unwrap().help
    };
    assert_eq!(
        help("body_bytes_max"),
        "Largest request body, in bytes; a larger one is answered 413 [range: 1024 to 16777216] \
         [default: 1048576]"
    );
    assert!(help("log_format").ends_with(" [default: auto]"));
    assert!(!help("admin_token").contains("[default"));
    for SettingDescription { name, help, .. } in Settings::descriptions() {
        let number = ["_max", "_ms", "_hours", "_threads", "_call"];
        let number = number.iter().any(|ending| name.ends_with(ending));
        assert_eq!(help.contains("[range: "), number, "{name}: {help}");
    }
}

#[test]
fn the_stronger_source_wins_setting_by_setting() {
    let flags = Settings { port: Some(1), ..Settings::default() };
    let file = Settings { port: Some(2), log_level: Some("debug".into()), ..Settings::default() };
    let config = flags.or(file).resolve().unwrap();
    assert_eq!((config.port, config.log_level.as_str()), (1, "debug"));
}

#[test]
fn a_wrong_value_is_refused_with_its_name_and_what_is_allowed() {
    let queue = Settings { queue_commands_max: Some(0), ..Settings::default() };
    assert_eq!(refusal(queue), "queue_commands_max = 0: allowed is 1 to 1000000");
    let body = Settings { body_bytes_max: Some(1), ..Settings::default() };
    assert_eq!(refusal(body), "body_bytes_max = 1: allowed is 1024 to 16777216");
    let time = Settings { request_timeout_ms: Some(0), ..Settings::default() };
    assert_eq!(refusal(time), "request_timeout_ms = 0: allowed is 100 to 600000");
}

#[test]
fn all_callers_together_may_have_no_fewer_bytes_of_answers_than_one() {
    let settings = Settings {
        idempotency_caller_bytes_max: Some(100_000),
        idempotency_bytes_max: Some(99_999),
        ..Settings::default()
    };
    let refused = "idempotency_bytes_max = 99999: allowed is 100000 to 17179869184";
    assert_eq!(refusal(settings), refused);
}

#[test]
fn a_log_level_is_a_level_or_a_filter() {
    let level = |level: &str| Settings { log_level: Some(level.into()), ..Settings::default() };
    for good in ["info", "WARN", "holdfast=debug,info"] {
        assert!(level(good).resolve().is_ok(), "{good}");
    }
    for bad in ["loud", "", "holdfast=loud"] {
        assert!(refusal(level(bad)).starts_with("log_level = "), "{bad}");
    }
}

#[test]
fn a_database_path_names_a_file() {
    for bad in ["", "/", ".."] {
        let settings = Settings { database_path: Some(bad.into()), ..Settings::default() };
        assert!(refusal(settings).starts_with("database_path = "), "{bad}");
    }
}

#[test]
fn a_file_with_an_unknown_name_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("holdfast.toml");
    std::fs::write(&file, "prot = 8000\n").unwrap();
    let message = read_file(&file).unwrap_err().to_string();
    assert!(message.contains("prot") && message.contains("holdfast.toml"), "{message}");
    std::fs::write(&file, "port = 8080\nlog_format = \"json\"\n").unwrap();
    let settings = read_file(&file).unwrap();
    assert_eq!((settings.port, settings.log_format), (Some(8080), Some(LogFormat::Json)));
    let missing = read_file(&folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("cannot be read"), "{missing}");
}
