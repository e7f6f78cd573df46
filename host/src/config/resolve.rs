//! From settings to a valid [`Config`].

use super::{
    Config, ConfigError, LogFormat, Secret, Settings, TrustedCaller, in_range,
    settings::{COMMON_BYTES_MAX, IDEMPOTENCY_BYTES_MAX, WORKER_THREADS_MAX},
};
use crate::{component, engine, store::IdempotencyBounds};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};
use tracing_subscriber::EnvFilter;

/// Component instances besides those of the readers: the writer's, one that is being replaced, a
/// shadow, and those of candidates that are examined or replayed.
const INSTANCES_BESIDES_READERS: u32 = 12;

impl Settings {
    /// Completes these settings with the defaults and checks them.
    ///
    /// # Errors
    /// [`ConfigError::Value`] or [`ConfigError::Incomplete`] names the first setting that is not
    /// allowed.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let given = self.or(Self::defaults());
        given.check_ranges()?;
        let body_bytes_max = set(given.body_bytes_max);
        in_range("bodies_bytes_max", given.bodies_bytes_max, &(body_bytes_max..=COMMON_BYTES_MAX))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Config {
            host: given.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: set(given.port),
            database_path: checked_path("database_path", set(given.database_path.clone()))?,
            component: given.component.clone(),
            watch: set(given.watch),
            component_folder: component_folder(&given),
            component_bytes_max: set(given.component_bytes_max),
            admin_token: given.admin_token.clone().map(checked_token).transpose()?,
            trusted_caller: TrustedCaller::read(
                given.trusted_caller_header.as_deref(),
                given.trusted_proxies.as_deref(),
            )?,
            log_level: checked_level(set(given.log_level.clone()))?,
            log_format: given.log_format.unwrap_or(LogFormat::Auto),
            worker_threads: given.worker_threads.unwrap_or(cores.min(WORKER_THREADS_MAX)),
            connections_max: set(given.connections_max),
            body_bytes_max,
            bodies_bytes_max: set(given.bodies_bytes_max),
            answers_bytes_max: set(given.answers_bytes_max),
            header_timeout: milliseconds(given.header_timeout_ms),
            request_timeout: milliseconds(given.request_timeout_ms),
            write_timeout: milliseconds(given.write_timeout_ms),
            drain_timeout: milliseconds(given.drain_timeout_ms),
            put_needs_condition: set(given.put_needs_condition),
            engine: given.engine()?,
            limits: given.limits(),
        })
    }

    fn engine(&self) -> Result<engine::Settings, ConfigError> {
        Ok(engine::Settings {
            queue_commands_max: set(self.queue_commands_max),
            queue_lines_max: set(self.queue_lines_max),
            batch_commands_max: set(self.batch_commands_max),
            batch_lines_max: set(self.batch_lines_max),
            request_lines_max: set(self.request_lines_max),
            answer_within: milliseconds(self.request_timeout_ms),
            readers_max: set(self.readers_max),
            query_within: milliseconds(self.query_timeout_ms),
            sweep_interval_ms: set(self.sweep_interval_ms),
            answers_kept_ms: set(self.idempotency_hours).saturating_mul(3_600_000),
            idempotency_bounds: self.idempotency_bounds()?,
            recorded_commands_max: set(self.recorded_commands_max),
            faults_per_minute_max: set(self.component_faults_per_minute_max),
            clock_step_ms_max: set(self.clock_step_ms_max),
            accept_clock: set(self.accept_clock),
        })
    }

    fn idempotency_bounds(&self) -> Result<IdempotencyBounds, ConfigError> {
        let caller_bytes_max = set(self.idempotency_caller_bytes_max);
        in_range(
            "idempotency_bytes_max",
            self.idempotency_bytes_max,
            &(caller_bytes_max..=IDEMPOTENCY_BYTES_MAX),
        )?;
        Ok(IdempotencyBounds { caller_bytes_max, bytes_max: set(self.idempotency_bytes_max) })
    }

    fn limits(&self) -> component::Limits {
        let readers = u32::try_from(set(self.readers_max)).unwrap_or(u32::MAX);
        component::Limits {
            memory_bytes_max: set(self.component_memory_bytes_max),
            fuel_per_call: set(self.component_fuel_per_call),
            deadline_ms: set(self.component_deadline_ms),
            host_calls_max: set(self.component_host_calls_max),
            scanned_items_max: set(self.component_scanned_items_max),
            transfer_bytes_max: set(self.component_transfer_bytes_max),
            instances_max: readers.saturating_add(INSTANCES_BESIDES_READERS),
        }
    }
}

/// The value of a setting that has a default and is therefore present.
fn set<T: Default>(value: Option<T>) -> T {
    value.unwrap_or_default()
}

fn milliseconds(value: Option<u64>) -> Duration {
    Duration::from_millis(set(value))
}

/// The folder that keeps components. By default it lies beside the database, so that a move or a
/// backup of the database's folder includes the components.
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
    // `EnvFilter` takes a single word that is no level for the name of a module.
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
