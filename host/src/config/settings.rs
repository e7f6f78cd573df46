//! Every setting, declared once. From its declaration come the flag, the environment variable, the
//! member of the configuration file, the help line, the range check, and what `holdfast config`
//! prints.

use super::{ConfigError, LogFormat, Secret, in_range};
use std::{
    fmt::Display,
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::PathBuf,
};

/// A setting as it is described to operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingDescription {
    /// The name in the configuration file. The flag has hyphens in place of the underscores.
    pub name: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// What the setting does, its unit, its range and its default.
    pub help: String,
}

/// Declares the settings: meaning, name, environment variable, type, default, and, for numbers, the
/// range.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $(#[arg($($arg:tt)+)])?
        $name:ident ($env:literal): $type:ty = $default:expr $(, $range:expr)?;)+) => {
        /// The settings of one source, such as the environment. Each of them may be absent.
        #[derive(Clone, Default, Debug, clap::Args, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $(
                $(#[doc = $doc])+
                #[arg(
                    long, env = $env, global = true, value_name = "VALUE",
                    help = describe::<$type>(
                        concat!($($doc),+),
                        None$(.or(Some(range_text::<$type>(&($range)))))?,
                        $default,
                    )
                    $(, $($arg)+)?
                )]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )+
        }

        impl Settings {
            /// The defaults. Settings without one are absent.
            #[must_use]
            pub fn defaults() -> Self {
                Self { $($name: $default,)+ }
            }

            /// Returns these settings, completed with those of a weaker source.
            #[must_use]
            pub fn or(self, weaker: Self) -> Self {
                Self { $($name: self.$name.or(weaker.$name),)+ }
            }

            /// Describes all settings in the order of their declaration.
            #[must_use]
            pub fn descriptions() -> Vec<SettingDescription> {
                vec![$(SettingDescription {
                    name: stringify!($name),
                    variable: $env,
                    help: describe::<$type>(
                        concat!($($doc),+),
                        None$(.or(Some(range_text::<$type>(&($range)))))?,
                        $default,
                    ),
                }),+]
            }

            /// Checks every setting that is present and has a declared range.
            ///
            /// # Errors
            /// [`ConfigError::Value`] names the first setting that is out of its range.
            pub(super) fn check_ranges(&self) -> Result<(), ConfigError> {
                $($(in_range(stringify!($name), self.$name, &($range))?;)?)+
                Ok(())
            }
        }
    };
}

/// The most threads that serve HTTP.
pub(super) const WORKER_THREADS_MAX: usize = 256;

/// The most memory that request bodies or answers of all connections may have: 16 GiB.
pub(super) const COMMON_BYTES_MAX: usize = 16 * 1024 * 1024 * 1024;

/// The most bytes that idempotency records of large answers may have: 16 GiB.
pub(super) const IDEMPOTENCY_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

settings! {
    /// Address to listen on.
    host("HOST"): IpAddr = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    /// TCP port to listen on; 0 takes a free one.
    port("PORT"): u16 = Some(8000);
    /// File of the SQLite database; it is created when it does not exist.
    database_path("DATABASE_PATH"): PathBuf = Some("data/inventory.db".into());
    /// Domain component (a .wasm file) that decides instead of the embedded one.
    component("COMPONENT"): PathBuf = None;
    /// Least severe level that is logged (off, error, warn, info, debug or trace), or a filter such as holdfast=debug,info.
    log_level("LOG_LEVEL"): String = Some("info".into());
    /// Format of the log: text, json, or auto, which is text on a terminal and json otherwise.
    log_format("LOG_FORMAT"): LogFormat = Some(LogFormat::Auto);
    /// Number of threads that serve HTTP; not set: one per core.
    worker_threads("WORKER_THREADS"): usize = None, 1..=WORKER_THREADS_MAX;
    /// Number of connections that may be open; when more arrive, connections that make no progress are closed.
    connections_max("CONNECTIONS_MAX"): usize = Some(4096), 1..=100_000;
    /// Largest request body, in bytes; a larger one is answered 413.
    body_bytes_max("BODY_BYTES_MAX"): usize = Some(1024 * 1024), 1024..=16 * 1024 * 1024;
    /// Bytes of all request bodies that are being received, beyond the first 16 KiB of each; requests above it are answered 503. Not less than BODY_BYTES_MAX.
    bodies_bytes_max("BODIES_BYTES_MAX"): usize = Some(64 * 1024 * 1024), 1024..=COMMON_BYTES_MAX;
    /// Bytes of all answers of 16 KiB or more that clients have not read yet; above it, lists and batches wait until clients read.
    answers_bytes_max("ANSWERS_BYTES_MAX"): usize = Some(64 * 1024 * 1024), 64 * 1024..=COMMON_BYTES_MAX;
    /// Time for a request's head to arrive, and for a connection to stay idle between requests, in milliseconds.
    header_timeout_ms("HEADER_TIMEOUT_MS"): u64 = Some(30_000), 100..=600_000;
    /// Time for a request's body to arrive, and as long again for its decision, in milliseconds.
    request_timeout_ms("REQUEST_TIMEOUT_MS"): u64 = Some(30_000), 100..=600_000;
    /// Time without progress in sending an answer, in milliseconds, after which the connection is closed.
    write_timeout_ms("WRITE_TIMEOUT_MS"): u64 = Some(15_000), 100..=600_000;
    /// Time for open requests to end when the server stops, in milliseconds.
    drain_timeout_ms("DRAIN_TIMEOUT_MS"): u64 = Some(10_000), 0..=600_000;
    /// Number of commands that may wait for the writer; more are answered 503 at once.
    queue_commands_max("QUEUE_COMMANDS_MAX"): usize = Some(2048), 1..=1_000_000;
    /// Number of lines that waiting commands may have together; commands above it are answered 503 at once.
    queue_lines_max("QUEUE_LINES_MAX"): usize = Some(10_000), 100..=10_000_000;
    /// Number of lines that the commands of one request may have together; a larger request is answered 413.
    request_lines_max("REQUEST_LINES_MAX"): usize = Some(5_000), 100..=1_000_000;
    /// Number of commands that one commit may have.
    batch_commands_max("BATCH_COMMANDS_MAX"): usize = Some(1024), 1..=65_536;
    /// Number of lines that one commit may have; a request that has more is committed alone.
    batch_lines_max("BATCH_LINES_MAX"): usize = Some(5_000), 100..=1_000_000;
    /// Number of queries that run at the same time; more wait.
    readers_max("READERS_MAX"): usize = Some(4), 1..=256;
    /// Time that a query may run, in milliseconds; then it is stopped and answered 504.
    query_timeout_ms("QUERY_TIMEOUT_MS"): u64 = Some(5_000), 10..=600_000;
    /// Pause between two sweeps for holds that are due, in milliseconds; 0: no sweeps, a hold expires when its stock is used.
    sweep_interval_ms("SWEEP_INTERVAL_MS"): u64 = Some(50), 0..=1_000;
    /// Time that the answer to a request with an Idempotency-Key is kept, in hours.
    idempotency_hours("IDEMPOTENCY_HOURS"): u64 = Some(24), 1..=720;
    /// Bytes that one caller's idempotency records of 16 KiB or more may have together; above it, the caller's oldest are deleted early.
    idempotency_caller_bytes_max("IDEMPOTENCY_CALLER_BYTES_MAX"): u64 = Some(64 * 1024 * 1024), 64 * 1024..=IDEMPOTENCY_BYTES_MAX;
    /// Bytes that all idempotency records of 16 KiB or more may have together; above it, the oldest are deleted early. Not less than IDEMPOTENCY_CALLER_BYTES_MAX.
    idempotency_bytes_max("IDEMPOTENCY_BYTES_MAX"): u64 = Some(256 * 1024 * 1024), 64 * 1024..=IDEMPOTENCY_BYTES_MAX;
    /// Whether PUT of a stock must carry If-Match or If-None-Match: true or false.
    put_needs_condition("PUT_NEEDS_CONDITION"): bool = Some(false);
    /// Memory of one component instance, in bytes.
    component_memory_bytes_max("COMPONENT_MEMORY_BYTES_MAX"): usize = Some(64 * 1024 * 1024), 1024 * 1024..=1024 * 1024 * 1024;
    /// Fuel of one call of the component, in wasmtime's units of about one instruction each.
    component_fuel_per_call("COMPONENT_FUEL_PER_CALL"): u64 = Some(20_000_000), 10_000..=1_000_000_000_000;
    /// Time of one call of the component, in milliseconds of the wall clock.
    component_deadline_ms("COMPONENT_DEADLINE_MS"): u64 = Some(1_000), 10..=600_000;
    /// Number of calls to the host that one call of the component may make.
    component_host_calls_max("COMPONENT_HOST_CALLS_MAX"): u32 = Some(65_536), 1_000..=10_000_000;
    /// Number of items that the scans of one call of the component may ask for together.
    component_scanned_items_max("COMPONENT_SCANNED_ITEMS_MAX"): u32 = Some(65_536), 1_000..=10_000_000;
    /// Bytes that the component may hand to the host in one call.
    component_transfer_bytes_max("COMPONENT_TRANSFER_BYTES_MAX"): usize = Some(8 * 1024 * 1024), 64 * 1024..=128 * 1024 * 1024;
    /// Largest component file, in bytes.
    component_bytes_max("COMPONENT_BYTES_MAX"): usize = Some(32 * 1024 * 1024), 64 * 1024..=256 * 1024 * 1024;
    /// Number of faults within a minute at which the server rolls back to the component before the current one; 0: never.
    component_faults_per_minute_max("COMPONENT_FAULTS_PER_MINUTE_MAX"): u32 = Some(10), 0..=100_000;
    /// Folder that keeps components and their compiled code; not set: the folder components beside the database.
    component_folder("COMPONENT_FOLDER"): PathBuf = None;
    /// Whether the server swaps in the file of --component each time it changes: true or false.
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    watch("COMPONENT_WATCH"): bool = Some(false);
    /// Number of decided commands that are kept with their outcome, for replays; 0: none.
    recorded_commands_max("RECORDED_COMMANDS_MAX"): u64 = Some(0), 0..=1_000_000;
    /// How far the wall clock may be set forward within a day while the server runs, in milliseconds; a larger step waits for `holdfast clock accept`.
    clock_step_ms_max("CLOCK_STEP_MS_MAX"): u64 = Some(3_600_000), 1_000..=2_678_400_000;
    /// Whether a start accepts a wall clock that is behind the time recorded in the database, true or false; if true, the server's time passes slower by a tenth until both meet.
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    accept_clock("ACCEPT_CLOCK"): bool = Some(false);
    /// Bearer token for the routes under /v1/admin, 16 to 256 printable ASCII characters without spaces; not set: these routes do not exist.
    #[arg(hide_env_values = true)]
    admin_token("ADMIN_TOKEN"): Secret = None;
    /// Name of the request header in which a proxy of TRUSTED_PROXIES passes on the caller's name, at most 64 bytes; the names admin and anonymous are refused; not set: callers have no name.
    trusted_caller_header("TRUSTED_CALLER_HEADER"): String = None;
    /// Proxies from which the server believes TRUSTED_CALLER_HEADER: 1 to 64 addresses or ranges, separated by commas, such as 127.0.0.1,10.0.0.0/8,::1; must be set together with that header.
    trusted_proxies("TRUSTED_PROXIES"): String = None;
}

fn range_text<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}

/// The help of a setting: its meaning, then its range and its default in brackets, in the form in
/// which clap adds the environment variable.
fn describe<T: serde::Serialize>(
    meaning: &str,
    range: Option<String>,
    default: Option<T>,
) -> String {
    let mut help = meaning.trim_ascii().trim_end_matches('.').to_owned();
    if let Some(range) = range {
        help += &format!(" [range: {range}]");
    }
    // A secret has no default, and its value cannot be shown.
    if let Some(default) = default.and_then(|value| toml::Value::try_from(value).ok()) {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        help += &format!(" [default: {default}]");
    }
    help
}
