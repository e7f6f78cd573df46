use super::{Config, ConfigError, LogFormat, Secret, TrustedCaller, within};
use crate::{component, engine, store::AnswerBounds};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};
use tracing_subscriber::EnvFilter;

/// Declares the settings once: name, type, default, meaning. From it come the flag, the
/// environment variable, the member of the file, and what `holdfast config` prints.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $(#[arg($($arg:tt)+)])?
        $name:ident ($env:literal): $type:ty = $default:expr;)+) => {
        /// What one source says about the configuration: any setting may be absent.
        #[derive(Clone, Default, Debug, clap::Args, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $(
                $(#[doc = $doc])+
                #[arg(long, env = $env, global = true, value_name = "VALUE" $(, $($arg)+)?)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )+
        }

        impl Settings {
            /// What holds where nobody says otherwise.
            #[must_use]
            pub fn defaults() -> Self {
                Self { $($name: $default,)+ }
            }

            /// These settings, and where they are silent, those of a weaker source.
            #[must_use]
            pub fn or(self, weaker: Self) -> Self {
                Self { $($name: self.$name.or(weaker.$name),)+ }
            }

            /// Each setting's name, environment variable and meaning, in order.
            #[must_use]
            pub fn descriptions() -> Vec<(&'static str, &'static str, &'static str)> {
                vec![$((stringify!($name), $env, concat!($($doc),+).trim_ascii())),+]
            }
        }
    };
}

settings! {
    /// Address to listen on.
    host("HOST"): IpAddr = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    /// Port to listen on; 0 takes a free one.
    port("PORT"): u16 = Some(8000);
    /// The SQLite database; it is created where there is none.
    database_path("DATABASE_PATH"): PathBuf = Some("data/inventory.db".into());
    /// A domain component (.wasm) to run instead of the embedded one.
    component("COMPONENT"): PathBuf = None;
    /// Log level: error, warn, info, debug, trace, or a filter such as holdfast=debug.
    log_level("LOG_LEVEL"): String = Some("info".into());
    /// Log format: auto (text on a terminal, JSON otherwise), text or json.
    log_format("LOG_FORMAT"): LogFormat = Some(LogFormat::Auto);
    /// Threads that serve HTTP, 1 to 256; default: one per core.
    worker_threads("WORKER_THREADS"): usize = None;
    /// Open connections, 1 to 100000; above that, those that make no progress give way.
    connections_max("CONNECTIONS_MAX"): usize = Some(4096);
    /// Size of a request body in bytes, 1024 to 16777216.
    body_bytes_max("BODY_BYTES_MAX"): usize = Some(1024 * 1024);
    /// Bytes of all request bodies that are being received, beyond the first 16 KiB of each, at least BODY_BYTES_MAX, up to 17179869184; more get 503.
    bodies_bytes_max("BODIES_BYTES_MAX"): usize = Some(64 * 1024 * 1024);
    /// Bytes of all answers of 16 KiB and more that clients have not read yet, 65536 to 17179869184; above that, lists and batches wait.
    answers_bytes_max("ANSWERS_BYTES_MAX"): usize = Some(64 * 1024 * 1024);
    /// Time for a request's head, and for the pause between requests, in ms, 100 to 600000.
    header_timeout_ms("HEADER_TIMEOUT_MS"): u64 = Some(30_000);
    /// Time for a whole request, in ms, 100 to 600000.
    request_timeout_ms("REQUEST_TIMEOUT_MS"): u64 = Some(30_000);
    /// Time without progress in sending an answer, in ms, 100 to 600000; then the connection is closed.
    write_timeout_ms("WRITE_TIMEOUT_MS"): u64 = Some(15_000);
    /// Time for open requests when stopping, in ms, 0 to 600000.
    drain_timeout_ms("DRAIN_TIMEOUT_MS"): u64 = Some(10_000);
    /// Commands that may wait for the writer, 1 to 1000000; more get 503 at once.
    queue_commands_max("QUEUE_COMMANDS_MAX"): usize = Some(2048);
    /// Lines of commands that may wait for the writer, 100 to 10000000; more get 503 at once.
    queue_lines_max("QUEUE_LINES_MAX"): usize = Some(10_000);
    /// Lines that the commands of one request may have together, 100 to 1000000; more get 413.
    request_lines_max("REQUEST_LINES_MAX"): usize = Some(5_000);
    /// Commands committed together, 1 to 65536.
    batch_commands_max("BATCH_COMMANDS_MAX"): usize = Some(1024);
    /// Lines committed together, 100 to 1000000, unless one request alone has more.
    batch_lines_max("BATCH_LINES_MAX"): usize = Some(5_000);
    /// Queries that run at once, 1 to 256; more wait.
    readers_max("READERS_MAX"): usize = Some(4);
    /// Time for a query, once it has begun, in ms, 10 to 600000; then it is stopped.
    query_timeout_ms("QUERY_TIMEOUT_MS"): u64 = Some(5_000);
    /// Pause between two sweeps of holds that are due, in ms, 0 to 1000; 0: they expire only when somebody looks.
    sweep_interval_ms("SWEEP_INTERVAL_MS"): u64 = Some(50);
    /// How long the answers to requests with an Idempotency-Key are kept, in hours, 1 to 720.
    idempotency_hours("IDEMPOTENCY_HOURS"): u64 = Some(24);
    /// Bytes of the idempotency records of one caller that have 16 KiB and more each, 65536 to 17179869184; above that, the oldest of them go before their time.
    idempotency_caller_bytes_max("IDEMPOTENCY_CALLER_BYTES_MAX"): u64 = Some(64 * 1024 * 1024);
    /// Bytes of all idempotency records that have 16 KiB and more each, at least IDEMPOTENCY_CALLER_BYTES_MAX, up to 17179869184; above that, the oldest of them go before their time.
    idempotency_bytes_max("IDEMPOTENCY_BYTES_MAX"): u64 = Some(256 * 1024 * 1024);
    /// Whether PUT of a stock must say If-Match or If-None-Match: true or false.
    put_needs_condition("PUT_NEEDS_CONDITION"): bool = Some(false);
    /// Memory of a component instance in bytes, 1048576 to 1073741824.
    component_memory_bytes_max("COMPONENT_MEMORY_BYTES_MAX"): usize = Some(64 * 1024 * 1024);
    /// Fuel of one call into the component, 10000 to 1000000000000.
    component_fuel_per_call("COMPONENT_FUEL_PER_CALL"): u64 = Some(20_000_000);
    /// Wall-clock time of one call into the component, in ms, 10 to 600000.
    component_deadline_ms("COMPONENT_DEADLINE_MS"): u64 = Some(1_000);
    /// Calls of the host in one call into the component, 1000 to 10000000.
    component_host_calls_max("COMPONENT_HOST_CALLS_MAX"): u32 = Some(65_536);
    /// Items that the scans of one call into the component may ask for, 1000 to 10000000.
    component_scanned_items_max("COMPONENT_SCANNED_ITEMS_MAX"): u32 = Some(65_536);
    /// Bytes that the component hands to the host at once, 65536 to 134217728.
    component_transfer_bytes_max("COMPONENT_TRANSFER_BYTES_MAX"): usize = Some(8 * 1024 * 1024);
    /// Size of a component file in bytes, 65536 to 268435456.
    component_bytes_max("COMPONENT_BYTES_MAX"): usize = Some(32 * 1024 * 1024);
    /// Faults within a minute at which a component that was swapped in gives way to the one before, 0 to 100000; 0: never.
    component_faults_per_minute_max("COMPONENT_FAULTS_PER_MINUTE_MAX"): u32 = Some(10);
    /// Where components are kept; default: the folder components beside the database.
    component_folder("COMPONENT_FOLDER"): PathBuf = None;
    /// Whether the file of --component is swapped in when it changes: true or false.
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    watch("COMPONENT_WATCH"): bool = Some(false);
    /// Decided commands that are recorded with their outcome, for replays, 0 to 1000000; 0: none.
    recorded_commands_max("RECORDED_COMMANDS_MAX"): u64 = Some(0);
    /// How far the wall clock may be set forward within a day, while the server runs, to be followed without an operator's word, in ms, 1000 to 2678400000.
    clock_step_ms_max("CLOCK_STEP_MS_MAX"): u64 = Some(3_600_000);
    /// Whether the wall clock is right where a start finds it behind the recorded time: true or false; true: time passes slower by a tenth until they meet.
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    accept_clock("ACCEPT_CLOCK"): bool = Some(false);
    /// What opens the routes under /v1/admin, 16 to 256 printable characters; not set: there are none.
    admin_token("ADMIN_TOKEN"): Secret = None;
    /// Request header that carries the caller's name, set by a proxy of TRUSTED_PROXIES (which must be set with it), at most 64 bytes; not set: callers have no name.
    trusted_caller_header("TRUSTED_CALLER_HEADER"): String = None;
    /// Addresses and ranges of the proxies from which TRUSTED_CALLER_HEADER is believed, with commas between, at most 64, such as 127.0.0.1,10.0.0.0/8,::1.
    trusted_proxies("TRUSTED_PROXIES"): String = None;
}

/// The most memory that bodies or answers of all connections may be given: 16 GiB.
const COMMON_BYTES_MAX: usize = 16 * 1024 * 1024 * 1024;

/// The most bytes that idempotency records of large answers may be given: 16 GiB.
const IDEMPOTENCY_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Instances besides those of the readers: the writer's, one that is being replaced, a shadow,
/// and those of candidates that are checked or replayed.
const INSTANCES_BESIDES_READERS: u32 = 12;

impl Settings {
    /// The configuration that these settings and the defaults make.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the first setting that is not allowed.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let given = self.or(Self::defaults());
        let component_folder = component_folder(&given);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let readers_max = within("readers_max", set(given.readers_max), 1, 256)?;
        let instances_max = u32::try_from(readers_max).unwrap_or(u32::MAX);
        let answer_bounds = given.answer_bounds()?;
        let limits = given.limits(instances_max.saturating_add(INSTANCES_BESIDES_READERS))?;
        Ok(Config {
            host: given.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: set(given.port),
            database_path: checked_path("database_path", given.database_path.unwrap_or_default())?,
            component: given.component.clone(),
            watch: set(given.watch),
            component_folder,
            component_bytes_max: within(
                "component_bytes_max",
                set(given.component_bytes_max),
                64 * 1024,
                256 * 1024 * 1024,
            )?,
            admin_token: given.admin_token.clone().map(checked_token).transpose()?,
            trusted_caller: TrustedCaller::read(
                given.trusted_caller_header.as_deref(),
                given.trusted_proxies.as_deref(),
            )?,
            log_level: checked_level(given.log_level.unwrap_or_default())?,
            log_format: given.log_format.unwrap_or(LogFormat::Auto),
            worker_threads: within(
                "worker_threads",
                given.worker_threads.unwrap_or(cores.min(256)),
                1,
                256,
            )?,
            connections_max: within("connections_max", set(given.connections_max), 1, 100_000)?,
            body_bytes_max: within(
                "body_bytes_max",
                set(given.body_bytes_max),
                1024,
                16 * 1024 * 1024,
            )?,
            bodies_bytes_max: within(
                "bodies_bytes_max",
                set(given.bodies_bytes_max),
                set(given.body_bytes_max),
                COMMON_BYTES_MAX,
            )?,
            answers_bytes_max: within(
                "answers_bytes_max",
                set(given.answers_bytes_max),
                64 * 1024,
                COMMON_BYTES_MAX,
            )?,
            header_timeout: milliseconds("header_timeout_ms", given.header_timeout_ms, 100)?,
            request_timeout: milliseconds("request_timeout_ms", given.request_timeout_ms, 100)?,
            write_timeout: milliseconds("write_timeout_ms", given.write_timeout_ms, 100)?,
            drain_timeout: milliseconds("drain_timeout_ms", given.drain_timeout_ms, 0)?,
            engine: engine::Settings {
                queue_commands_max: within(
                    "queue_commands_max",
                    set(given.queue_commands_max),
                    1,
                    1_000_000,
                )?,
                batch_commands_max: within(
                    "batch_commands_max",
                    set(given.batch_commands_max),
                    1,
                    65_536,
                )?,
                queue_lines_max: within(
                    "queue_lines_max",
                    set(given.queue_lines_max),
                    100,
                    10_000_000,
                )?,
                request_lines_max: within(
                    "request_lines_max",
                    set(given.request_lines_max),
                    100,
                    1_000_000,
                )?,
                batch_lines_max: within(
                    "batch_lines_max",
                    set(given.batch_lines_max),
                    100,
                    1_000_000,
                )?,
                answer_within: milliseconds("request_timeout_ms", given.request_timeout_ms, 100)?,
                readers_max,
                query_within: milliseconds("query_timeout_ms", given.query_timeout_ms, 10)?,
                sweep_interval_ms: within(
                    "sweep_interval_ms",
                    set(given.sweep_interval_ms),
                    0,
                    1_000,
                )?,
                answers_kept_ms: within("idempotency_hours", set(given.idempotency_hours), 1, 720)?
                    .saturating_mul(3_600_000),
                answer_bounds,
                recorded_commands_max: within(
                    "recorded_commands_max",
                    set(given.recorded_commands_max),
                    0,
                    1_000_000,
                )?,
                faults_per_minute_max: within(
                    "component_faults_per_minute_max",
                    set(given.component_faults_per_minute_max),
                    0,
                    100_000,
                )?,
                clock_step_ms_max: within(
                    "clock_step_ms_max",
                    set(given.clock_step_ms_max),
                    1_000,
                    2_678_400_000,
                )?,
                accept_clock: set(given.accept_clock),
            },
            put_needs_condition: set(given.put_needs_condition),
            limits,
        })
    }

    fn answer_bounds(&self) -> Result<AnswerBounds, ConfigError> {
        let caller_bytes_max = within(
            "idempotency_caller_bytes_max",
            set(self.idempotency_caller_bytes_max),
            64 * 1024,
            IDEMPOTENCY_BYTES_MAX,
        )?;
        let bytes_max = within(
            "idempotency_bytes_max",
            set(self.idempotency_bytes_max),
            caller_bytes_max,
            IDEMPOTENCY_BYTES_MAX,
        )?;
        Ok(AnswerBounds { caller_bytes_max, bytes_max })
    }

    fn limits(&self, instances_max: u32) -> Result<component::Limits, ConfigError> {
        Ok(component::Limits {
            memory_bytes_max: within(
                "component_memory_bytes_max",
                set(self.component_memory_bytes_max),
                1024 * 1024,
                1024 * 1024 * 1024,
            )?,
            fuel_per_call: within(
                "component_fuel_per_call",
                set(self.component_fuel_per_call),
                10_000,
                1_000_000_000_000,
            )?,
            deadline_ms: within(
                "component_deadline_ms",
                set(self.component_deadline_ms),
                10,
                600_000,
            )?,
            host_calls_max: within(
                "component_host_calls_max",
                set(self.component_host_calls_max),
                1_000,
                10_000_000,
            )?,
            scanned_items_max: within(
                "component_scanned_items_max",
                set(self.component_scanned_items_max),
                1_000,
                10_000_000,
            )?,
            transfer_bytes_max: within(
                "component_transfer_bytes_max",
                set(self.component_transfer_bytes_max),
                64 * 1024,
                128 * 1024 * 1024,
            )?,
            instances_max,
        })
    }
}

/// A setting that has a default.
fn set<T: Default>(value: Option<T>) -> T {
    value.unwrap_or_default()
}

fn milliseconds(
    name: &'static str,
    value: Option<u64>,
    least: u64,
) -> Result<Duration, ConfigError> {
    within(name, set(value), least, 600_000).map(Duration::from_millis)
}

/// Beside the database, so that it is moved and backed up with it.
fn component_folder(given: &Settings) -> PathBuf {
    given.component_folder.clone().unwrap_or_else(|| {
        let database = given.database_path.as_deref().unwrap_or(Path::new(""));
        database.with_file_name("components")
    })
}

fn checked_token(token: Secret) -> Result<Secret, ConfigError> {
    let text = token.reveal();
    if (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(token);
    }
    let value = format!("({} characters)", text.chars().count());
    let allowed = "16 to 256 printable ASCII characters without spaces".to_owned();
    Err(ConfigError::Value { name: "admin_token", value, allowed })
}

fn checked_path(name: &'static str, path: PathBuf) -> Result<PathBuf, ConfigError> {
    if path.as_os_str().is_empty() || path.file_name().is_none() {
        let allowed = "the path of a file".to_owned();
        return Err(ConfigError::Value { name, value: format!("{path:?}"), allowed });
    }
    Ok(path)
}

fn checked_level(level: String) -> Result<String, ConfigError> {
    // A lone word that is no level would be taken for the name of a module.
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    let lone = level.chars().all(|c| c.is_ascii_alphanumeric());
    let fine = if lone {
        known.contains(&level.to_ascii_lowercase().as_str())
    } else {
        EnvFilter::try_new(&level).is_ok()
    };
    if fine {
        return Ok(level);
    }
    let allowed = "off, error, warn, info, debug, trace, or a filter such as holdfast=debug,info";
    Err(ConfigError::Value { name: "log_level", value: level, allowed: allowed.to_owned() })
}
